"""JSON as damaged logs hold it: read as far as it can be, never an exception.

Allowed are control characters in strings, NaN and Infinity; a number of too many digits is infinite. What is
whole is decoded by msgspec, several times as fast; what that refuses, by Python.
"""

import json
import re
from typing import Any, Final, NamedTuple

import msgspec

MAX_OBJECT_STARTS: Final = 2000
_LINE_KEYS: Final = frozenset({"message", "request", "response", "sessionId", "session_id", "result", "data"})
_MAX_DIGITS: Final = 400

_escape = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})?')
_object_start = re.compile(r'\{\s*"(?:type|parentUuid|uuid|sessionId|session_id|request|timestamp|run_id)"')
_between = re.compile(r"[\s,]*(?:\]\s*$)?")
_document = re.compile(rb'\s*(?:\[\s*\{|\{[ \t\r]*\n\s*")')
_AROUND: Final = b" \t\r\n\x00\xef\xbb\xbf"


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


decoder: Final = json.JSONDecoder(strict=False, parse_int=_integer)
_strict: Final = msgspec.json.Decoder()
_REFUSED: Final = (msgspec.MsgspecError, ValueError, RecursionError)


def value(raw: bytes | str) -> Any:
    """Return the JSON value `raw` is, or None when it is none."""
    try:
        return _strict.decode(raw)
    except _REFUSED:
        pass
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
        return decoder.decode(text)
    except (ValueError, RecursionError):
        return None


def mapping(raw: bytes | str) -> dict[str, Any] | None:
    """Return the JSON object `raw` is, or None when it is none."""
    parsed = value(raw) if raw else None
    return parsed if isinstance(parsed, dict) else None


def text_of(raw: bytes) -> str:
    """Return bytes as text, without byte order marks and NULs."""
    return raw.strip(_AROUND).decode("utf-8", "replace").replace("\x00", "")


def is_document(head: bytes) -> bool:
    """Whether a file is one JSON list, or objects written over several lines, rather than lines."""
    start = head.lstrip(_AROUND)
    if _document.match(start) is None:
        return False
    first = start.split(b"\n", 1)[0].decode("utf-8", "replace")
    return not _whole(first) and bool(_from(first, 0)[1])


def is_object_document(head: bytes) -> bool:
    """Whether a file is a document that begins with an object rather than a list."""
    return is_document(head) and head.lstrip(_AROUND).startswith(b"{")


class Parsed(NamedTuple):
    """The JSON objects of a text, what was wrong with the rest, and the pieces that could not be read."""

    objects: list[dict[str, Any]]
    problem: str
    damaged: list[str]


def objects(text: str) -> Parsed:
    """Return the JSON objects in a text. Lists give the objects in them.

    Broken escapes are repaired; after what cannot be read, the next object that is a log line is taken.
    """
    parsed, problem, at = _from(text, 0)
    if not problem:
        return Parsed(parsed, "", [])
    repaired, still, _ = _from(_escape.sub(_mended, text[at:]), 0)
    if not still and repaired:
        return Parsed(parsed + repaired, "broken escapes, repaired", [])
    damaged: list[str] = []
    look = at
    for _ in range(MAX_OBJECT_STARTS):
        start = _object_start.search(text, look + 1)
        if start is None:
            break
        look = start.start()
        more, bad, stop = _from(text, look)
        lines = [o for o in more if not _LINE_KEYS.isdisjoint(o)]
        if lines:
            damaged.append(text[at:look])
            parsed.extend(lines)
            at = look = stop
        if not bad:
            break
    return Parsed(parsed, problem, [*damaged, text[at:]] if at < len(text) else damaged)


def _whole(text: str) -> list[dict[str, Any]]:
    """Return the objects of a text that is one value of strict JSON, none where it is not or has none."""
    try:
        return _objects_in(_strict.decode(text))
    except _REFUSED:
        return []


def document(text: str) -> Parsed:
    """Return the objects in a text that mostly is one value of strict JSON, as `objects` does."""
    return Parsed(whole, "", []) if (whole := _whole(text)) else objects(text)


def _mended(escape: re.Match[str]) -> str:
    """Return an escape as it is, and a backslash that begins none as one that stands for itself."""
    return escape[0] if len(escape[0]) > 1 else r"\\"


def _from(text: str, at: int) -> tuple[list[dict[str, Any]], str, int]:
    """Return the objects from `at` up to the first damage, what that is, and where it is."""
    parsed: list[dict[str, Any]] = []
    end = len(text)
    while (at := _past_separators(text, at)) < end:
        try:
            one, stop = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            if text[at] == "[" and _past_separators(text, at + 1) < end:
                at += 1
                continue
            return parsed, f"not JSON: {error.msg} at character {error.pos + 1}", at
        except RecursionError:
            return parsed, "not JSON that can be read: nested too deeply", at
        inside = _objects_in(one)
        if not inside and not parsed:
            return parsed, f"not a JSON object but {_kind(one)}", at
        parsed.extend(inside)
        at = stop
    return parsed, "", end


def _objects_in(one: object) -> list[dict[str, Any]]:
    if isinstance(one, dict):
        return [one]
    return [item for item in one if isinstance(item, dict)] if isinstance(one, list) else []


def _past_separators(text: str, at: int) -> int:
    match = _between.match(text, at)
    return match.end() if match is not None else at


def _kind(one: object) -> str:
    names = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(one), "a number")
