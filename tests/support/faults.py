"""Faults put into real-looking prompts: a value that differs from one prompt to the next, at a known place."""

import copy
import json
import random
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

from costscan.formats import messages_api
from costscan.formats.interface import LogFile
from costscan.reading.io.rows import Rows
from logs import Json, message, text, write

Values: TypeAlias = tuple[str, str]
_FORMATS: Final = (
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S.%f+00:00",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%a, %d %b %Y %H:%M:%S +0000",
    "%b %d, %Y %H:%M",
    "%B %d, %Y at %I:%M %p",
    "%a %b %d %H:%M:%S %Y",
    "%d/%m/%Y %H:%M:%S",
    "%Y%m%dT%H%M%SZ",
    "%Y-%m-%d_%H-%M-%S",
    "%H:%M:%S",
)
_DAYS: Final = ("%Y-%m-%d", "%d/%m/%Y", "%B %d, %Y", "%d %b %Y", "%A, %B %d, %Y", "%Y/%m/%d")
_WRAPS: Final = (
    "{}",
    "({})",
    "[{}]",
    '"{}"',
    "`{}`",
    "<v>{}</v>",
    "now: {}",
    "value={}",
    "{}.",
    "{},",
    "\n{}\n",
)
_ITEMS: Final = ("search_orders", "read_file", "send_reply", "list_users", "open_trace", "add_note", "refund")
_EDITS: Final = ("carefully", "perhaps", "whichever", "notwithstanding", "briskly")
_word = re.compile(r"(?<![\w-])[A-Za-z]{4,}(?![\w-])")


@dataclass
class Fault:
    """Two consecutive requests of a run, the newer one departing at a known place, for a known cause."""

    requests: list[Json]
    path: str
    offset: int | None
    cause: str


def _two_times(dice: random.Random) -> tuple[datetime, datetime]:
    first = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=dice.uniform(0, 3e7))
    return first, first + timedelta(seconds=dice.choice((61, 75, 3700, 90_000)) + dice.random())


def _timestamp(dice: random.Random) -> Values:
    x, y = _two_times(dice)
    if dice.random() < 0.2:
        scale = dice.choice((1, 1000))
        return str(int(x.timestamp() * scale)), str(int(y.timestamp() * scale))
    shape = dice.choice(_FORMATS)
    return x.strftime(shape), y.strftime(shape)


def _date(dice: random.Random) -> Values:
    x, _ = _two_times(dice)
    shape = dice.choice(_DAYS)
    return x.strftime(shape), (x + timedelta(days=dice.choice((1, 2, 31)))).strftime(shape)


def _uuid(dice: random.Random) -> Values:
    x, y = (str(uuid.UUID(int=dice.getrandbits(128), version=4)) for _ in range(2))
    return (x.upper(), y.upper()) if dice.random() < 0.2 else (x, y)


def _hex(dice: random.Random) -> Values:
    size = dice.choice((7, 8, 12, 16, 32, 40, 64))
    while True:
        x, y = (f"{dice.getrandbits(4 * size):0{size}x}" for _ in range(2))
        if re.search("[a-f]", x + y) and re.search("[0-9]", x + y):
            return x, y


def _counter(dice: random.Random) -> Values:
    at = dice.randrange(300)
    return str(at), str(at + dice.choice((1, 1, 1, 2)))


def _record(dice: random.Random) -> Values:
    def letters(n: int) -> str:
        return "".join(dice.choices("abcdefghijkmnpqrstuvwxyz0123456789", k=n))

    shape = dice.choice(("INV-{n}", "usr_{s}", "cust:{n}", "ORD-2026-{n}", "req_011C{s}{s}", "T{n}"))
    x, y = dice.sample(range(1000, 99_999), 2)
    return shape.format(n=x, s=f"4{letters(6)}"), shape.format(n=y, s=f"7{letters(6)}")


def _number(dice: random.Random) -> Values:
    x, y = dice.randrange(1000), dice.randrange(2000, 900_000)
    shape = dice.choice(("{}", "{:,}", "{}.25", "{}%", "-{}"))
    return shape.format(x), shape.format(y)


def _path(dice: random.Random) -> Values:
    shape = dice.choice(
        ("/srv/run-{}/", "/var/folders/x{}/T/out.log", "~/projects/{}/notes", "C:\\Temp\\run-{}\\a.txt")
    )
    x, y = dice.sample(range(100, 9999), 2)
    return shape.format(x), shape.format(y)


def _json_order(dice: random.Random) -> Values:
    names = dice.sample(_ITEMS, 5)
    moved = names[1:] + names[:1]
    return tuple(json.dumps({n: len(n) for n in order}) for order in (names, moved))  # type: ignore[return-value]


def _items_order(dice: random.Random) -> Values:
    names = dice.sample(_ITEMS, 5)
    joined = dice.choice((", ", "\n"))
    return joined.join(names), joined.join(names[1:] + names[:1])


def _serialization(dice: random.Random) -> Values:
    value = {name: [len(name), "ü"] for name in dice.sample(_ITEMS, 3)}
    return json.dumps(value), json.dumps(value, separators=(",", ":"), ensure_ascii=dice.random() < 0.5)


VALUES: Final[dict[str, Callable[[random.Random], Values]]] = {
    "timestamp": _timestamp,
    "date": _date,
    "uuid": _uuid,
    "hex-id": _hex,
    "counter": _counter,
    "record-id": _record,
    "number": _number,
    "path": _path,
    "random-order (JSON keys)": _json_order,
    "random-order (items)": _items_order,
    "serialization": _serialization,
}
EDITS: Final = ("tools in another order", "edited text")
KINDS: Final = (*VALUES, *EDITS)


