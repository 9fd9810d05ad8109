"""The CSV report of a trend: one row per task and time, for a chart in a spreadsheet."""

from pathlib import Path

import polars as pl

from costscan.reports.analysis.csv import FORMULA
from costscan.trend import TaskTrend, Trend


def table(trend: Trend) -> pl.DataFrame:
    """Return task, metric, at, runs, value, level (1 up to the first step) and what is typical of the level.

    A text that a spreadsheet would take for a formula gets a leading '.
    """
    points = pl.concat([_points(task, trend.metric) for task in trend.series])
    text = pl.col("task")
    return points.with_columns(
        task=pl.when(text.str.contains(FORMULA)).then(pl.lit("'") + text).otherwise(text)
    )


def _points(task: TaskTrend, metric: str) -> pl.DataFrame:
    level = pl.lit(1, pl.Int64)
    typical = pl.lit(task.first, pl.Float64)
    for number, change in enumerate(task.changes, 2):
        is_after = pl.col("at") >= change.at_after
        level = pl.when(is_after).then(number).otherwise(level)
        typical = pl.when(is_after).then(change.after).otherwise(typical)
    return task.points.select(
        "at", "runs", "value", task=pl.lit(task.task), metric=pl.lit(metric), level=level, typical=typical
    ).select("task", "metric", "at", "runs", "value", "level", "typical")


def write(trend: Trend, path: Path) -> None:
    """Write the report to a file."""
    table(trend).write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%S%.fZ")
