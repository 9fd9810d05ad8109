"""The JSON report of a trend."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import polars as pl

from costscan.reports.text.json import plain, text_of
from costscan.trend import Change, TaskTrend, Trend


def document(trend: Trend, *, top: int | None = None) -> dict[str, Any]:
    """Return the trend as plain values; USD rounded to 1e-9, unknown is null; `top` limits the tasks."""
    plain_fields = {
        field.name: plain(getattr(trend, field.name))
        for field in fields(trend)
        if field.name not in {"whole", "tasks"}
    }
    return {
        **plain_fields,
        "whole": None if trend.whole is None else _task(trend.whole, trend.metric),
        "tasks": [_task(task, trend.metric) for task in trend.tasks[:top]],
    }


def _task(task: TaskTrend, metric: str) -> dict[str, Any]:
    names = ("runs", "unknown_runs", "usd", "first", "last", "points")
    values = {name: plain(getattr(task, name)) for name in names}
    return {
        "task": plain(task.task),
        "metric": metric,
        **values,
        "changes": [_change(change) for change in task.changes],
    }


def _change(change: Change) -> dict[str, Any]:
    values = {field.name: plain(getattr(change, field.name)) for field in fields(change)}
    return {**values, "causes": _causes(change.causes)}


def _causes(causes: pl.DataFrame) -> list[dict[str, Any]]:
    """Return a row per cause, the largest first, with the parts of the prompt where it has some."""
    sums = causes.group_by("cause", maintain_order=True).agg(
        pl.col("usd_per_run").sum(), parts=pl.struct("part", "kind", usd="usd_per_run")
    )
    ranked = sums.sort(pl.col("usd_per_run").abs(), "cause", descending=[True, False])
    return [
        {
            "cause": cause,
            "usd_per_run": plain(usd),
            "parts": [
                {"part": plain(row["part"]), "kind": plain(row["kind"]), "usd_per_run": plain(row["usd"])}
                for row in parts
                if row["part"]
            ],
        }
        for cause, usd, parts in ranked.iter_rows()
    ]


def encoded(trend: Trend, *, top: int | None = None) -> bytes:
    """Return the report as UTF-8 text: every key on its own line, and every task."""
    return text_of(document(trend, top=top))


def write(trend: Trend, path: Path) -> None:
    """Write the report to a file."""
    path.write_bytes(encoded(trend))