def grown(request: Json, turn: int = 0) -> Json:
    """The next request of a conversation: an answer and a new user turn more, the marker at its new end."""
    out = copy.deepcopy(request)
    out["messages"] += [
        {"role": "assistant", "content": [text(f"Done with part {turn}.")]},
        {"role": "user", "content": [text(f"Go on with part {turn}.")]},
    ]
    return marked(out)


def marked(request: Json) -> Json:
    """The request with one cache marker, at its end."""
    found = json.loads(json.dumps(request), object_hook=_unmarked)
    last = found["messages"][-1]
    if isinstance(last["content"], str):
        last["content"] = [text(last["content"])]
    last["content"][-1]["cache_control"] = {"type": "ephemeral"}
    return dict(found)


def _unmarked(value: Json) -> Json:
    value.pop("cache_control", None)
    return value


def places(request: Json) -> Iterator[tuple[str, Json, str]]:
    """The texts of a request: the path of each, and where it stands."""
    for n, tool in enumerate(request.get("tools") or []):
        if isinstance(tool.get("description"), str) and not tool.get("defer_loading"):
            yield f"tools[{n}].description", tool, "description"
    yield from _texts("system[0].text", "system", request, "system[{}].text")
    for n, said in enumerate(request["messages"]):
        if said["role"] == "user":
            path = f"messages[{n}].content"
            yield from _texts(path, "content", said, path + "[{}]")


def _texts(path: str, name: str, holder: Json, each: str) -> Iterator[tuple[str, Json, str]]:
    found = holder.get(name)
    if isinstance(found, str):
        yield path, holder, name
    for n, block in enumerate(found if isinstance(found, list) else []):
        if block.get("type") == "text":
            yield each.format(n), block, "text"


def fault(request: Json, kind: str, dice: random.Random) -> Fault | None:
    """Put a fault of a kind at a random place; None where the request has no place for it."""
    first = marked(request)
    pair = [first, grown(first)]
    if kind == "tools in another order":
        return _other_order(pair, dice)
    found = [p for p in places(pair[0]) if len(p[1][p[2]]) > 20]
    if not found:
        return None
    layers = sorted({path.partition("[")[0] for path, _, _ in found})
    layer = dice.choice(layers)
    path = dice.choice([path for path, _, _ in found if path.startswith(layer)])
    change = _edit if kind == "edited text" else _insert
    return change(pair, path, kind, dice)


def _insert(pair: list[Json], path: str, kind: str, dice: random.Random) -> Fault:
    values = VALUES[kind](dice)
    wrap = dice.choice(_WRAPS if kind != "random-order (items)" else ("\n{}\n",))
    share, offset = dice.random(), None
    for request, value in zip(pair, values, strict=True):
        where = {p: (holder, name) for p, holder, name in places(request)}
        holder, name = where[path]
        said = holder[name]
        spaces = [m.start() for m in re.finditer(r"\s", said)]
        options = [0, len(said), *spaces * 3]
        at = options[int(share * len(options))]
        shown = f" {wrap} "
        holder[name] = said[:at] + shown.format(value) + said[at:]
        offset = at + shown.index("{}")
    return Fault(pair, path, offset, kind.partition(" (")[0])


def _edit(pair: list[Json], path: str, kind: str, dice: random.Random) -> Fault | None:
    holder, name = {p: (holder, name) for p, holder, name in places(pair[1])}[path]
    found = list(_word.finditer(holder[name]))
    if not found:
        return None
    word = dice.choice(found)
    new = next(e for e in dice.sample(_EDITS, 2) if e != word.group())
    holder[name] = holder[name][: word.start()] + new + holder[name][word.end() :]
    cause = {"tools": "definition-changed", "system": "text-edited", "messages": "history-rewritten"}
    return Fault(pair, path, word.start(), cause[path.partition("[")[0]])


def _other_order(pair: list[Json], dice: random.Random) -> Fault | None:
    tools = pair[1].get("tools") or []
    shown = [n for n, tool in enumerate(tools) if not tool.get("defer_loading")]
    if len(shown) < 2:
        return None
    at = dice.choice(shown[:-1])
    tools[at], tools[shown[-1]] = tools[shown[-1]], tools[at]
    return Fault(pair, f"tools[{at}]", 0, "random-order")


def read(folder: Path, runs: dict[str, list[Json]]) -> dict[str, list[Json]]:
    """The tables `breaks`, `windows` and `prefixes` of some runs, as the reader writes them."""
    lines = [
        {
            "run_id": run,
            "task": run,
            "timestamp": f"2026-07-01T00:00:{n % 60:02d}Z",
            "request": request,
            "response": message(f"msg_{run}_{n}", content=[text("…")]),
        }
        for run, requests in runs.items()
        for n, request in enumerate(requests)
    ]
    rows = Rows()
    messages_api.read(LogFile(str(write(folder / "runs.jsonl", *lines))), rows)
    names = [copied.run_id for copied in rows.copies]
    tables: dict[str, list[Any]] = {
        "breaks": [*rows.breaks],
        "windows": [*rows.windows],
        "prefixes": [*rows.prefixes],
    }
    return {
        name: [row._asdict() | {"run_id": names[row.copy]} for row in table] for name, table in tables.items()
    }


def found_of(folder: Path, faults: list[Fault]) -> list[Json | None]:
    """Where each of the faults is said to break its prompt."""
    told = read(folder, {f"run {n}": fault.requests for n, fault in enumerate(faults)})["breaks"]
    first = {row["run_id"]: row for row in told if row["is_first"] and not row["across_runs"]}
    return [first.get(f"run {n}") for n in range(len(faults))]
