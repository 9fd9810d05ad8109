"""The `comparison` frame: the limits, every metric over all tasks, and every task."""

from collections.abc import Collection, Iterator, Sequence
from math import comb, prod
from typing import Any, Final

import polars as pl

from costscan.gate import metric_change
from costscan.gate.metric_change import WHOLE, Change
from costscan.gate.metrics import METRICS
from costscan.gate.side import ComparisonSide
from costscan.gate.verdicts import Judged
from costscan.schema.frames import check
from costscan.schema.tables.verdicts import COMPARISON

TESTED: Final = "usd"
"""The metric that is tested for every task; of the others the numbers are told."""
JudgedKeys = Collection[tuple[str, str]]


def comparison_frame(
    limits: Sequence[Judged],
    before: ComparisonSide | None,
    after: ComparisonSide,
    matched: pl.DataFrame,
    false_alarm: float,
) -> pl.DataFrame:
    """Return the canonical `comparison` frame.

    A metric under a limit stands there once, with its verdict; the others say worse or better where chance
    makes so much in less than `false_alarm` of cases, each for itself.
    """
    rows = [_judged_row(row) for row in limits]
    judged = {(row["task"], row["metric"]) for row in rows}
    if before is not None:
        rows += [*_all(matched, false_alarm, judged), *_per_task(matched, false_alarm, judged)]
        rows += _one_sided(before, after)
    return check("comparison", pl.DataFrame(rows, schema=COMPARISON.schema, orient="row"))


def _judged_row(row: Judged) -> dict[str, Any]:
    names = ("before", "after", "change", "p_value", "verdict")
    return {
        "task": row.task,
        "metric": row.limit.label,
        "limit": row.limit.shown,
        **{name: getattr(row, name) for name in names},
    }


def _all(matched: pl.DataFrame, false_alarm: float, judged: JudgedKeys) -> Iterator[dict[str, Any]]:
    for name in METRICS:
        if (WHOLE, name) not in judged:
            change = metric_change.change(matched, WHOLE, name)
            if change.groups:
                yield _row(change, false_alarm)


def _per_task(matched: pl.DataFrame, false_alarm: float, judged: JudgedKeys) -> Iterator[dict[str, Any]]:
    """Yield every metric of every task; the test only where there are runs enough for it to say anything."""
    by_task = {task: units for (task,), units in matched.group_by("task")}
    for name in METRICS:
        for row in metric_change.per_task(matched, name).sort("task").iter_rows(named=True):
            if (row["task"], name) in judged:
                continue
            if name == TESTED and exchanges(row["sizes"]) * false_alarm >= 1:
                yield _row(metric_change.change(by_task[row["task"]], row["task"], name), false_alarm)
            else:
                values = {column: row[column] for column in ("task", "before", "after", "change")}
                verdict = "unchanged" if row["before"] == row["after"] else "untested"
                yield {**values, "metric": name, "p_value": None, "limit": None, "verdict": verdict}


def exchanges(sizes: Sequence[tuple[int, int]]) -> int:
    """Return in how many ways runs could stand on the other side: one of them is what was seen.

    So chance alone makes a change of any size at least once in so many cases.

    Args:
        sizes: of each group of matched runs, how many are before and after.
    """
    return prod(comb(before + after, after) for before, after in sizes)


def _row(change: Change, false_alarm: float) -> dict[str, Any]:
    return {
        "task": change.task,
        "metric": change.metric,
        "before": change.before,
        "after": change.after,
        "change": change.change,
        "p_value": change.p_value,
        "limit": None,
        "verdict": _verdict(change, false_alarm),
    }


def _verdict(change: Change, false_alarm: float) -> str:
    if change.tested is None or change.tested.least_p > false_alarm:
        return "unchanged" if change.before is not None and change.before == change.after else "untested"
    if change.tested.p_value <= false_alarm:
        return "worse"
    return "better" if change.tested.better_p <= false_alarm else "unchanged"


def _one_sided(before: ComparisonSide, after: ComparisonSide) -> Iterator[dict[str, Any]]:
    for side, other, column, verdict in ((after, before, "after", "new"), (before, after, "before", "gone")):
        alone = side.units.join(
            other.units.select("task").unique(), on="task", how="anti", maintain_order="left"
        )
        means = alone.group_by("task", maintain_order=True).agg(pl.col("usd").cast(pl.Float64).mean())
        for task, usd in means.iter_rows():
            yield {"task": task, "metric": "usd", column: usd, "verdict": verdict}
