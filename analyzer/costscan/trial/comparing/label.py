"""Labels: a line of a few words, the same to the letter; space around it does not count."""

from typing import Final

from costscan.trial.comparing.interface import Compared, Kind, text_of
from costscan.trial.recorded import Answer

MOST_WORDS, MOST_CHARS = 4, 60
"""A label has at most so many words and characters."""
_ENDS: Final = ("end_turn", "stop_sequence", None)


def is_label(answer: Answer) -> bool:
    """Whether an answer is a label."""
    text = text_of(answer)
    return 0 < len(text) <= MOST_CHARS and "\n" not in text and len(text.split()) <= MOST_WORDS


def compare(recorded: Answer, other: Answer) -> Compared:
    """Compare two labels."""
    agrees = text_of(recorded) == text_of(other) and other.stop_reason in _ENDS
    return Compared(agrees, None if agrees else "another label")


KIND = Kind("label", is_label, compare)

__all__ = ["KIND", "MOST_CHARS", "MOST_WORDS", "compare", "is_label"]
