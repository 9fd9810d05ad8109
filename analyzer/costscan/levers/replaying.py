"""Who needs replays asks for them: a generator yields plans and is sent their outcomes.

So each scenario is written as if it were alone, and plans of many scenarios are replayed in one pass.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import polars as pl

from costscan.levers.plan import Plan

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """A plan that was replayed.

    Attributes:
        plan: the plan.
        turns: its turns with token classes, unit prices and costs.
        runs: the sums by run.
    """

    plan: Plan
    turns: pl.DataFrame
    runs: pl.DataFrame


Replaying: TypeAlias = Generator[Sequence[Plan], Sequence[Outcome], T]
"""Work that waits for replays, and what it gives in the end."""


def replay(plan: Plan) -> Replaying[Outcome]:
    """Ask for the replay of one plan."""
    (outcome,) = yield [plan]
    return outcome


def ready(value: T) -> Replaying[T]:
    """Give a value without a replay."""
    yield from ()
    return value


__all__ = ["Outcome", "Replaying", "ready", "replay"]
