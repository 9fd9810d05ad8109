"""What a trend says in words."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import polars as pl

from costscan.gate import CAUSES, METRICS
from costscan.reports.analysis.headline import dates
from costscan.reports.comparison.words import ARROW, chance, changed, named, signed, value
from costscan.reports.text.numbers import UNKNOWN, count, plural
from costscan.trend import Change, TaskTrend, Trend
from costscan.zones import shown

_CAUSES: Final = 3
_PARTS: Final = 2
_LEAST_SHARE: Final = 0.1
"""A cause under this share of the largest is not told."""


def typical(task: TaskTrend, metric: str) -> str:
    """Return what is typical of the first level, and of the last where there is a step."""
    if task.first is None or not task.changes:
        return value(metric, task.first)
    return f"{value(metric, task.first)} {ARROW} {value(metric, task.last)}"


def step(change: Change, metric: str, tz: str) -> str:
    """Say what changed, when, and how sure that is."""
    way = "rose" if change.change > 0 else "fell"
    times = when(shown(change.at_before, tz), shown(change.at_after, tz))
    values = f"{value(metric, change.before)} {ARROW} {value(metric, change.after)}"
    return (
        f"{way} {changed(metric, change.change)} {times}: a typical run "
        f"{values} (chance alone does that in {chance(change.p_value)} of cases)"
    )


def when(before: datetime, after: datetime) -> str:
    """Say between which times: by day, by minute within a day, by second within a minute."""
    for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"):
        old, new = before.strftime(form), after.strftime(form)
        if old != new:
            return f"between {old} and {new}"
    return f"between {before.isoformat()} and {after.isoformat()}"


def days(first: datetime | None, last: datetime | None, tz: str) -> str:
    """Return the days of a time zone from first to last."""
    if first is None or last is None:
        return UNKNOWN
    return dates(*(shown(at, tz).date().isoformat() for at in (first, last)))


def ends(change: Change) -> str:
    """Name the runs on both sides of a step, and the oldest reports that have them."""
    old = f"up to {named(change.run_before)} ({named(Path(change.report_before).name)})"
    new = f"from {named(change.run_after)} on ({named(Path(change.report_after).name)})"
    return f"{plural(change.runs_before, 'run')} {old}, {plural(change.runs_after, 'run')} {new}"


def why(change: Change) -> str:
    """Name what moved the cost of a mean run most."""
    sums = change.causes.group_by("cause", maintain_order=True).agg(pl.col("usd_per_run").sum())
    ranked = sums.sort(pl.col("usd_per_run").abs(), "cause", descending=[True, False]).rows()
    if not ranked:
        return "why: the known cost of a mean run stayed the same"
    least = abs(ranked[0][1]) * Decimal(str(_LEAST_SHARE))
    phrases = [
        f"{CAUSES[cause]} {signed(usd)}{_parts(change.causes, cause)}"
        for cause, usd in ranked[:_CAUSES]
        if abs(usd) >= least
    ]
    whole = signed(Decimal(change.causes["usd_per_run"].sum()))
    return f"why: {', '.join(phrases)}; in all {whole} for a mean run"


def _parts(causes: pl.DataFrame, cause: str) -> str:
    rows = causes.filter((pl.col("cause") == cause) & (pl.col("part") != "")).head(_PARTS)
    phrases = [
        f"{named(part)} {kind.replace('_', ' ')}".strip() + f" {signed(usd)}"
        for part, kind, usd in rows.select("part", "kind", "usd_per_run").iter_rows()
    ]
    return f" ({', '.join(phrases)})" if phrases else ""


def notes(trend: Trend) -> list[str]:
    """Say what a trend does not show, and how often chance alone would show a step."""
    few = sum(1 for task in trend.tasks if task.runs < trend.fewest_runs)
    unknown = sum(task.unknown_runs for task in trend.tasks)
    what = METRICS[trend.metric].name.replace("_", " ")
    sentences = [f"of tasks without a step, chance alone shows one in {trend.false_alarm * 100:.3g}% at most"]
    if few:
        tasks = plural(few, "task has", "tasks have")
        sentences.append(f"{tasks} under {count(trend.fewest_runs)} runs: too few to tell a step from chance")
    if unknown:
        sentences.append(f"{plural(unknown, 'run')} without a known {what} or time left out")
    return sentences
