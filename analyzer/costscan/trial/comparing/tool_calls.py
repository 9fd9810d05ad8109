"""Tool calls: the same tools with the same arguments, in any order; texts beside them do not count."""

from collections import Counter
from typing import Any

from costscan.trial.comparing.canonical import Canonical, canonical
from costscan.trial.comparing.interface import Compared, Kind
from costscan.trial.recorded import Answer


def calls_of(answer: Answer) -> list[dict[str, Any]]:
    """Return the tool calls of an answer."""
    return [block for block in answer.content if block.get("type") == "tool_use"]


def compare(recorded: Answer, other: Answer) -> Compared:
    """Compare the tool calls of two answers, by name and canonical arguments."""
    own, its = calls_of(recorded), calls_of(other)
    if not its:
        return Compared(agrees=False, why="no tool call")
    if Counter(str(one.get("name")) for one in own) != Counter(str(one.get("name")) for one in its):
        return Compared(agrees=False, why="other tools")
    try:
        agrees = Counter(map(_key, own)) == Counter(map(_key, its))
    except RecursionError:
        return Compared(agrees=None, why="arguments nested too deep")
    return Compared(agrees, None if agrees else "other arguments")


def _key(call: dict[str, Any]) -> tuple[str, Canonical]:
    return str(call.get("name")), canonical(call.get("input"))


KIND = Kind("tool_calls", lambda answer: bool(calls_of(answer)), compare)

__all__ = ["KIND", "calls_of", "compare"]
