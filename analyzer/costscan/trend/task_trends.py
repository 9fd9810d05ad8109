"""A task over time: its runs in order, the levels between steps, and what each step is made of."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from math import exp, expm1, log1p
from typing import Any, Final

import polars as pl

from costscan.aggregates import total
from costscan.gate import WHOLE, ComparisonSide
from costscan.gate.causes import split
from costscan.gate.metrics import Metric
from costscan.trend.change_points import Step
from costscan.trend.levels import Levels, levels

LEAST_CHANGE: Final = 0.05
"""Smaller steps are none: a share of the typical run, points of a share."""


@dataclass(frozen=True)
class Change:
    """A step in the series of a task.

    Attributes:
        at_before: when the last run before the step was.
        at_after: when the first run after it was.
        run_before: the last run before.
        run_after: the first run after.
        report_before: the oldest report that has the last run before.
        report_after: the oldest report that has the first run after.
        runs_before: how many runs the level before has.
        runs_after: and the level after.
        before: what is typical of the level before: the geometric mean of what is compared in ratios.
        after: the same of the level after.
        change: after / before - 1; for a share the difference.
        p_value: how often chance alone puts a step as clear between the levels beside it.
        causes: why the cost of a mean run moved: cause, part, kind, usd_per_run; the largest first.
    """

    at_before: datetime
    at_after: datetime
    run_before: str
    run_after: str
    report_before: str
    report_after: str
    runs_before: int
    runs_after: int
    before: float
    after: float
    change: float
    p_value: float
    causes: pl.DataFrame


@dataclass(frozen=True)
class TaskTrend:
    """A task over time.

    Attributes:
        task: its name.
        usd: what all its runs cost, as far as it is known.
        runs: how many runs the series has.
        unknown_runs: how many more there are whose value or time is not known.
        points: at, runs and value (what is typical of the runs at that time), in order of time.
        changes: its steps, in order of time.
        first: what is typical of the first level; None without runs.
        last: what is typical of the last level, which is the first where there is no step.
    """

    task: str
    usd: Decimal
    runs: int
    unknown_runs: int
    points: pl.DataFrame
    changes: list[Change]
    first: float | None
    last: float | None

    @property
    def first_at(self) -> datetime | None:
        """Return when the first run was."""
        return self.points["at"][0] if self.runs else None

    @property
    def last_at(self) -> datetime | None:
        """Return when the last run was."""
        return self.points["at"][-1] if self.runs else None


def task_trend(units: pl.DataFrame, side: ComparisonSide, metric: Metric, rate: float) -> TaskTrend:
    """Return the trend of one task.

    Args:
        units: the runs of the task, with `at` and `report`.
        side: where these runs are from.
        metric: what to look at.
        rate: how often chance alone may make any step.
    """
    return _trend(units["task"][0], units, _points(units, metric), side, metric, rate)


def whole_trend(units: pl.DataFrame, side: ComparisonSide, metric: Metric, rate: float) -> TaskTrend:
    """Return the trend of several tasks together; arguments as for `task_trend`.

    Each run stands for how much more it is than what is typical of its task over all time, so that other
    tasks at other times are no step. Values are those of a run of a typical task.
    """
    points = _points(units, metric)
    of_task = pl.col("value").mean().over("task")
    mean = pl.col("value").mean()
    level = points.with_columns(value=pl.col("value") - of_task + mean)
    one = ComparisonSide(side.name, side.runs.with_columns(task=pl.lit(WHOLE)), side.basis)
    return _trend(WHOLE, units, level, one, metric, rate)


def _points(units: pl.DataFrame, metric: Metric) -> pl.DataFrame:
    """Return the runs whose value and time are known, in order of time, with values on the scale compared."""
    value = pl.col(metric.name).cast(pl.Float64)
    scaled = pl.when(value > 0).then(value.log()) if metric.in_ratios else value
    return units.with_columns(value=scaled).drop_nulls(["value", "at"]).sort("at", "run_id")


def _trend(  # noqa: PLR0917 - what a series is made of
    task: str, units: pl.DataFrame, points: pl.DataFrame, side: ComparisonSide, metric: Metric, rate: float
) -> TaskTrend:
    least = log1p(LEAST_CHANGE) if metric.in_ratios else LEAST_CHANGE
    divided = levels(points["value"].to_list(), points["at"].to_list(), rate=rate, least=least)
    typical = [exp(mean) if metric.in_ratios else mean for mean in divided.means]
    typical_value = pl.col("value").mean().exp() if metric.in_ratios else pl.col("value").mean()
    return TaskTrend(
        task=task,
        usd=total(units["known_usd"]),
        runs=points.height,
        unknown_runs=units.height - points.height,
        points=points.group_by("at", maintain_order=True).agg(
            runs=pl.len().cast(pl.Int64), value=typical_value
        ),
        changes=_changes(points, divided, side, in_ratios=metric.in_ratios),
        first=typical[0] if typical else None,
        last=typical[-1] if typical else None,
    )


def _changes(points: pl.DataFrame, divided: Levels, side: ComparisonSide, *, in_ratios: bool) -> list[Change]:
    """Return each step with the levels on its two sides."""
    parts = [points[start:end] for start, end in divided.bounds]
    return [
        _change(before, after, means, step, side, in_ratios=in_ratios)
        for (before, after), means, step in zip(
            pairwise(parts), pairwise(divided.means), divided.steps, strict=True
        )
    ]


def _change(
    before: pl.DataFrame,
    after: pl.DataFrame,
    means: tuple[float, float],
    step: Step,
    side: ComparisonSide,
    *,
    in_ratios: bool,
) -> Change:
    old, new = means
    last, first = before.row(-1, named=True), after.row(0, named=True)
    ends: dict[str, Any] = {
        f"{name}_{where}": row[column]
        for where, row in (("before", last), ("after", first))
        for name, column in (("at", "at"), ("run", "run_id"), ("report", "report"))
    }
    return Change(
        **ends,
        runs_before=before.height,
        runs_after=after.height,
        before=exp(old) if in_ratios else old,
        after=exp(new) if in_ratios else new,
        change=expm1(new - old) if in_ratios else new - old,
        p_value=step.p_value,
        causes=_causes(side, before, after),
    )


def _causes(side: ComparisonSide, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return why a mean run after costs more or less than one before."""
    sides = (
        ComparisonSide(side.name, side.runs.join(part, on="run_id", how="semi"), side.basis)
        for part in (before, after)
    )
    return split(*sides, per_run=True).select("cause", "part", "kind", usd_per_run="usd")
