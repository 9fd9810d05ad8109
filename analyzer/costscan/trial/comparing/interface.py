"""What a comparison of two answers is, and what it finds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from costscan.trial.recorded import Answer


class Compared(NamedTuple):
    """Whether an answer agrees with the recorded one, None where nobody can say; `why` says what differs."""

    agrees: bool | None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of answers, by the recorded one.

    Attributes:
        name: as in `trial.parquet`.
        fits: whether a recorded answer is of this kind.
        compare: compares the recorded answer and another one; None where only a judge can.
    """

    name: str
    fits: Callable[[Answer], bool]
    compare: Callable[[Answer, Answer], Compared] | None


def text_of(answer: Answer) -> str:
    """Return what an answer says, without what the model thought."""
    texts = (block.get("text") for block in answer.content if block.get("type") == "text")
    return "".join(text for text in texts if isinstance(text, str)).strip()


__all__ = ["Compared", "Kind", "text_of"]
