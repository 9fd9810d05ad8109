"""A threshold for each task and agent type: the cheapest of those that a client may be set to."""

from collections.abc import Callable
from functools import partial
from typing import Final

import polars as pl

from costscan.levers.plan import Plan
from costscan.levers.replaying import Replaying, runs_of, tried, winners

THRESHOLDS: Final = (40_000, 60_000, 80_000, 100_000, 150_000, 200_000)
"""At prompts of so many tokens history is replaced: what a client may be set to."""


def at_best(plan: Plan, part: str, made: Callable[[pl.Expr], Plan], own: int | None) -> Replaying[Plan]:
    """Return a plan with the threshold that is set, or that is cheapest for each group of runs.

    It is the same plan where that changes nothing.

    Args:
        plan: the plan.
        part: the scenario of the part, under which is told what was chosen.
        made: returns the plan with a threshold by run, null where it has none.
        own: the threshold that is set.
    """
    if own is not None:
        return made(pl.lit(own))
    longest = plan.steps.select(pl.col("prompt_tokens").max()).item() or 0
    thresholds = [n for n in THRESHOLDS if n < longest]
    every = yield from runs_of(plan, [partial(made, pl.lit(n)) for n in thresholds])
    names = dict(enumerate(thresholds, 1))
    threshold = winners(every).replace_strict(names, default=None, return_dtype=pl.Int64)
    runs = every[0].select("run_id", setting=threshold).drop_nulls()
    if runs.is_empty():
        return plan
    return made(of_runs(dict(runs.rows()))).choosing(
        part,
        runs.with_columns(pl.col("setting").cast(pl.String)),
        tried(every, [str(n) for n in thresholds]),
    )


def of_runs(thresholds: dict[str, int]) -> pl.Expr:
    """Return the threshold of each run, null where it has none."""
    return pl.col("run_id").replace_strict(thresholds, default=None, return_dtype=pl.Int64)


__all__ = ["THRESHOLDS", "at_best", "of_runs"]
