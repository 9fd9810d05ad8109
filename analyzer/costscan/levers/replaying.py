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


def winners(ways: Sequence[pl.DataFrame]) -> pl.Series:
    """Return, row by row, which way is cheapest for all runs of its group; of equal ones the first.

    Args:
        ways: turns or runs with group and pico_usd (of runs known_pico_usd), all in the same order.
    """
    cost = "known_pico_usd" if "known_pico_usd" in ways[0].columns else "pico_usd"
    each = (way.select(pl.col(cost).sum().over("group").alias(str(n))) for n, way in enumerate(ways))
    sums = pl.concat(each, how="horizontal")
    return sums.select(way=pl.concat_list(pl.all()).list.arg_min().cast(pl.Int64)).to_series()


def tried(outcomes: Sequence[Outcome], settings: Sequence[str]) -> pl.DataFrame:
    """Return `TRIED` of settings.

    Args:
        outcomes: the plan as it is, and with each setting.
        settings: their names.
    """
    before = outcomes[0].runs["known_pico_usd"]
    return pl.concat(
        [
            outcome.runs.select(
                "run_id",
                tool=pl.lit(None, pl.String),
                setting=pl.lit(setting),
                saved_usd=(before - pl.col("known_pico_usd")).cast(pl.Float64) / 10**12,
            )
            for outcome, setting in zip(outcomes[1:], settings, strict=True)
        ]
    )


__all__ = ["Outcome", "Replaying", "ready", "replay", "tried", "winners"]
