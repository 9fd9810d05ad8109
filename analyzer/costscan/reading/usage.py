"""The usage object of the Messages API, as logs really hold it, to counters that can be billed.

Logs hold numbers as strings, NaN, null and lists where numbers belong. A counter that cannot be read is
reported (`unreadable`) and counted as zero, and the call it belongs to is marked as a lower bound.
Field meanings: https://platform.claude.com/docs/en/build-with-claude/prompt-caching (`input_tokens` is only
what was neither read from nor written to the cache; without a split, cache writes are 5-minute ones).
"""

from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct

from costscan.reading import loose
from costscan.reading.content import raw_json


class Split(Struct, gc=False):
    """`cache_creation`: cache writes by their lifetime."""

    ephemeral_5m_input_tokens: Any = None
    ephemeral_1h_input_tokens: Any = None


class Usage(Struct, gc=False):
    """`usage` of a response, each field still as the log has it."""

    input_tokens: Any = None
    output_tokens: Any = None
    cache_read_input_tokens: Any = None
    cache_creation_input_tokens: Any = None
    cache_creation: Split | None = None
    service_tier: Any = None
    speed: Any = None
    inference_geo: Any = None
    iterations: Raw = Raw()
    server_tool_use: Any = None
    output_tokens_details: Any = None


MAX_COUNT = 10**9
"""More tokens than any call can have: a larger number is damage."""
MAX_SEARCHES = 10**5
"""More web searches than any call can make."""
USAGE_FIELDS = [name for name in Usage.__struct_fields__ if name not in {"cache_creation", "iterations"}]
_NO_ITERATIONS = len("null")


_decode = msgspec.json.Decoder(Usage).decode


class Counters(Struct, gc=False):
    """Billable counters of one model call; token classes are disjoint."""

    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    thinking_tokens: int | None
    web_searches: int
    unreadable: bool

    @property
    def prompt_side(self) -> tuple[int, int, int]:
        """What identifies a call across copies: uncached input, cache reads, cache writes."""
        writes = self.cache_write_5m_tokens + self.cache_write_1h_tokens
        return self.input_tokens, self.cache_read_tokens, writes


class Iteration(NamedTuple):
    """One billed model call inside a request: its kind, its model where it has its own, its counters."""

    kind: str
    model: str | None
    counters: Counters


def number(value: object, most: int = MAX_COUNT) -> int | None:
    """Give a token count as logs write it (12, "12", 12.0) as an int; None when it is no count."""
    if type(value) is int:
        return value if 0 <= value <= most else None
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, float) and 0 <= value <= most and value.is_integer():
        return int(value)
    return None


def _count(value: object) -> tuple[int, bool]:
    if value is None:
        return 0, False
    found = number(value)
    return (0, True) if found is None else (found, False)


def _writes(usage: Usage) -> tuple[int, int, bool]:
    total, split = usage.cache_creation_input_tokens, usage.cache_creation
    if type(split) is Split and type(total) is int:
        w5m, w1h = split.ephemeral_5m_input_tokens, split.ephemeral_1h_input_tokens
        if type(w5m) is int and type(w1h) is int and w5m >= 0 <= w1h and w5m + w1h == total <= MAX_COUNT:
            return w5m, w1h, False
    return _odd_writes(total, split)


def _odd_writes(raw_total: object, split: object) -> tuple[int, int, bool]:
    total, bad = _count(raw_total)
    if not isinstance(split, Split):
        return total, 0, bad
    w5m, bad_5m = _count(split.ephemeral_5m_input_tokens)
    w1h, bad_1h = _count(split.ephemeral_1h_input_tokens)
    # The split is what is billed, but a log may hold the total alone: the rest of it is a 5-minute write.
    return w5m + max(total - w5m - w1h, 0), w1h, bad or bad_5m or bad_1h


def counters(usage: Usage) -> Counters:
    """Give the billable counters of `usage`, top level only."""
    if (
        type(usage.input_tokens) is int
        and type(usage.output_tokens) is int
        and 0 <= usage.input_tokens <= MAX_COUNT
        and 0 <= usage.output_tokens <= MAX_COUNT
    ):
        plain, out, bad = usage.input_tokens, usage.output_tokens, False
    else:
        (plain, bad_in), (out, bad_out) = _count(usage.input_tokens), _count(usage.output_tokens)
        bad = bad_in or bad_out
    read: Any = usage.cache_read_input_tokens
    bad_read = False
    if type(read) is not int or not 0 <= read <= MAX_COUNT:
        read, bad_read = _count(read)
    w5m, w1h, bad_write = _writes(usage)
    server, details = usage.server_tool_use, usage.output_tokens_details
    searches = number(server.get("web_search_requests"), MAX_SEARCHES) if isinstance(server, dict) else 0
    thinking = number(details.get("thinking_tokens")) if isinstance(details, dict) else None
    return Counters(plain, read, w5m, w1h, out, thinking, searches or 0, bad or bad_read or bad_write)


def from_dict(value: object) -> Usage | None:
    """Give a `Usage` of a decoded JSON object, or None when `value` is none."""
    if not isinstance(value, dict):
        return None
    found = Usage()
    for name in USAGE_FIELDS:
        setattr(found, name, value.get(name))
    if value.get("iterations") is not None:
        found.iterations = raw_json(value["iterations"])
    split = value.get("cache_creation")
    if isinstance(split, dict):
        found.cache_creation = Split(
            split.get("ephemeral_5m_input_tokens"), split.get("ephemeral_1h_input_tokens")
        )
    return found


def of_raw(raw: bytes) -> Usage | None:
    """Give the `Usage` of raw JSON, whatever types its fields have; None when it is no object."""
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    return from_dict(loose.value(raw))


def iterations(usage: Usage) -> list[Iteration]:
    """Give the model calls inside a request where the log tells them apart, else an empty list.

    The top level leaves compaction and advisor calls out, and holds only the answering call after a
    fallback, so a request with several iterations is billed as the sum of them.
    """
    raw = bytes(usage.iterations)
    if len(raw) <= _NO_ITERATIONS or (raw.count(b'"type"') == 1 and b'"message"' in raw):
        return []
    found = loose.value(raw)
    if not isinstance(found, list) or [i.get("type") for i in found if isinstance(i, dict)] == ["message"]:
        return []
    out: list[Iteration] = []
    for item in found:
        inner = from_dict(item)
        if inner is None:
            return []
        model = item.get("model")
        kind = item.get("type")
        out.append(
            Iteration(
                kind if isinstance(kind, str) else "message",
                model if isinstance(model, str) and model else None,
                counters(inner),
            )
        )
    billed = _without_declined(out)
    searches = counters(usage).web_searches
    if searches and billed and not any(part.counters.web_searches for part in billed):
        billed[-1].counters.web_searches = searches
    return billed


def _without_declined(found: list[Iteration]) -> list[Iteration]:
    # A model that declined before it wrote anything is not billed; its fallback is. The few tokens that
    # stand beside the declined call are the placeholder of its first event.
    return [
        item
        for i, item in enumerate(found)
        if not (
            i + 1 < len(found)
            and found[i + 1].kind == "fallback_message"
            and item.kind != "compaction"
            and item.counters.output_tokens <= PLACEHOLDER_OUTPUT_TOKENS
        )
    ]


PLACEHOLDER_OUTPUT_TOKENS = 8
"""An unfinished call shows at most this many output tokens: what the first streamed event had counted."""
