"""Agent loops as full requests, billed by the slow reference: as they are, and as they would be when mended."""

import json
import random
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final

import polars as pl

from costscan.prices import price_table
from logs import Json, text, tool_result, tool_use
from slow_cache import LOOKBACK, bill, tokens

SECOND: Final = 1_000_000
START: Final = datetime(2026, 7, 1, tzinfo=UTC)
OPUS45, OPUS48 = "claude-opus-4-5", "claude-opus-4-8"
SONNET46, HAIKU45 = "claude-sonnet-4-6", "claude-haiku-4-5"
MODELS: Final = (OPUS45, SONNET46, HAIKU45, OPUS48)
_WORDS: Final = """
the of and to a in is it that he was for on are with as at one have this from or had by word but what some we
can out other were all there when up use your how said each which their time will way about many then them
would like these make thing see look more could people over number water first who now find any new work part
place where after back only every good under name order account request service payment customer address
invoice shipment refund record update status before answer question result value error message report policy
system file folder different following sometimes important something understand company information available
processing government experience additional management development particular conditions department
""".split()


@dataclass(frozen=True)
class Call:
    """One request of a run, and what came back."""

    run: str
    task: str
    at_us: int
    took_us: int
    request: Json
    answer: list[Json] = field(default_factory=list)

    @property
    def output(self) -> int:
        return sum(tokens(json.dumps(block)) for block in self.answer)


Calls = list[Call]


def prose(dice: random.Random, size: int) -> str:
    """Text of about so many tokens."""
    out: list[str] = []
    for n in range(int(size / 1.1)):
        word = dice.choice(_WORDS)
        out.append(word.capitalize() + "." if n % 17 == 16 else word)
        if n % 60 == 59:
            out.append("\n")
    return " ".join(out)


