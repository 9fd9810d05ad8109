"""Structural changes of log lines, at places chosen by dice: lost keys, other types, torn and repeated lines."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, nan
from random import Random
from typing import Any, Final

Json = Any
Slot = tuple[Any, Any]
"""A container and the key, or the index, of what is changed in it."""
DEEP: Final = 200
STOP: Final = 0.25
"""How often the walk to a place ends at a container instead of going into it."""
_event = re.compile(r"^data:\s*(\{.*\})\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """Lines, one of which was changed: how, at which path, and which of the lines before they no longer are."""

    kind: str
    path: str
    lines: tuple[bytes, ...]
    touched: frozenset[int]


def _nested(depth: int) -> Json:
    value: Json = "deep"
    for n in range(depth):
        value = [value] if n % 2 else {"content": value}
    return value


def _values(salt: str) -> dict[str, Json]:
    """What may stand where something else stood; words have a salt, so that no two logs share an id by it."""
    return {
        "null": None,
        "list": ["x", 7, None, {"type": ["text"]}],
        "dict": {"type": {"type": "text"}, "x": [1]},
        "empty list": [],
        "empty dict": {},
        "string": f"word-{salt}",
        "empty string": "",
        "number as string": "12",
        "number": 7,
        "zero": 0,
        "negative": -5,
        "float": 0.5,
        "huge": 10**15,
        "beyond 64 bits": 10**30,
        "not a number": nan,
        "infinity": inf,
        "bool": True,
        "surrogates": f"\ud800{salt}\udfff",
        "deep": _nested(DEEP),
        "odd digits": f"2.1.²-{salt}",
        "long ago": "0001-01-01T00:00:00Z",
        "far ahead": "9999-12-31T23:59:59.999Z",
    }


def _set(slot: Slot, value: Json) -> None:
    container, key = slot
    container[key] = value


def _delete(slot: Slot) -> None:
    container, key = slot
    del container[key]


def _rename(slot: Slot) -> None:
    container, key = slot
    if isinstance(container, dict):
        container[f"{key}_"] = container.pop(key)
    else:
        container.insert(0, container.pop(key))


def _in_capitals(slot: Slot) -> None:
    container, key = slot
    if isinstance(container, dict):
        container[key.upper()] = container.pop(key)
    else:
        container.reverse()


def _other_type(slot: Slot) -> None:
    value = slot[0][slot[1]]
    if isinstance(value, dict):
        _set(slot, list(value.values()))
    elif isinstance(value, list):
        _set(slot, {str(n): item for n, item in enumerate(value)})
    elif isinstance(value, str):
        _set(slot, len(value))
    else:
        _set(slot, json.dumps(value))


def _repeat(slot: Slot) -> None:
    container, key = slot
    if isinstance(container, list):
        container.insert(key, container[key])
    else:
        _set(slot, [container[key], container[key]])


SHAPES: Final[dict[str, Callable[[Slot], None]]] = {
    "delete": _delete,
    "rename": _rename,
    "rename to capitals": _in_capitals,
    "nest in list": lambda slot: _set(slot, [slot[0][slot[1]]]),
    "nest in dict": lambda slot: _set(slot, {"value": slot[0][slot[1]]}),
    "other type": _other_type,
    "repeat": _repeat,
}
FOREIGN: Final = (
    b"null",
    b"[]",
    b"7",
    b'"x"',
    b"{}",
    b'{"type":[]}',
    b'{"type":"assistant"}',
    b"[[[]]]",
    b"\xff\x00",
)
LINES: Final = ("repeat line", "swap lines", "truncate line", "glue lines", "foreign line")
KINDS: Final = (*_values(""), *SHAPES, *LINES)


def mutant(lines: Sequence[bytes], kind: str, dice: Random, salt: str, likely: Sequence[int]) -> Mutant:
    """Change one of some lines.

    Args:
        lines: of a log, JSON objects.
        kind: one of `KINDS`.
        dice: chooses the line and the place.
        salt: makes words that are put in those of one log.
        likely: the numbers of the lines that are changed more often than others.
    """
    at = dice.choice(likely) if likely and dice.random() < 0.7 else dice.randrange(len(lines))
    if kind in LINES:
        return _of_lines(list(lines), kind, at, dice)
    value = json.loads(lines[at])
    path = _changed(value, kind, dice, salt)
    changed = (*lines[:at], json.dumps(value).encode(), *lines[at + 1 :])
    return Mutant(kind, path, changed, frozenset({at}))


def _of_lines(lines: list[bytes], kind: str, at: int, dice: Random) -> Mutant:
    touched: set[int] = set()
    if kind == "repeat line":
        lines.insert(dice.randrange(len(lines) + 1), lines[at])
    elif kind == "swap lines":
        other = dice.randrange(len(lines))
        lines[at], lines[other], touched = lines[other], lines[at], {at, other}
    elif kind == "truncate line":
        lines[at], touched = lines[at][: dice.randrange(1, len(lines[at]))], {at}
    elif kind == "glue lines":
        lines[at : at + 2] = [b"".join(lines[at : at + 2])]
    else:
        lines.insert(at, dice.choice(FOREIGN))
    return Mutant(kind, f"line {at}", tuple(lines), frozenset(touched))


def _changed(value: Json, kind: str, dice: Random, salt: str) -> str:
    """Change a decoded line in place, and give the path of what was changed."""
    slot, path = _place(value, dice)
    inside = slot[0][slot[1]]
    if isinstance(inside, str) and (events := _events(inside)) and dice.random() < 0.9:
        path += _changed(events, kind, dice, salt)
        _set(slot, "".join(f"event: x\ndata: {json.dumps(event)}\n\n" for event in events))
    elif kind in SHAPES:
        SHAPES[kind](slot)
    else:
        _set(slot, _values(salt)[kind])
    return path


def _places(value: Json, path: str = "") -> Iterator[tuple[Slot, str]]:
    is_dict = isinstance(value, dict)
    for key, inside in value.items() if is_dict else enumerate(value):
        here = f"{path}.{key}" if is_dict else f"{path}[{key}]"
        yield (value, key), here
        if isinstance(inside, dict | list):
            yield from _places(inside, here)


def _events(text: str) -> list[Json]:
    """Return the server-sent events in a text."""
    return [json.loads(found) for found in _event.findall(text)]


def _place(value: Json, dice: Random) -> tuple[Slot, str]:
    """Choose a place: of all places one, or a walk down, which stays near the root more often."""
    if dice.random() < 0.5:
        return dice.choice(list(_places(value)))
    path = ""
    while True:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = dice.choice(keys)
        path += f".{key}" if isinstance(value, dict) else f"[{key}]"
        inside = value[key]
        if not isinstance(inside, dict | list) or not inside or dice.random() < STOP:
            return (value, key), path
        value = inside
