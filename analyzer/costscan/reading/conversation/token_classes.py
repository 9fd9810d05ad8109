"""Counters of any producer to the token classes that are billed, which are disjoint.

Producers count in two ways. The input counter holds what the cache read and wrote (OpenAI, Gemini, the
OpenTelemetry conventions), or leaves it out (Anthropic); the output counter holds what was reasoned, or
leaves it out (Gemini). Versions of one client differ in it, so a record that tells a total is taken at its
total, and the usual way of its format decides only where it tells none.
"""

from collections.abc import Collection, Mapping
from functools import cache
from itertools import product
from typing import NamedTuple

from msgspec.structs import replace

from costscan.reading.conversation.usage import UNKNOWN_TTL, Counters, number


class Counting(NamedTuple):
    """Whether the input counter holds what was cached, and the output counter what was reasoned."""

    cache_inside: bool
    reasoning_inside: bool


OPENAI = Counting(cache_inside=True, reasoning_inside=True)
GEMINI = Counting(cache_inside=True, reasoning_inside=False)
ANTHROPIC = Counting(cache_inside=False, reasoning_inside=True)


class Told(NamedTuple):
    """The counters of one call as its log tells them, in tokens; None is unknown, 0 is none.

    Attributes:
        input_tokens: the input counter.
        output_tokens: the output counter.
        cache_read_tokens: what the cache read.
        cache_write_5m_tokens: what it wrote, all of it where the producer knows one lifetime.
        cache_write_1h_tokens: what it wrote to keep for an hour.
        cache_write_ttl: how long the former live; None where the log says that it is five minutes.
        reasoning_tokens: what was reasoned.
        total_tokens: the sum that the log itself tells, None where it tells none.
        tool_prompt_tokens: input beside the input counter: Gemini's prompt of a tool.
        web_searches: how many searches are billed.
    """

    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None = 0
    cache_write_5m_tokens: int | None = 0
    cache_write_1h_tokens: int | None = 0
    reasoning_tokens: int | None = 0
    total_tokens: int | None = None
    tool_prompt_tokens: int | None = 0
    web_searches: int | None = 0
    cache_write_ttl: str | None = UNKNOWN_TTL

    @property
    def cached_tokens(self) -> int | None:
        """What the cache read and wrote."""
        return _sum(self.cache_read_tokens, self.cache_write_5m_tokens, self.cache_write_1h_tokens)


def classes_of(told: Told, usual: Counting) -> Counters:
    """Return the billable counters of a record.

    `usual` is how its format counts. Another way is taken where the usual one is impossible (more was cached
    than went in, more reasoned than came out) or does not give the total and one other way does. Where no way
    gives the total, or several that mean different things, the counters are `contradictory`, and the least of
    them are taken.

    A class that follows from an unknown counter is None.
    """
    whole = None if told.total_tokens is None else _sum_of(told, usual)
    if whole in (None, told.total_tokens) and _is_possible(told, usual):
        return _classes(told, usual)
    possible = [way for way in _ways(usual) if _is_possible(told, way)]
    if whole is None:
        return _classes(told, possible[0])
    fitting = [_classes(told, way) for way in possible if _sum_of(told, way) == told.total_tokens]
    if fitting and (_sum_of(told, possible[0]) == told.total_tokens or all(f == fitting[0] for f in fitting)):
        return fitting[0]
    least = min(possible, key=lambda way: _known_first(_sum_of(told, way)))
    return replace(_classes(told, least), contradictory=True)


def at_least(counted: Counters, *, costs_more: bool) -> Counters:
    """Return the counters as a lower bound, where tokens among them `costs_more` than those of text."""
    return replace(counted, contradictory=True) if costs_more and counted.is_known else counted


def counts_audio(counts: Mapping[str, object], but: Collection[str] = ()) -> bool:
    """Whether counters by their names, `but` some, count audio, whose tokens cost more than those of text."""
    return any("audio" in name and name not in but and number(value) for name, value in counts.items())


@cache
def _ways(usual: Counting) -> list[Counting]:
    """Return every way to count, the usual one first and the one that differs in both respects last."""
    ways = (Counting(*way) for way in product((True, False), repeat=2))
    return sorted(ways, key=lambda way: sum(a != b for a, b in zip(way, usual, strict=True)))


def _is_possible(told: Told, way: Counting) -> bool:
    cached, reasoned = told.cached_tokens, told.reasoning_tokens
    has_room = told.input_tokens is None or cached is None or cached <= told.input_tokens
    has_written = told.output_tokens is None or reasoned is None or reasoned <= told.output_tokens
    return (has_room or not way.cache_inside) and (has_written or not way.reasoning_inside)


def _known_first(token_count: int | None) -> tuple[bool, int]:
    return token_count is None, token_count or 0


def _sum_of(told: Told, way: Counting) -> int | None:
    """Return what the total would be if counters were meant this way, None where a counter is unknown."""
    return _sum(
        told.input_tokens,
        told.tool_prompt_tokens,
        0 if way.cache_inside else told.cached_tokens,
        told.output_tokens,
        0 if way.reasoning_inside else told.reasoning_tokens,
    )


def _classes(told: Told, way: Counting) -> Counters:
    fresh = told.input_tokens
    if way.cache_inside:
        cached = told.cached_tokens
        fresh = None if fresh is None or cached is None else fresh - cached
    reasoned = 0 if way.reasoning_inside else told.reasoning_tokens
    return Counters(
        _sum(fresh, told.tool_prompt_tokens),
        told.cache_read_tokens,
        told.cache_write_5m_tokens,
        told.cache_write_1h_tokens,
        _sum(told.output_tokens, reasoned),
        told.reasoning_tokens,
        told.web_searches,
        contradictory=False,
        cache_write_ttl=told.cache_write_ttl if told.cache_write_5m_tokens else None,
    )


def _sum(*counters: int | None) -> int | None:
    total = 0
    for counter in counters:
        if counter is None:
            return None
        total += counter
    return total