def listing(dice: random.Random, size: int) -> str:
    """What a tool may print: records as JSON."""
    rows = (
        {"id": dice.randrange(10**6), "name": dice.choice(_WORDS), "note": prose(dice, 6), "ok": True}
        for _ in range(max(1, size // 27))
    )
    return json.dumps(list(rows))


def tool(name: str, dice: random.Random) -> Json:
    given = {word: {"type": "string", "description": prose(dice, 12)} for word in dice.sample(_WORDS, 4)}
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
    dice = random.Random(name)  # noqa: S311 - no secret
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


def behind(call: Call, said: str) -> Call:
    """Put a text behind everything, in the newest message."""
    *messages, newest = call.request["messages"]
    newest = newest | {"content": [*newest["content"], text(said)]}
    return replace(call, request=call.request | {"messages": [*messages, newest]})


def value(kind: str, n: int, dice: random.Random) -> str:
    """A value of a kind that is another with each `n`."""
    at = START + timedelta(seconds=37 * n, microseconds=dice.randrange(SECOND))
    shown: dict[str, Callable[[], str]] = {
        "timestamp": lambda: at.isoformat(timespec="milliseconds"),
        "date": lambda: (START + timedelta(days=n)).strftime("%Y-%m-%d"),
        "uuid": lambda: str(uuid.UUID(int=dice.getrandbits(128), version=4)),
        "hex-id": lambda: f"a7{dice.getrandbits(56):014x}",
        "counter": lambda: str(n),
        "record-id": lambda: f"INV-{10_000 + 7919 * n % 89_989}",
        "number": lambda: str(10_000 + 7919 * n % 89_989),
        "path": lambda: f"/srv/run-{10_000 + 7919 * n % 89_989}/out.log",
    }
    return shown[kind]()


VALUES: Final = ("timestamp", "date", "uuid", "hex-id", "counter", "record-id", "number", "path")
PLACES: Final = ("system[0].text", "tools[2].description", "messages[0].content[0]")


@dataclass(frozen=True)
class Fault:
    """Calls with something in their prompts that is another with each call, and mended; where it begins."""

    before: Calls
    after: Calls
    path: str
    offset: int
    cause: str


def varying(calls: Calls, kind: str, path: str, *, per_run: bool = False) -> Fault:
    """Put a value in the middle of a text; mended, it stands behind everything, in that call only."""
    dice = random.Random(kind + path)  # noqa: S311 - no secret
    of_run: dict[str, str] = {}
    before, after, offset = [], [], 0
    for n, call in enumerate(calls):
        shown = value(kind, n, dice)
        shown = of_run.setdefault(call.run, shown) if per_run else shown
        request, offset = _inserted(call.request, path, shown)
        before.append(replace(call, request=request))
        request, _ = _inserted(call.request, path, "")
        after.append(behind(replace(call, request=request), shown))
    return Fault(before, after, path, offset, kind)


def _inserted(request: Json, path: str, shown: str) -> tuple[Json, int]:
    """Put a value into the text at a path; give where it begins."""
    if path.startswith("tools"):
        *first, third = request["tools"][:3]
        said, at = _amid(third["description"], shown)
        return request | {"tools": [*first, third | {"description": said}, *request["tools"][3:]]}, at
    if path.startswith("system"):
        said, at = _amid(request["system"][0]["text"], shown)
        return _with_system(request, said), at
    first, *rest = request["messages"]
    said, at = _amid(first["content"][0]["text"], shown)
    content = [first["content"][0] | {"text": said}, *first["content"][1:]]
    return request | {"messages": [first | {"content": content}, *rest]}, at


def _amid(said: str, shown: str, part: int = 2) -> tuple[str, int]:
    middle = said.index(" ", len(said) // part) + 1
    return f"{said[:middle]}(as of {shown} ) {said[middle:]}", middle + len("(as of ")


def _with_system(request: Json, said: str) -> Json:
    return request | {"system": [request["system"][0] | {"text": said}, *request["system"][1:]]}


ORDERS: Final = ("tools", "schema", "json", "spaces")


def disordered(calls: Calls, what: str) -> Fault:
    """Send tools, the keys of a schema or of JSON in a text in random order, or that JSON with other spaces."""
    dice = random.Random(what)  # noqa: S311 - no secret
    known = {f"{word}_{n}": dice.choice(_WORDS) for n, word in enumerate(dice.sample(_WORDS, 12))}
    after = [replace(call, request=_with_order(call.request, what, known, None)[0]) for call in calls]
    found = [_with_order(call.request, what, known, (n, dice)) for n, call in enumerate(calls)]
    before = [replace(call, request=request) for call, (request, _) in zip(calls, found, strict=True)]
    path = {"tools": "tools[0]", "schema": "tools[2].input_schema"}.get(what, "system[0].text")
    return Fault(before, after, path, found[0][1], "serialization" if what == "spaces" else "random-order")


def _with_order(
    request: Json, what: str, known: dict[str, str], chance: tuple[int, random.Random] | None
) -> tuple[Json, int]:
    """Give a request in some order, and where that which has one begins; without chance, always the same."""

    def turned(items: Iterable[Any]) -> list[Any]:
        """Turn a list by one with each call, so that no two calls in a row have the same order."""
        found = list(items)
        return found if chance is None else found[chance[0] % len(found) :] + found[: chance[0] % len(found)]

    if what == "tools":
        return request | {"tools": turned(request["tools"])}, 0
    if what == "schema":
        old = request["tools"][2]
        keys = dict(turned(old["input_schema"]["properties"].items()))
        new = old | {"input_schema": old["input_schema"] | {"properties": keys}}
        at = json.dumps(new["input_schema"]).index('{"', 2)
        return request | {"tools": [*request["tools"][:2], new, *request["tools"][3:]]}, at
    if what == "spaces" and chance is not None and chance[0] % 2:
        shown = json.dumps(known, separators=(",", ":"))
    else:
        shown = json.dumps(dict(turned(known.items())) if what == "json" else known)
    said, at = _amid(request["system"][0]["text"], shown, 4)
    return _with_system(request, said), at


def lines(calls: Sequence[Call]) -> list[Json]:
    """The log of calls, with their usage as the reference bills it."""
    billed = bill([{"at_us": c.at_us, "took_us": c.took_us, "request": c.request} for c in calls])
    return [
        _line(n, call, classes)
        for n, (call, classes) in enumerate(zip(calls, billed, strict=True))
    ]


def _line(n: int, call: Call, classes: tuple[int, int, int, int]) -> Json:
    read, hour, five, plain = classes
    used = {
        "input_tokens": plain, "cache_read_input_tokens": read, "cache_creation_input_tokens": hour + five,
        "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
        "output_tokens": call.output, "service_tier": "standard",
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
