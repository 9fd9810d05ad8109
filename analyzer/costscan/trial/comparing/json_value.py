"""JSON, in a fence of Markdown or not: the same value."""

import json
import re
from typing import Any, Final

from costscan.trial.comparing.canonical import canonical
from costscan.trial.comparing.interface import Compared, Kind, text_of
from costscan.trial.recorded import Answer

_FENCE: Final = re.compile(r"\A```[A-Za-z]*\n(.*)\n?```\Z", re.DOTALL)
_MISSING: Final = object()


def value_of(answer: Answer) -> Any:
    """Return the JSON object or array that an answer is, `_MISSING` where it is none."""
    text = text_of(answer)
    fenced = _FENCE.match(text)
    try:
        value = json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError):
        return _MISSING
    return value if isinstance(value, dict | list) else _MISSING


def compare(recorded: Answer, other: Answer) -> Compared:
    """Compare the values of two answers."""
    own, its = value_of(recorded), value_of(other)
    if its is _MISSING:
        return Compared(agrees=False, why="no JSON")
    try:
        agrees = canonical(own) == canonical(its)
    except RecursionError:
        return Compared(agrees=None, why="JSON nested too deep")
    return Compared(agrees, None if agrees else _difference(own, its))


def _difference(own: Any, its: Any) -> str:
    """Return what differs, in words that hold nothing of the values."""
    if isinstance(own, dict) and isinstance(its, dict):
        if own.keys() != its.keys():
            return "other fields"
        differ = sum(canonical(own[name]) != canonical(its[name]) for name in own)
        return f"{differ} of {len(own)} fields differ"
    return "another value"


KIND = Kind("json", lambda answer: value_of(answer) is not _MISSING, compare)

__all__ = ["KIND", "compare", "value_of"]
