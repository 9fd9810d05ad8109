"""Parts of the scenarios, each worked out on its own: one that raises has no figures, and a reason."""

from collections.abc import Callable
from typing import TypeVar

from costscan.defects import described
from costscan.levers.replaying import Replaying
from costscan.native import CAUGHT

T = TypeVar("T")
U = TypeVar("U")


class Guard:
    """What could not be worked out, and why.

    Attributes:
        reasons: by scenario, or by what else has no figures.
    """

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    def of(self, name: str, make: Callable[[], T], otherwise: T, *, part: str = "") -> T:
        """Return what `make` gives, or `otherwise` where it raises; the reason is kept under `name`.

        Args:
            name: the scenario.
            make: works something out.
            otherwise: what stands for it.
            part: what of the scenario it is, where its figures are there without it.
        """
        try:
            return make()
        except CAUGHT as error:
            prefix = f"without {part}: " if part else ""
            self.reasons.setdefault(name, prefix + described(error))
            return otherwise

    def work(self, name: str, make: Callable[[], Replaying[T]], otherwise: U) -> Replaying[T | U]:
        """Do work that waits for replays, as `of` does what does not."""
        try:
            return (yield from make())
        except CAUGHT as error:
            self.reasons.setdefault(name, described(error))
            return otherwise

    def without(self, name: str, part: str) -> None:
        """Say of a scenario that it was worked out without a part that could not be."""
        reason = self.reasons.get(name)
        why = f"without {part}: {self.reasons[part]}"
        self.reasons[name] = f"{reason}; {why}" if reason else why


__all__ = ["Guard"]
