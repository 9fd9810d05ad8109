"""Runs whose calls go to a model that a trial measured: what disagrees is made again, and paid twice."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import polars as pl

from costscan.actions.measured import Measured
from costscan.levers.replaying import Outcome
from costscan.scenarios.costing import CLASSES
from costscan.scenarios.route_choice import Served
from costscan.scenarios.uncertainty import SPREADS

_SUMS: Final = ("pico_usd", "known_pico_usd", *CLASSES, *SPREADS)
_SHARES: Final = ("share", "least", "most")
_MORE, _LESS = SPREADS


def with_escalations(served: Served, stays: Outcome, measured: Mapping[str, Measured]) -> Outcome:
    """Return an outcome in which so many calls of some runs are made again as a trial measured.

    A call that is made again costs both: there, and on the model that served it. Nobody knows beforehand
    which calls these are, so each run pays its share; how sure that share is adds to how sure the cost is.

    Args:
        served: the plan with all of these calls on other models.
        stays: the plan with none of them there.
        measured: by run, what was measured of its calls.
    """
    moved = served.outcome
    shares = pl.DataFrame(
        [(run, *one.escalated) for run, one in measured.items()],
        schema={"run_id": pl.String, **dict.fromkeys(_SHARES, pl.Float64)},
        orient="row",
    )
    runs = served.total.runs
    both = runs.select("run_id").join(shares, on="run_id", how="left", maintain_order="left")
    own = stays.runs.select(pl.col(name).alias(f"{name}_own") for name in _SUMS)
    attempts = served.attempt_costs(moved).select(pl.col(name).alias(f"{name}_there") for name in _SUMS)
    every = runs.hstack(both.select(_SHARES)).hstack(own).hstack(attempts)
    return replace(moved, runs=every.with_columns(*_sums()).select(runs.columns))


def _again(name: str) -> pl.Expr:
    """Return what a run costs more where all of these calls are made again."""
    return pl.col(f"{name}_own") + pl.col(f"{name}_there") - pl.col(name)


def _sums() -> list[pl.Expr]:
    again = pl.max_horizontal(_again("known_pico_usd"), 0)
    unsure = {_MORE: pl.col("most") - pl.col("share"), _LESS: pl.col("share") - pl.col("least")}
    return [
        pl.when(pl.col("share").is_null())
        .then(name)
        .otherwise((pl.col(name) + _again(name) * pl.col("share") + extra).round().cast(pl.Int64))
        .alias(name)
        for name in _SUMS
        for extra in [again * unsure[name] if name in unsure else 0]
    ]


__all__ = ["with_escalations"]
