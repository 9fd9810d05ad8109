"""The history of runs: what each task costs over time, and where that changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import polars as pl

from costscan import __version__
from costscan.errors import CostscanError
from costscan.filters import refuse_unmeant
from costscan.gate import FALSE_ALARM, METRICS
from costscan.summary import SCHEMA_VERSION
from costscan.trend.history import History, read_history
from costscan.trend.levels import fewest_runs
from costscan.trend.task_trends import LEAST_CHANGE, Change, TaskTrend, task_trend, whole_trend
from costscan.zones import DEFAULT


@dataclass(frozen=True)
class Trend:
    """What came of looking at a history.

    Attributes:
        name: the paths it was read from.
        tz: the time zone of days.
        metric: what was looked at.
        false_alarm: how often chance alone may put a step anywhere in a task.
        fewest_runs: tasks with fewer runs cannot show a step at that rate.
        reports: the reports, oldest first: name, made_at, and the runs that no older one has.
        whole: all tasks together; None where there is one.
        tasks: the tasks, the most expensive first.
    """

    schema_version: int
    costscan_version: str
    generated_at: datetime
    name: str
    tz: str
    metric: str
    false_alarm: float
    fewest_runs: int
    reports: pl.DataFrame
    whole: TaskTrend | None
    tasks: list[TaskTrend]

    @property
    def series(self) -> list[TaskTrend]:
        """Return all tasks together, where there are several, then each."""
        return [*([self.whole] if self.whole else []), *self.tasks]


def trend(
    history: History,
    metric: str = "usd",
    tasks: Sequence[str] = (),
    projects: Sequence[str] = (),
    *,
    false_alarm: float = FALSE_ALARM,
    now: datetime | None = None,
    tz: str = DEFAULT,
) -> Trend:
    """Look at each task over time.

    Args:
        history: the runs.
        metric: what to look at: a name in `METRICS`.
        tasks: only these, named as `names` says; all where none is named.
        projects: only the runs of these.
        false_alarm: how often chance alone may put a step anywhere in a task.
        now: the time of the report.
        tz: the time zone of the days that it tells.

    Raises:
        CostscanError: there is no run, or none of a task that is named.
    """
    if not false_alarm:
        raise CostscanError("check.false_alarm: without any false alarm no change is ever sure", "like 0.01")
    history = _of_runs(history, tasks, projects)
    chosen = history.units
    task_trends = [
        task_trend(own, history.side, METRICS[metric], false_alarm)
        for own in chosen.partition_by("task", maintain_order=True)
    ]
    several = len(task_trends) > 1
    return Trend(
        schema_version=SCHEMA_VERSION,
        costscan_version=__version__,
        generated_at=now or datetime.now(UTC),
        name=history.side.name,
        tz=tz,
        metric=metric,
        false_alarm=false_alarm,
        fewest_runs=fewest_runs(false_alarm),
        reports=history.reports,
        whole=whole_trend(chosen, history.side, METRICS[metric], false_alarm) if several else None,
        tasks=sorted(task_trends, key=lambda task: (-task.usd, task.task)),
    )


def _of_runs(history: History, tasks: Sequence[str], projects: Sequence[str]) -> History:
    """Return the history of the runs that are asked for.

    Raises:
        CostscanError: there is no run, or none of a task or a project that is named.
    """
    units = history.units
    if not units.height:
        raise CostscanError(f"{history.side.name}: no run in these reports", "make reports of other logs")
    refuse_unmeant("--task", tasks, units["task"], "these reports")
    refuse_unmeant("--project", projects, history.side.runs["project"].drop_nulls(), "these reports")
    chosen = replace(history, side=history.side.of(tasks, projects))
    if not chosen.units.height:
        raise CostscanError("--project: no run of these tasks is in it", "name other tasks, or none")
    return chosen


__all__ = [
    "LEAST_CHANGE",
    "Change",
    "History",
    "TaskTrend",
    "Trend",
    "fewest_runs",
    "read_history",
    "trend",
]
