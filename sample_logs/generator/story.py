"""What a story hands over: its files and the runs they record."""

import importlib
import pkgutil
from dataclasses import dataclass
from decimal import Decimal

from generator import prices, stories
from generator.billing import Usage
from generator.run import Run


@dataclass(frozen=True)
class Story:
    """Log files by path below the story's folder."""

    files: dict[str, str]
    runs: list[Run]
    side: dict[str, Usage] | None = None
    """Requests that only a recorded total counts, by model."""

    @property
    def turns(self) -> int:
        """Billed requests that the log shows."""
        return sum(len(run.turns) for run in self.runs)

    @property
    def usd(self) -> Decimal:
        """List price of all requests."""
        seen = (prices.cost(run.setup.model, turn.usage) for run in self.runs for turn in run.turns)
        unseen = (prices.cost(model, usage) for model, usage in (self.side or {}).items())
        return sum(seen, Decimal(0)) + sum(unseen, Decimal(0))


def tell_all() -> dict[str, Story]:
    """Every story of `stories/`, by the name of its folder."""
    told: dict[str, Story] = {}
    for module in sorted(pkgutil.iter_modules(stories.__path__), key=lambda module: module.name):
        tell = importlib.import_module(f"generator.stories.{module.name}").tell
        told[module.name.replace("_", "-")] = tell()
    return told
