"""Requests of agents, what came back, and what they are billed, one request after another."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from logs import Json
from slow_cache import LOOKBACK, Row, slow, tokens
from world.prices import MODELS
from world.prompt import Piece, pieces

SECOND: Final = 1_000_000
START: Final = datetime(2026, 7, 1, tzinfo=UTC)
MOST_MARKS: Final = 4
Classes = tuple[int, int, int, int]
"""Tokens read, written for an hour, written for five minutes, and sent plain."""


@dataclass(frozen=True)
class Call:
    """One request of a run, and what came back.

    Attributes:
        run: of its run, `task` of all runs that do the same.
        at_us: when it began, `took_us` how long the answer took.
        answer: the blocks of the answer.
        parent: the run whose sub-agent this is.
        is_batch: it is an item of a batch.
        is_refused: the API answered with an error, and billed nothing.
        before: the request that the API itself made first, to write a summary.
        written: the tokens of the answer, where they are not those of its blocks.
    """

    run: str
    task: str
    at_us: int
    took_us: int
    request: Json
    answer: list[Json] = field(default_factory=list)
    parent: str | None = None
    is_batch: bool = False
    is_refused: bool = False
    before: "Call | None" = None
    written: int | None = None

    def told(self, **changed: Any) -> "Call":
        """This call with another request."""
        return replace(self, request=self.request | changed)

    def sending(self, change: Callable[[Json], Json]) -> "Call":
        """This call, and what the API makes first, with other requests."""
        first = self.before and self.before.sending(change)
        return replace(self, request=change(self.request), before=first)

    @property
    def output(self) -> int:
        """The tokens of the answer, as the model of the request counts them."""
        if self.written is not None:
            return self.written
        # The request before wrote the summary that the answer begins with.
        some = [b for b in self.answer if self.before is None or b["type"] != "compaction"]
        return round(sum(map(_written, some)) * MODELS[self.request["model"]].ratio)

    @property
    def thought(self) -> int:
        """The tokens of the answer that are thinking."""
        some = sum(_written(b) for b in self.answer if b["type"] == "thinking")
        return round(some * MODELS[self.request["model"]].ratio)


Calls = list[Call]


def _written(block: Json) -> int:
    if block["type"] == "thinking":
        return tokens(block["thinking"]) or len(block["signature"]) // 5
    return tokens(json.dumps(block))


@dataclass(frozen=True)
class Prompt:
    """A request as the cache sees it.

    Attributes:
        pieces: its blocks.
        keys: what names the prefix up to each of them, `names` on all models alike.
        ends: the tokens up to each of them.
    """

    pieces: list[Piece]
    keys: list[int]
    names: list[int]
    ends: list[int]


def prompt(request: Row) -> Prompt:
    found = pieces(request)
    names, ends = [], []
    so_far, total = 0, 0
    for piece in found:
        so_far, total = hash((so_far, piece.said)), total + piece.tokens
        names.append(so_far)
        ends.append(total)
    return Prompt(found, [hash((request["model"], name)) for name in names], names, ends)


def _positions(sent: Prompt, number: int) -> list[Row]:
    """The places of a prompt that are marked, or looked back at from a mark."""
    marked = [n for n, piece in enumerate(sent.pieces) if piece.ttl_us is not None]
    assert len(marked) <= MOST_MARKS, "the API takes four marks"
    lives = [sent.pieces[n].ttl_us or 0 for n in marked]
    assert lives == sorted(lives, reverse=True), "those that live longer stand first"
    seen = {n for mark in marked for n in range(max(0, mark + 1 - LOOKBACK), mark + 1)}
    return [
        {"req": number, "key": sent.keys[n], "tokens": sent.ends[n], "ttl_us": sent.pieces[n].ttl_us}
        for n in sorted(seen)
    ]


def billed(calls: Sequence[Call]) -> list[Call]:
    """All requests that are billed, in the order in which they are: those that the API makes stand first."""
    return [each for c in calls if not c.is_refused for each in ([c.before, c] if c.before else [c])]


def bill(calls: Sequence[Call]) -> list[Classes]:
    """What each of some requests was billed."""
    requests, positions = [], []
    for n, call in enumerate(calls):
        sent = prompt(call.request)
        positions += _positions(sent, n)
        requests.append({
            "req": n, "domain": call.request["model"], "at_us": call.at_us, "ready_us": call.at_us + call.took_us,
            "prompt_tokens": sent.ends[-1], "min_tokens": MODELS[call.request["model"]].least,
        })  # fmt: skip
    told = slow(requests, positions)
    return [told[n] for n in range(len(calls))]


def usd_of(call: Call, classes: Classes) -> Decimal:
    """What a request costs."""
    plain_usd, five_usd, hour_usd, read_usd, output_usd = MODELS[call.request["model"]].usd
    read, hour, five, plain = classes
    whole = plain * plain_usd + five * five_usd + hour * hour_usd + read * read_usd + call.output * output_usd
    return whole / 2 if call.is_batch else whole


def usd(calls: Sequence[Call]) -> Decimal:
    """What requests cost, billed as they come."""
    all_calls = billed(calls)
    return sum((usd_of(c, told) for c, told in zip(all_calls, bill(all_calls), strict=True)), Decimal(0))


def lines(calls: Sequence[Call]) -> list[Json]:
    """The log of calls, with what they were billed."""
    all_calls = billed(calls)
    told = {id(call): classes for call, classes in zip(all_calls, bill(all_calls), strict=True)}
    return [_line(n, call, told) for n, call in enumerate(calls)]


def _line(n: int, call: Call, told: Mapping[int, Classes]) -> Json:
    named = {"run_id": call.run, "task": call.task} | ({"parent_run_id": call.parent} if call.parent else {})
    return named | {
        "timestamp": (START + timedelta(microseconds=call.at_us)).isoformat(),
        "duration_ms": call.took_us / 1000,
        # What the API compacts it does after the request.
        "request": call.before.request if call.before else call.request,
        "response": _refusal() if call.is_refused else _answer(n, call, told),
    }


def _refusal() -> Json:
    why = "A maximum of 4 blocks with cache_control may be provided. Found 5."
    return {"type": "error", "error": {"type": "invalid_request_error", "message": why}}


def _answer(n: int, call: Call, told: Mapping[int, Classes]) -> Json:
    used = usage(call, told[id(call)])
    if call.before:
        parts = [("compaction", call.before), ("message", call)]
        used["iterations"] = [{"type": kind} | usage(each, told[id(each)]) for kind, each in parts]
    stop = "tool_use" if any(b["type"] == "tool_use" for b in call.answer) else "end_turn"
    return {
        "id": f"msg_{call.run}_{n}", "type": "message", "role": "assistant", "model": call.request["model"],
        "content": call.answer, "stop_reason": stop, "usage": used,
    }  # fmt: skip


def usage(call: Call, classes: Classes) -> Json:
    read, hour, five, plain = classes
    return {
        "input_tokens": plain, "cache_read_input_tokens": read, "cache_creation_input_tokens": hour + five,
        "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
        "output_tokens": call.output, "service_tier": "batch" if call.is_batch else "standard",
    } | ({"output_tokens_details": {"thinking_tokens": call.thought}} if call.thought else {})  # fmt: skip
