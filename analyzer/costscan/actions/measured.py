"""What trials measured: how often the model that calls would go to answers as the one that served them."""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from costscan.levers.catalogue import MEASURED


class Moved(NamedTuple):
    """Calls that routing moves together: their task and agent type, why they go, and the model they go to."""

    task: str
    agent: str | None
    evidence: str | None
    to_model: str


class Measured(NamedTuple):
    """How often answers agree with the recorded ones.

    Attributes:
        agreement: the share of the compared calls that do.
        low: the least it may be, within the confidence of the trial.
        high: the most it may be.
        itself: the share of its own recorded answers that the model which served them gives again; None where
            it was not asked.
        calls: how many calls were compared.
    """

    agreement: float
    low: float
    high: float
    itself: float | None
    calls: int

    @property
    def risk(self) -> str:
        """What stands as the risk of an action: "measured: 91% (86 to 94), itself 94%"."""
        beside = "" if self.itself is None else f", itself {self.itself:.0%}"
        return f"{MEASURED}{self.agreement:.0%} ({self.low * 100:.0f} to {self.high * 100:.0f}){beside}"

    @property
    def escalated(self) -> tuple[float, float, float]:
        """The share of calls that are made again, as measured, at least and at most."""
        return 1 - self.agreement, 1 - self.high, 1 - self.low


Measurements: TypeAlias = Mapping[Moved, Measured]
"""What trials measured, by the calls that it holds for."""

__all__ = ["Measured", "Measurements", "Moved"]
