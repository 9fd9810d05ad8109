"""How much runs changed: a metric of matched runs before and after, and whether chance explains it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, expm1, log1p
from typing import Final

import polars as pl

from costscan.gate.matching import Group, groups
from costscan.gate.metrics import METRICS, Metric
from costscan.gate.permutation import Tested, difference, permutation_test
from costscan.gate.power import detectable, needed

WHOLE: Final = "(all)"
"""The task of what is said of all tasks together."""


@dataclass(frozen=True)
class Change:
    """A metric before and after.

    Attributes:
        before: of a typical matched run: the geometric mean of what is compared in ratios, else the mean.
        after: the same, after.
        change: after / before - 1; for a share the difference; None where before is nothing.
        p_value: how often chance alone makes it so much worse; None where no run has a partner.
        in_ratios: whether runs were compared by ratios, not differences.
        runs_before: how many runs were compared.
        runs_after: and with how many.
        groups: their values on the scale that was tested.
        tested: what the test says; None where there is nothing to test.
    """

    task: str
    metric: str
    before: float | None
    after: float | None
    change: float | None
    p_value: float | None
    runs_before: int
    runs_after: int
    in_ratios: bool = True
    groups: tuple[Group, ...] = ()
    tested: Tested | None = None

    def detectable(self, alpha: float) -> float | None:
        """Return the change that would be found in 80% of cases, in the unit of `change`."""
        if self.tested is None:
            return None
        difference = detectable(self.groups, alpha, self.tested.least_p)
        if difference is None or self.in_ratios:
            return None if difference is None else expm1(difference)
        return difference / self._unit if self._unit else None

    def needed(self, alpha: float, wanted: float) -> int | None:
        """Return how many runs a side would find a change of `wanted`, in the unit of `change`."""
        if not self.groups or wanted <= 0:
            return None
        return needed(self.groups, alpha, log1p(wanted) if self.in_ratios else wanted * (self._unit or 1))

    @property
    def _unit(self) -> float | None:
        """What one of `change` is on the scale that was tested."""
        return 1 if METRICS[self.metric].unit == "share" else self.before


def change(units: pl.DataFrame, task: str, name: str, *, plain: bool = False) -> Change:
    """Compare a metric of matched units.

    Args:
        units: those of `matching.matched` that are meant.
        task: what to call them.
        name: the metric.
        plain: compare by differences also what is compared by ratios.
    """
    metric = METRICS[name] if not plain else replace(METRICS[name], in_ratios=False)
    matched = groups(units, _scaled(metric))
    if not matched:
        return Change(task, name, None, None, None, None, 0, 0)
    before, after = (_mean(matched, after=side) for side in (False, True))
    if metric.in_ratios:
        before, after = exp(before), exp(after)
    outcome = permutation_test(matched, sign=metric.sign)
    return Change(
        task,
        name,
        before,
        after,
        _changed(metric, matched, before, after),
        outcome.p_value,
        sum(len(g.before) for g in matched),
        sum(len(g.after) for g in matched),
        metric.in_ratios,
        tuple(matched),
        outcome,
    )


def per_task(units: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return what `change` says of every task, without a test.

    Columns: task, before, after, change, and sizes: of each group of matched runs, those before and after.
    """
    metric = METRICS[name]
    value = _scaled(metric).cast(pl.Float64)
    with_value = units.select("task", "group", "is_after", value=value).drop_nulls("value")
    sides = with_value.group_by("task", "group", maintain_order=True).agg(
        before=pl.col("value").filter(~pl.col("is_after")).mean(),
        after=pl.col("value").filter("is_after").mean(),
        n=(~pl.col("is_after")).sum().cast(pl.Float64),
        m=pl.col("is_after").sum().cast(pl.Float64),
    )
    weight = pl.col("n") * pl.col("m") / (pl.col("n") + pl.col("m"))
    means = (
        sides.drop_nulls(["before", "after"])
        .group_by("task", maintain_order=True)
        .agg(
            *((pl.col(side) * weight).sum() / weight.sum() for side in ("before", "after")),
            sizes=pl.concat_list("n", "m").cast(pl.List(pl.Int64)),
        )
    )
    if metric.in_ratios:
        means = means.with_columns(pl.col("before", "after").exp())
    before, after = pl.col("before"), pl.col("after")
    ratio = pl.when(before != 0).then(after / before - 1).when(after == before).then(0.0)
    return means.with_columns(change=after - before if metric.unit == "share" else ratio)


def _scaled(metric: Metric) -> pl.Expr:
    value = pl.col(metric.name).cast(pl.Float64)
    return pl.when(value > 0).then(value.log()) if metric.in_ratios else value


def _mean(matched: Sequence[Group], *, after: bool) -> float:
    sums = ((g.mean_after if after else g.mean_before) * g.weight for g in matched)
    return sum(sums) / sum(g.weight for g in matched)


def _changed(metric: Metric, matched: Sequence[Group], before: float, after: float) -> float | None:
    if metric.in_ratios:
        return expm1(difference(matched))
    if metric.unit == "share":
        return after - before
    return after / before - 1 if before else (0.0 if after == before else None)
