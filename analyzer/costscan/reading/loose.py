"""JSON as damaged logs hold it: read as far as it can be, never an exception.

Allowed are control characters in strings, NaN and Infinity; a number of too many digits is infinite.
"""

import json
import re
from typing import Any, Final

MAX_OBJECT_STARTS: Final = 50
_MAX_DIGITS: Final = 400

_bad_escape = re.compile(r'\\(?:u(?![0-9a-fA-F]{4})|(?![\\/"bfnrtu]))')
_object_start = re.compile(r'\{\s*"(?:type|parentUuid|uuid|sessionId|session_id|request|timestamp|run_id)"')
_between = re.compile(r"[\s,]*(?:\]\s*$)?")
_document = re.compile(rb'\s*(?:\[\s*\{|\{[ \t\r]*\n\s*")')
_AROUND: Final = b" \t\r\n\x00\xef\xbb\xbf"


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


decoder: Final = json.JSONDecoder(strict=False, parse_int=_integer)


def value(raw: bytes | str) -> Any:
    """Give the JSON value `raw` is, or None when it is none."""
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
        return decoder.decode(text)
    except (ValueError, RecursionError):
        return None


def mapping(raw: bytes | str) -> dict[str, Any] | None:
    """Give the JSON object `raw` is, or None when it is none."""
    found = value(raw) if raw else None
    return found if isinstance(found, dict) else None


def text_of(raw: bytes) -> str:
    """Give bytes as text, without byte order marks and NULs."""
    return raw.strip(_AROUND).decode("utf-8", "replace").replace("\x00", "")


def is_document(head: bytes) -> bool:
    """Say whether a file is one JSON list, or objects written over several lines, rather than lines."""
    start = head.lstrip(_AROUND)
    if _document.match(start) is None:
        return False
    _, problem, _ = _all(start.split(b"\n", 1)[0].decode("utf-8", "replace"))
    return bool(problem)


def objects(text: str) -> tuple[list[dict[str, Any]], str]:
    """Give the JSON objects in a text and, when not all of it could be read, what was wrong with it.

    Lists give the objects in them. Broken escapes are repaired; after what cannot be read, the next object
    that begins as log lines do is taken.
    """
    found, problem, rest = _all(text)
    if not problem:
        return found, ""
    repaired, still, _ = _all(_bad_escape.sub(r"\\\\", rest))
    if not still and repaired:
        return found + repaired, "broken escapes, repaired"
    starts = (m.start() for m in _object_start.finditer(rest, 1))
    for _, start in zip(range(MAX_OBJECT_STARTS), starts, strict=False):
        tail, bad, _ = _all(rest[start:])
        if not bad and tail:
            return found + tail, f"{problem}; read again from character {len(text) - len(rest) + start + 1}"
    return found, problem


def _all(text: str) -> tuple[list[dict[str, Any]], str, str]:
    """Give the objects up to the first damage, what that is, and the text from there on."""
    found: list[dict[str, Any]] = []
    at, end = 0, len(text)
    while True:
        at = _past_separators(text, at)
        if at >= end:
            return found, "", ""
        try:
            one, stop = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            if text[at] == "[" and _past_separators(text, at + 1) < end:
                at += 1
                continue
            return found, f"not JSON: {error.msg} at character {error.pos + 1}", text[at:]
        except RecursionError:
            return found, "not JSON that can be read: nested too deeply", text[at:]
        inside = (
            [one]
            if isinstance(one, dict)
            else [o for o in one if isinstance(o, dict)]
            if isinstance(one, list)
            else []
        )
        if not inside and not found:
            return found, f"not a JSON object but {_kind(one)}", ""
        found.extend(inside)
        at = stop


def _past_separators(text: str, at: int) -> int:
    match = _between.match(text, at)
    return match.end() if match is not None else at


def _kind(one: object) -> str:
    names = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(one), "a number")
