"""Histories made by hand: run reports as files, without a log."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from costscan.summary import SCHEMA_VERSION
from costscan.trend import History, TaskTrend, read_history, trend
from sides import Run, side, threads

FIRST = date(2026, 10, 1)


def day(number: int) -> str:
    """Return a day of the history, from 0."""
    return (FIRST + timedelta(days=number)).isoformat()


def at(number: int) -> datetime:
    """Return when a run of that day stands."""
    return datetime.fromisoformat(day(number)).replace(tzinfo=UTC)


def dice_of(seed: int) -> random.Random:
    """Return dice that always fall the same way."""
    return random.Random(seed)


def report(
    path: Path,
    *runs: Run,
    made: str | None = "2026-11-20T00:00:00+00:00",
    schema: int = SCHEMA_VERSION,
) -> Path:
    """Write a run report of these runs; one of schema 1 has a row per sub-agent too."""
    said = {"schema_version": str(schema), **({"generated_at": made} if made else {})}
    frame = threads(*runs) if schema == 1 else side(*runs).runs
    frame.write_parquet(path, metadata=said)
    return path


def daily(costs: Sequence[float], task: str = "t", start: int = 0) -> list[Run]:
    """Return a run a day with these costs."""
    return [Run(f"{task}{n}", task, usd=f"{usd:.12f}", day=day(start + n)) for n, usd in enumerate(costs)]


def history(folder: Path, *runs: Run) -> History:
    """Return the history of one report."""
    return read_history([str(report(folder / "all.parquet", *runs))])


def of(folder: Path, *runs: Run, metric: str = "usd", false_alarm: float = 0.05) -> TaskTrend:
    """Return the trend of the only task of these runs."""
    (found,) = trend(history(folder, *runs), metric, false_alarm=false_alarm).tasks
    return found
