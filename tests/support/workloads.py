"""Agent loops as full requests, billed by the slow reference: as they are, and as they would be when mended."""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final

import polars as pl

from costscan.prices import price_table
from logs import Json, text, tool_result, tool_use
from slow_cache import LOOKBACK, NONE, bill, tokens

SECOND: Final = 1_000_000
START: Final = datetime(2026, 7, 1, tzinfo=UTC)
OPUS45, OPUS48 = "claude-opus-4-5", "claude-opus-4-8"
SONNET46, HAIKU45 = "claude-sonnet-4-6", "claude-haiku-4-5"
SONNET5 = "claude-sonnet-5"
MODELS: Final = (OPUS45, SONNET46, HAIKU45, OPUS48)
_MANY: Final = """
the of and to a in is it that he was for on are with as at one have this from or had by word but what some we
can out other were all there when up use your how said each which their time will way about many then them
would like these make thing see look more could people over number water first who now find any new work part
place where after back only every good under name order account request service payment customer address
invoice shipment refund record update status before answer question result value error message report policy
system file folder different following sometimes important something understand company information available
processing government experience additional management development particular conditions department
"""
WORDS: Final = _MANY.split()


@dataclass(frozen=True)
class Call:
    """One request of a run, and what came back."""

    run: str
    task: str
    at_us: int
    took_us: int
    request: Json
    answer: list[Json] = field(default_factory=list)

    def told(self, **changed: Any) -> "Call":
        """This call with another request."""
        return replace(self, request=self.request | changed)

    @property
    def output(self) -> int:
        return sum(tokens(json.dumps(block)) for block in self.answer)


Calls = list[Call]


def prose(dice: random.Random, size: int) -> str:
    """Text of about so many tokens."""
    out: list[str] = []
    for n in range(int(size / 1.1)):
        word = dice.choice(WORDS)
        out.append(word.capitalize() + "." if n % 17 == 16 else word)
        if n % 60 == 59:
            out.append("\n")
    return " ".join(out)


