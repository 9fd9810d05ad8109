"""What the models of this world cost and cache, typed from the public documentation, as of July 2026."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

OPUS45, OPUS48 = "claude-opus-4-5", "claude-opus-4-8"
SONNET46, HAIKU45 = "claude-sonnet-4-6", "claude-haiku-4-5"
SONNET5 = "claude-sonnet-5"


@dataclass(frozen=True)
class Model:
    """A model.

    Attributes:
        usd_per_mtok: of plain input, written for 5 minutes, written for an hour, read, and output.
        least: the shortest prefix that is cached.
        auto: what tool use adds to a prompt where the model may choose, `forced` where it must call a tool.
        picture: the most tokens that a picture takes.
        ratio: how many tokens its tokenizer makes of what older ones make one of.
        keeps_thinking: thinking of earlier turns stays in the prompt when a person writes.
    """

    usd_per_mtok: tuple[str, str, str, str, str]
    least: int
    auto: int
    forced: int
    picture: int
    ratio: float
    keeps_thinking: bool = True

    @property
    def usd(self) -> tuple[Decimal, ...]:
        """Dollars a token, in the order of `usd_per_mtok`."""
        return tuple(Decimal(price) / 10**6 for price in self.usd_per_mtok)


NEWER: Final = 1.3
MODELS: Final = {
    OPUS48: Model(("5", "6.25", "10", "0.5", "25"), 1024, 290, 410, 4784, NEWER),
    SONNET5: Model(("2", "2.5", "4", "0.2", "10"), 1024, 354, 474, 4784, NEWER),
    OPUS45: Model(("5", "6.25", "10", "0.5", "25"), 4096, 496, 588, 1568, 1),
    SONNET46: Model(("3", "3.75", "6", "0.3", "15"), 1024, 497, 589, 1568, 1),
    HAIKU45: Model(("1", "1.25", "2", "0.1", "5"), 4096, 496, 588, 1568, 1, keeps_thinking=False),
}
