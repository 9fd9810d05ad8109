"""The `comparison` frame: the limits, every metric over all tasks, and every task."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import polars as pl

from costscan.frames import COMPARISON, check
from costscan.gate import changes
from costscan.gate.changes import WHOLE, Change
from costscan.gate.judged import Judged
from costscan.gate.metrics import METRICS
from costscan.gate.side import Side

TESTED: Final = "usd"
"""The metric that is tested for every task; of the others the numbers are told."""


def comparison_frame(
    limits: Sequence[Judged], before: Side | None, after: Side, matched: pl.DataFrame, false_alarm: float
) -> pl.DataFrame:
    """Give the canonical `comparison` frame.

    A metric under a limit stands there once, with its verdict; the others say worse or better where chance
    makes so much in less than `false_alarm` of cases, each for itself.
    """
    found = [_judged_row(row) for row in limits]
    said = {(row["task"], row["metric"]) for row in found}
    if before is not None:
        rows = (*_all(matched, false_alarm), *_per_task(matched, false_alarm), *_one_sided(before, after))
        found += [row for row in rows if (row["task"], row["metric"]) not in said]
    return check("comparison", pl.DataFrame(found, schema=COMPARISON, orient="row"))


def _judged_row(row: Judged) -> dict[str, Any]:
    names = ("before", "after", "change", "p_value", "verdict")
    return {
        "task": row.task,
        "metric": row.limit.label,
        "limit": row.limit.shown,
        **{name: getattr(row, name) for name in names},
    }


def _all(matched: pl.DataFrame, false_alarm: float) -> Iterator[dict[str, Any]]:
    for name in METRICS:
        found = changes.change(matched, WHOLE, name)
        if found.groups:
            yield _row(found, false_alarm)


def _per_task(matched: pl.DataFrame, false_alarm: float) -> Iterator[dict[str, Any]]:
    for (task,), units in matched.group_by("task", maintain_order=True):
        for name in METRICS:
            found = changes.change(units, str(task), name, test=name == TESTED)
            if found.groups:
                yield _row(found, false_alarm)


def _row(found: Change, false_alarm: float) -> dict[str, Any]:
    return {
        "task": found.task,
        "metric": found.metric,
        "before": found.before,
        "after": found.after,
        "change": found.change,
        "p_value": found.p_value,
        "limit": None,
        "verdict": _said(found, false_alarm),
    }


def _said(found: Change, false_alarm: float) -> str:
    if found.tested is None:
        return "unchanged" if found.before == found.after else "untested"
    if found.tested.p_value <= false_alarm:
        return "worse"
    return "better" if found.tested.better_p <= false_alarm else "unchanged"


def _one_sided(before: Side, after: Side) -> Iterator[dict[str, Any]]:
    for side, other, column, verdict in ((after, before, "after", "new"), (before, after, "before", "gone")):
        alone = side.units.join(
            other.units.select("task").unique(), on="task", how="anti", maintain_order="left"
        )
        means = alone.group_by("task", maintain_order=True).agg(pl.col("usd").cast(pl.Float64).mean())
        for task, usd in means.iter_rows():
            yield {"task": task, "metric": "usd", column: usd, "verdict": verdict}
