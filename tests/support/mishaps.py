"""What breaks the prefix of agent loops: a value that varies, an order that is not kept; and the same loops mended."""

import json
import random
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from logs import Json, text
from workloads import SECOND, START, WORDS, Call, Calls

VALUES: Final = ("timestamp", "date", "uuid", "hex-id", "counter", "record-id", "number", "path")
PLACES: Final = ("system[0].text", "tools[2].description", "messages[0].content[0]")
ORDERS: Final = ("tools", "schema", "json", "spaces")
Mark = Callable[[Calls], Calls]


@dataclass(frozen=True)
class Mishap:
    """Unmarked calls with something in their prompts that is another with each call, and without.

    Attributes:
        before: the calls.
        sound: the same without what varies.
        values: what stands behind everything in the mended calls.
        path: where it stands before, `offset` the character at which it begins.
        cause: what it is.
    """

    before: Calls
    sound: Calls
    values: list[str]
    path: str
    offset: int
    cause: str

    def mended(self, mark: Mark) -> Calls:
        """The calls marked, each with its value behind the last mark, in that call only."""
        found = mark(self.sound)
        return [behind(call, v) for call, v in zip(found, self.values, strict=True)] if self.values else found


def behind(call: Call, said: str) -> Call:
    """Put a text behind everything, in the newest message."""
    *messages, newest = call.request["messages"]
    return call.told(messages=[*messages, newest | {"content": [*newest["content"], text(said)]}])


def value(kind: str, n: int, dice: random.Random) -> str:
    """A value of a kind that is another with each `n`."""
    at = START + timedelta(seconds=37 * n, microseconds=dice.randrange(SECOND))
    number = 10_000 + 7919 * n % 89_989
    shown: dict[str, Callable[[], str]] = {
        "timestamp": lambda: at.isoformat(timespec="milliseconds"),
        "date": lambda: (START + timedelta(days=n)).strftime("%Y-%m-%d"),
        "uuid": lambda: str(uuid.UUID(int=dice.getrandbits(128), version=4)),
        "hex-id": lambda: f"a7{dice.getrandbits(56):014x}",
        "counter": lambda: str(n),
        "record-id": lambda: f"INV-{number}",
        "number": lambda: str(number),
        "path": lambda: f"/srv/run-{number}/out.log",
    }
    return shown[kind]()


def varying(calls: Calls, kind: str, path: str, *, per_run: bool = False) -> Mishap:
    """Put a value in the middle of a text, another with each call, or with each run."""
    dice = random.Random(kind + path)
    of_run: dict[str, str] = {}
    values = [value(kind, n, dice) for n in range(len(calls))]
    if per_run:
        values = [of_run.setdefault(call.run, v) for call, v in zip(calls, values, strict=True)]
    before = [call.told(**_inserted(call.request, path, v)[0]) for call, v in zip(calls, values, strict=True)]
    sound = [call.told(**_inserted(call.request, path, "")[0]) for call in calls]
    return Mishap(before, sound, values, path, _inserted(calls[0].request, path, "")[1], kind)


def _inserted(request: Json, path: str, shown: str) -> tuple[Json, int]:
    """What of a request is another with a value in the text at a path; where the value begins."""
    if path.startswith("tools"):
        tools = request["tools"]
        said, at = _amid(tools[2]["description"], shown)
        return {"tools": [*tools[:2], tools[2] | {"description": said}, *tools[3:]]}, at
    if path.startswith("system"):
        said, at = _amid(request["system"][0]["text"], shown)
        return {"system": [text(said)]}, at
    first, *rest = request["messages"]
    said, at = _amid(first["content"][0]["text"], shown)
    return {"messages": [first | {"content": [text(said), *first["content"][1:]]}, *rest]}, at


def _amid(said: str, shown: str, part: int = 2) -> tuple[str, int]:
    middle = said.index(" ", len(said) // part) + 1
    return f"{said[:middle]}(as of {shown} ) {said[middle:]}", middle + len("(as of ")


def disordered(calls: Calls, what: str) -> Mishap:
    """Send tools, the keys of a schema or of JSON in the system prompt in another order, or it with other spaces."""
    dice = random.Random(what)
    known = {f"{word}_{n}": dice.choice(WORDS) for n, word in enumerate(dice.sample(WORDS, 12))}
    sound = [call.told(**_with_order(call.request, what, known, 0)[0]) for call in calls]
    found = [_with_order(call.request, what, known, n) for n, call in enumerate(calls)]
    before = [call.told(**request) for call, (request, _) in zip(calls, found, strict=True)]
    path = {"tools": "tools[0]", "schema": "tools[2].input_schema"}.get(what, "system[0].text")
    cause = "serialization" if what == "spaces" else "random-order"
    return Mishap(before, sound, [], path, found[0][1], cause)


def _with_order(request: Json, what: str, known: dict[str, str], by: int) -> tuple[Json, int]:
    """What of a request is another with something turned by some places; where that begins."""
    if what == "tools":
        return {"tools": turned(request["tools"], by)}, 0
    if what == "schema":
        tools = request["tools"]
        schema = tools[2]["input_schema"]
        new = schema | {"properties": dict(turned(schema["properties"].items(), by))}
        at = json.dumps(new).index('{"', 2)
        return {"tools": [*tools[:2], tools[2] | {"input_schema": new}, *tools[3:]]}, at
    tight = (",", ":") if what == "spaces" and by % 2 else None
    shown = json.dumps(dict(turned(known.items(), by)) if what == "json" else known, separators=tight)
    said, at = _amid(request["system"][0]["text"], shown, 4)
    return {"system": [text(said)]}, at


def turned(items: Iterable[Any], by: int) -> list[Any]:
    """The items with the first ones behind the others."""
    found = list(items)
    return found[by % len(found) :] + found[: by % len(found)]
