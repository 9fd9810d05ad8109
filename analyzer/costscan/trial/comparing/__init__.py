"""Comparisons of an answer with the recorded one, a file for each kind of answers."""

from typing import Final

from costscan.trial.comparing import json_value, label, text, tool_calls
from costscan.trial.comparing.interface import Compared, Kind, text_of
from costscan.trial.comparing.tool_calls import calls_of
from costscan.trial.recorded import Answer

KINDS: Final = (tool_calls.KIND, json_value.KIND, label.KIND, text.KIND)
"""The first that fits the recorded answer counts."""
_WHOLE: Final = ("end_turn", "stop_sequence", "tool_use", None)


def kind_of(recorded: Answer) -> Kind | None:
    """Return how an answer is compared; None where it is not whole, or says nothing."""
    if recorded.stop_reason not in _WHOLE:
        return None
    return next((kind for kind in KINDS if kind.fits(recorded)), None)


def compared(kind: Kind, recorded: Answer, other: Answer) -> Compared:
    """Compare an answer with the recorded one, as far as that needs no judge."""
    if other.stop_reason == "refusal":
        return Compared(agrees=False, why="refused")
    if kind.compare is not None:
        return kind.compare(recorded, other)
    if calls_of(other):
        return Compared(agrees=False, why="a tool call instead of a text")
    if not text_of(other):
        return Compared(agrees=False, why="no text")
    if text_of(other) == text_of(recorded):
        return Compared(agrees=True)
    return Compared(agrees=None, why="no judge")


__all__ = ["KINDS", "Compared", "Kind", "compared", "kind_of", "text_of"]
