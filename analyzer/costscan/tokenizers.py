"""The families of tokenizers, and what text comes to in each: `tokenizers.toml`, checked and typed."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

_DATA: Final = Path(__file__).with_name("tokenizers.toml")


class TextWeights(NamedTuple):
    """Tokens for one of each thing that is counted in a text."""

    plain: float
    space: float
    line: float
    start: float
    beyond: float
    number_after_mark: float
    number_after_letter: float


class Starts(NamedTuple):
    """What the beginning of each counts for, relative to the others."""

    capitals: int
    marks: int
    numbers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerFamily:
    """What text, pictures and documents come to; the figures are explained in `tokenizers.toml`."""

    name: str
    weights: TextWeights
    starts: Starts
    chars_per_token: float
    relative_length: float
    result_tokens: int
    call_tokens: int
    image_side_px: int
    image_tokens: int
    unknown_image_tokens: int
    scanned_page_tokens: int
    text_page_tokens: int

    @property
    def other(self) -> "TokenizerFamily":
        """The family that text is counted in as well, where another model is tried."""
        return SECOND if self is FIRST else FIRST

    @property
    def other_ratio(self) -> float:
        """How many times as long text that is not in the log is in the other family."""
        return self.other.relative_length / self.relative_length


def _family(name: str, told: Mapping[str, Any]) -> TokenizerFamily:
    own = {"weights": TextWeights(**told["weights"]), "starts": Starts(**told["starts"])}
    return TokenizerFamily(name=name, **{**told, **own})


_TABLE: Final = tomllib.loads(_DATA.read_text("utf-8"))
FAMILIES: Final = {name: _family(name, told) for name, told in _TABLE["families"].items()}
"""Every family by its name."""
FIRST, SECOND = FAMILIES.values()
"""All text is weighed for both families, so that a model of the other one can be tried."""
UNKNOWN: Final = FAMILIES[_TABLE["unknown"]]
"""The family that a model is taken to be of where that is not known."""


def family(name: str | None) -> TokenizerFamily:
    """Return the family of this name, `UNKNOWN` where there is none such."""
    return FAMILIES.get(name or "", UNKNOWN)
