"""The tables of a comparison as columns: the terminal and Markdown lay them out."""

from collections.abc import Sequence

import polars as pl

from costscan.aggregates import known_sum
from costscan.gate import METRICS, WHOLE, Comparison
from costscan.reports.comparison import words
from costscan.reports.text.numbers import count, percent, usd_column
from costscan.reports.text.sanitize import inert
from costscan.reports.text.table import Column


def cause_columns(causes: Sequence[words.Cause]) -> list[Column]:
    """Return why the bill moved."""
    return [
        Column("why it moved", [row.name for row in causes], name=True, prose=True, style="bold"),
        Column("", [words.signed(row.usd) for row in causes]),
        Column("mostly", [inert(row.detail) for row in causes], name=True, prose=True, give=1),
    ]


def metric_columns(comparison: Comparison) -> list[Column]:
    """Return the metrics of a typical run over all tasks, those that moved; none where none did."""
    rows = typical(comparison).filter(pl.col("before") != pl.col("after")).to_dicts()
    if not rows:
        return []
    sides = [words.both(row["metric"], row["before"], row["after"]) for row in rows]
    return [
        Column("a typical run", [words.called(row["metric"]) for row in rows], name=True, style="bold"),
        Column("before", [before for before, _ in sides]),
        Column("after", [after for _, after in sides]),
        Column("change", [words.changed(row["metric"], row["change"]) for row in rows]),
        Column("by chance", [words.chance(row["p_value"]) for row in rows], give=1),
        Column("", [words.outcome(row["verdict"]) for row in rows], left=True),
    ]


def unmoved(comparison: Comparison) -> str:
    """Name the metrics of a typical run that are the same."""
    same = typical(comparison).filter(pl.col("before") == pl.col("after"))["metric"]
    return f"the same as before: {', '.join(map(words.called, same))}" if same.len() else ""


def typical(comparison: Comparison) -> pl.DataFrame:
    """Return the rows of the comparison of a typical run over all tasks: of each metric the worst."""
    is_metric = pl.col("metric").is_in(list(METRICS)) & pl.col("p_value").is_not_null()
    verdict = pl.col("verdict")
    rank = pl.when(verdict == "failed").then(0).when(verdict == "undecided").then(1).otherwise(2)
    return (
        comparison.comparison.filter((pl.col("task") == WHOLE) & is_metric)
        .filter(rank == rank.min().over("metric"))
        .unique("metric", keep="first", maintain_order=True)
    )


def moved_tasks(comparison: Comparison) -> pl.DataFrame:
    """Return the tasks that did not stay the same, the largest change first."""
    return comparison.tasks.filter(pl.col("state") != "same")


def task_columns(comparison: Comparison, tasks: pl.DataFrame) -> list[Column]:
    """Return tasks with what their runs cost; the heading counts what became of all of them."""
    rows = tasks.to_dicts()
    runs = [f"{count(row['runs_before'])} {words.ARROW} {count(row['runs_after'])}" for row in rows]
    return [
        Column(f"tasks ({words.states(comparison)})", [inert(row["task"]) for row in rows], name=True),
        Column("", [row["state"] for row in rows], left=True, give=1),
        Column("runs", runs, give=2),
        Column("before", usd_column(row["usd_before"] for row in rows)),
        Column("after", usd_column(row["usd_after"] for row in rows)),
        Column("change", [words.signed(row["usd_change"]) for row in rows], style="bold"),
    ]


def by_rule(findings: pl.DataFrame) -> pl.DataFrame:
    """Sum findings by rule, the most expensive first, each with the message of its most expensive."""
    return (
        findings.group_by("name", maintain_order=True)
        .agg(
            findings=pl.len().cast(pl.Int64),
            runs=pl.col("runs").sum(),
            tasks=pl.col("task").n_unique().cast(pl.Int64),
            usd=known_sum("usd"),
            message=pl.col("message").first(),
        )
        .sort("usd", "name", descending=[True, False], nulls_last=True)
    )


def finding_columns(title: str, rules: pl.DataFrame) -> list[Column]:
    """Return what `by_rule` gave, the most expensive of each in words."""
    rows = rules.to_dicts()
    return [
        Column(title, [row["name"] for row in rows], name=True, style="bold"),
        Column("cost", usd_column(row["usd"] for row in rows)),
        Column("found", [count(row["findings"]) for row in rows], give=2),
        Column("runs", [count(row["runs"]) for row in rows], give=3),
        Column("tasks", [count(row["tasks"]) for row in rows], give=4),
        Column("the most expensive", [inert(row["message"]) for row in rows], name=True, prose=True, give=1),
    ]


def promise_columns(promises: pl.DataFrame | None) -> list[Column]:
    """Return what became of the actions of an earlier report; none where none was given."""
    rows = [] if promises is None else promises.to_dicts()
    if not rows:
        return []
    return [
        Column("promised before", [inert(row["title"]) for row in rows], name=True, prose=True, style="bold"),
        Column("", [row["state"] for row in rows], left=True),
        Column("calls", [count(row["calls"]) for row in rows], give=3),
        Column("promised", usd_column(row["promised_usd"] for row in rows), give=2),
        Column("still left", usd_column(row["left_usd"] for row in rows), give=1),
        Column("came true", [percent(row["came_true_share"]) for row in rows]),
        Column("saved", usd_column(row["came_true_usd"] for row in rows), style="bold"),
    ]
