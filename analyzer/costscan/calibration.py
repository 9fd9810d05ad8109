"""What was counted of how far offline estimates are off: factors for them, ratios between the families.

`costscan calibrate` writes it, the settings find and read it, attribution takes it. Without one, estimates
stay as the weights of `tokenizers.toml` have them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

FILE_NAME: Final = "calibration.toml"
VERSION: Final = 1
KINDS: Final = ("text", "system", "tool_use", "tool_result", "tool_def")
"""Kinds of blocks that are counted; what pictures, documents and thoughts take is no matter of text alone."""
MOST: Final = 10.0
"""No text is so many times as long as its estimate, or so many times shorter: such a factor is damage."""


class Interval(NamedTuple):
    """A measured figure, the ends of its 95 % interval, and how many blocks it rests on."""

    value: float
    low: float
    high: float
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A calibration.

    Attributes:
        file: where it stands, as it is shown.
        day: when it was counted.
        samples: how many blocks were counted.
        models: the model that counted, by tokenizer family.
        factors: by family and kind of block, how many times its estimate the text of a block is.
        ratios: by kind of block, how many times as long it is in the second family.
        spreads: by kind of block, by what share nine of ten texts are off at most, when their tokens in one
            family are worked out from those in the other.
    """

    file: str
    day: date
    samples: int
    models: Mapping[str, str]
    factors: Mapping[str, Mapping[str, Interval]]
    ratios: Mapping[str, Interval] = field(default_factory=dict)
    spreads: Mapping[str, float] = field(default_factory=dict)

    def factors_of(self, family: str) -> dict[str, float]:
        """Return the factors of a family by kind of block; a kind that is not there stays as it is."""
        return {kind: measured.value for kind, measured in self.factors.get(family, {}).items()}


__all__ = ["FILE_NAME", "KINDS", "MOST", "VERSION", "Calibration", "Interval"]