def listing(dice: random.Random, size: int) -> str:
    """What a tool may print: records as JSON."""
    rows = (
        {"id": dice.randrange(10**6), "name": dice.choice(WORDS), "note": prose(dice, 6), "ok": True}
        for _ in range(max(1, size // 27))
    )
    return json.dumps(list(rows))


def tool(name: str, dice: random.Random) -> Json:
    given = {word: {"type": "string", "description": prose(dice, 12)} for word in dice.sample(WORDS, 4)}
    return {
        "name": name,
        "description": f"Looks up {prose(dice, 60)}",
        "input_schema": {"type": "object", "properties": given, "required": sorted(given)},
    }


def loops(
    name: str, *, model: str = SONNET46, runs: int = 2, turns: int = 10, gap_s: float = 8, apart_s: float = 100,
    system: int = 1500, result: int = 400, wide: int = 1, n_tools: int = 5,
) -> Calls:  # fmt: skip
    """Agent loops of one task, unmarked: they share tools and system prompt, and differ in what is asked.

    Args:
        name: of the task; runs of another name share nothing with these.
        gap_s: about the time from one request to the next, `apart_s` that from the start of one run to the next.
        system: about the tokens of the system prompt, `result` those of each tool result.
        wide: how many tools are called at once.
    """
    dice = random.Random(name)
    fixed = {
        "model": model,
        "max_tokens": 4096,
        "tools": [tool(f"{name}_{n}", dice) for n in range(n_tools)],
        "system": [text(f"You are {name}. {prose(dice, system)}")],
    }
    made = [
        call
        for run in range(runs)
        for call in _loop(f"{name}/{run}", name, fixed, turns, (run * apart_s, gap_s), (result, wide), dice)
    ]
    return sorted(made, key=lambda call: call.at_us)


def _loop(
    run: str, task: str, fixed: Json, turns: int, when: tuple[float, float], size: tuple[int, int],
    dice: random.Random,
) -> Iterable[Call]:  # fmt: skip
    at, gap = when
    result, wide = size
    messages: list[Json] = [{"role": "user", "content": [text(f"Please see to this. {prose(dice, 300)}")]}]
    for turn in range(turns):
        ids = [f"toolu_{run}_{turn}_{n}" for n in range(wide)]
        asked = [tool_use(i, fixed["tools"][n % 4]["name"], query=prose(dice, 20)) for n, i in enumerate(ids)]
        answer = [text(prose(dice, 30)), *asked]
        took = dice.uniform(0.2, 0.6) * min(gap, 10)
        request = fixed | {"messages": list(messages)}
        yield Call(run, task, round(at * SECOND), round(took * SECOND), request, answer)
        told = [tool_result(i, listing(dice, int(result * dice.uniform(0.5, 1.5)))) for i in ids]
        messages += [{"role": "assistant", "content": answer}, {"role": "user", "content": told}]
        at += max(took, gap * dice.uniform(0.85, 1.15))


def marked(calls: Calls, ttl: str = "5m", *, between: bool = False) -> Calls:
    """Mark the end of the system prompt and the last block of each prompt.

    Args:
        calls: the calls.
        ttl: the lifetime of the marks.
        between: mark more blocks where more came in than a mark looks back over.
    """
    return [replace(call, request=_marked(call.request, ttl, between=between)) for call in calls]


def automatic(calls: Calls) -> Calls:
    """Ask for automatic caching, at the end of each prompt."""
    top = {"cache_control": {"type": "ephemeral"}}
    return [replace(call, request=call.request | top) for call in calls]


def _marked(request: Json, ttl: str, *, between: bool) -> Json:
    mark = {"cache_control": {"type": "ephemeral"} | ({"ttl": "1h"} if ttl == "1h" else {})}
    *system, last_system = request["system"]
    return request | {
        "system": [*system, last_system | mark],
        "messages": _marked_messages(request["messages"], mark, between=between),
    }


def _marked_messages(messages: list[Json], mark: Json, *, between: bool) -> list[Json]:
    """Mark the last block and, where more than 20 came in, so many as to reach the prompt before."""
    news = [(m, n) for m in range(len(messages))[-2:] for n in range(len(messages[m]["content"]))]
    chosen = set(news[LOOKBACK - 2 : -1 : LOOKBACK - 1] if between and len(messages) > 1 else [])
    chosen.add(news[-1])
    out = list(messages)
    for m in {m for m, _ in chosen}:
        blocks = [b | mark if (m, n) in chosen else b for n, b in enumerate(messages[m]["content"])]
        out[m] = messages[m] | {"content": blocks}
    return out


def lines(
    calls: Sequence[Call], ratios: Mapping[str, float] = NONE, *, longest_only: bool = False
) -> list[Json]:
    """The log of calls, with their usage as the reference bills it; `ratios`, `longest_only` as for `bill`."""
    asked = [{"at_us": c.at_us, "took_us": c.took_us, "request": c.request} for c in calls]
    billed = bill(asked, ratios, longest_only=longest_only)
    both = enumerate(zip(calls, billed, strict=True))
    return [
        _line(n, call, classes, round(call.output * ratios.get(call.request["model"], 1)))
        for n, (call, classes) in both
    ]


def _line(n: int, call: Call, classes: tuple[int, int, int, int], output: int) -> Json:
    read, hour, five, plain = classes
    used = {
        "input_tokens": plain, "cache_read_input_tokens": read, "cache_creation_input_tokens": hour + five,
        "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
        "output_tokens": output, "service_tier": "standard",
    }  # fmt: skip
    stop = "tool_use" if any(b["type"] == "tool_use" for b in call.answer) else "end_turn"
    return {
        "run_id": call.run,
        "task": call.task,
        "timestamp": (START + timedelta(microseconds=call.at_us)).isoformat(),
        "duration_ms": call.took_us / 1000,
        "request": call.request,
        "response": {
            "id": f"msg_{call.run}_{n}", "type": "message", "role": "assistant", "model": call.request["model"],
            "content": call.answer, "stop_reason": stop, "usage": used,
        },
    }  # fmt: skip


@cache
def unit(model: str) -> dict[str, Decimal]:
    """The dollars of a token of a model, by meter: those of prompts of any length on the day of the log."""
    told = price_table().filter(
        (pl.col("model") == model) & (pl.col("provider") == "anthropic")
        & (pl.col("tier") == "standard") & (pl.col("speed") == "standard") & (pl.col("over_prompt_tokens") == 0)
        & (pl.col("valid_from") <= START) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > START))
    )  # fmt: skip
    return {row["meter"]: row["usd_per_mtok"] / 10**6 for row in told.to_dicts()}


METERS: Final = {
    "input_tokens": "input",
    "cache_read_input_tokens": "cache_read",
    "ephemeral_5m_input_tokens": "cache_write_5m",
    "ephemeral_1h_input_tokens": "cache_write_1h",
    "output_tokens": "output",
}


def usd(told: Iterable[Json]) -> Decimal:
    """What the lines of a log cost."""
    total = Decimal(0)
    for line in told:
        used: Json = line["response"]["usage"]
        counts: dict[str, Any] = used | used["cache_creation"]
        prices = unit(line["response"]["model"])
        total += sum((counts[name] * prices[meter] for name, meter in METERS.items()), Decimal(0))
    return total
