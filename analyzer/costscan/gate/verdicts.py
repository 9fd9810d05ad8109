"""What came of the limits: which hold, which are passed, and which cannot be decided."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final, Literal

import polars as pl

from costscan.gate import metric_change
from costscan.gate.ceilings import measured, unknown, unreported
from costscan.gate.limits import EACH, NEW_FINDINGS, Limit, counted
from costscan.gate.metric_change import WHOLE, Change
from costscan.gate.metrics import METRICS
from costscan.gate.side import ComparisonSide

Verdict = Literal["passed", "failed", "undecided"]
"""What comes of a limit."""
NEARLY: Final = 4
"""Up to so many times the rate of false alarms, a change over its limit is neither sure nor a chance."""
_ROUND: Final = 1e-9
"""So much more than a limit is rounding."""


@dataclass(frozen=True)
class Judged:
    """A limit and what came of it.

    Attributes:
        limit: the limit.
        task: the task it was applied to, or "(all)".
        before: the value in the baseline, None without one.
        after: the value now.
        change: as in `Change`.
        p_value: corrected for the number of limits that chance could pass (Holm).
        verdict: see `outcome`; ceilings and counts of findings leave nothing to chance.
        is_over: whether the value is over the limit, by chance or not.
        significant: whether chance alone makes so much of a change, in the direction that was seen, in less
            than `false_alarm` of cases; None where no change was seen, or no chance is in.
        member: the run, task, day or tool that is worst, where the limit is on each.
        tz: the time zone of that day, where it is one.
        detectable: the change that would be found in 80% of cases, None where none would be.
        needed_runs: how many runs a side would decide, where it is undecided.
        runs: how many runs were compared before and after.
        why: in words, where it is undecided for another reason than chance.
    """

    limit: Limit
    task: str
    before: float | None
    after: float | None
    change: float | None
    p_value: float | None
    verdict: Verdict
    is_over: bool = False
    member: str | None = None
    detectable: float | None = None
    needed_runs: int | None = None
    runs: tuple[int, int] | None = None
    why: str = ""
    tz: str | None = None
    significant: bool | None = None


def judged(
    limits: Sequence[Limit],
    before: ComparisonSide | None,
    after: ComparisonSide,
    *,
    matched: pl.DataFrame,
    new_findings: pl.DataFrame,
    false_alarm: float,
) -> list[Judged]:
    """Apply limits.

    Args:
        limits: those to apply; without a baseline, ceilings alone.
        before: the baseline, where there is one.
        after: what is checked.
        matched: the units of both that are compared.
        new_findings: the findings that the baseline did not have.
        false_alarm: how often chance alone may fail the check.
    """
    chances = [
        (limit, _change(limit, task, matched))
        for limit in limits
        if _has_chance(limit)
        for task in _tasks(limit, matched)
    ]
    corrected = _holm([c.p_value for _, c in chances])
    alpha = false_alarm / max(len(chances), 1)
    rows = [
        _of_change(limit, c, p, false_alarm, alpha) for (limit, c), p in zip(chances, corrected, strict=True)
    ]
    rows = [_not_on_faith(row, before, after) for row in rows]
    for limit in limits:
        if not _has_chance(limit):
            rows += _counts(limit, before, after, new_findings)
    order = {id(limit): place for place, limit in enumerate(limits)}
    return sorted(rows, key=lambda row: order[id(row.limit)])


def _not_on_faith(row: Judged, before: ComparisonSide | None, after: ComparisonSide) -> Judged:
    """Leave undecided what only passes because calls without usage are in no sum."""
    of = row.limit if row.limit.of is None else replace(row.limit, of=row.task)
    sides = [side for side in (before, after) if side is not None]
    calls = [phrase for side in sides if (phrase := unreported(side, of))]
    return replace(row, verdict="undecided", why=calls[-1]) if row.verdict == "passed" and calls else row


def _has_chance(limit: Limit) -> bool:
    return limit.is_change and not counted(limit.metric)


def _tasks(limit: Limit, matched: pl.DataFrame) -> list[str]:
    if limit.of == EACH:
        return matched["task"].unique().sort().to_list()
    return [limit.of or WHOLE]


def _change(limit: Limit, task: str, matched: pl.DataFrame) -> Change:
    units = matched if limit.of is None else matched.filter(pl.col("task") == task)
    return metric_change.change(units, task, limit.metric, plain=limit.kind == "absolute")


def _holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Correct for several tests (Holm 1979): the chance that any of them alarms falsely stays the same."""
    order = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    worst = 0.0
    for rank, (p, place) in enumerate(order):
        worst = max(worst, min(p * (len(order) - rank), 1.0))
        corrected[place] = worst
    return corrected


def _of_change(limit: Limit, c: Change, p: float | None, false_alarm: float, alpha: float) -> Judged:
    if c.after is None or c.before is None or c.tested is None or p is None:
        why = f"no run{' whose cost is known' if limit.metric == 'usd' else ''} stands on both sides"
        return Judged(limit, c.task, None, None, None, None, "undecided", why=why)
    slack = _ROUND * (1 if limit.kind == "relative" else max(abs(c.after), 1))
    is_over = _worse(limit, c.before, c.after, c.change) > float(limit.bound) + slack
    verdict = outcome(p, c.tested.least_p * false_alarm / alpha, false_alarm) if is_over else "passed"
    wanted = METRICS[limit.metric].sign * (c.change or 0)
    return Judged(
        limit,
        c.task,
        c.before,
        c.after,
        c.change,
        p,
        verdict,
        is_over,
        detectable=c.detectable(alpha),
        needed_runs=c.needed(alpha, wanted) if verdict == "undecided" else None,
        runs=(c.runs_before, c.runs_after),
        significant=_significant(limit, c, p, false_alarm),
    )


def _significant(limit: Limit, c: Change, p_worse: float, false_alarm: float) -> bool | None:
    if not c.change or c.tested is None:
        return None
    is_worse = METRICS[limit.metric].sign * c.change > 0
    return (p_worse if is_worse else c.tested.better_p) <= false_alarm


def outcome(p_value: float, least_p: float, false_alarm: float) -> Verdict:
    """Say what comes of a change over its limit.

    It fails where chance makes so much in less than `false_alarm` of cases. It is undecided where the runs
    are too few for any change to be that rare, or where it is nearly that rare. What chance makes more often
    is no sign of a change: a check that called all of it undecided would stop healthy changes as often as a
    check that looks at the numbers alone.
    """
    if p_value <= false_alarm:
        return "failed"
    return "undecided" if least_p > false_alarm or p_value <= NEARLY * false_alarm else "passed"


def _worse(limit: Limit, before: float, after: float, change: float | None) -> float:
    """Return how much worse it got, in the unit of the limit."""
    sign = METRICS[limit.metric].sign
    if limit.kind == "absolute":
        return sign * (after - before)
    return inf if change is None else sign * change


def _counts(
    limit: Limit, before: ComparisonSide | None, after: ComparisonSide, new: pl.DataFrame
) -> Iterator[Judged]:
    """Judge what no chance is in: ceilings, and counts of findings."""
    every = _tasks_of(before, after)
    if limit.of not in {None, EACH, *every} and limit.scope in {None, "run"}:
        yield Judged(
            limit, str(limit.of), None, None, None, None, "undecided", why="there is no run of this task"
        )
        return
    for name in every if limit.of == EACH else [None]:
        one = limit if name is None else replace(limit, of=name)
        if limit.metric == NEW_FINDINGS:
            own = new if one.of is None else new.filter(pl.col("task") == one.of)
            yield replace(_of_value(one, None, float(own.height), None, ""), limit=limit)
            continue
        value, member = measured(after, one)
        old = measured(before, one)[0] if before is not None else None
        tz = after.tz if one.scope == "day" else None
        yield replace(_of_value(one, old, value, member, unknown(after, one)), limit=limit, tz=tz)


def _tasks_of(before: ComparisonSide | None, after: ComparisonSide) -> list[str]:
    """Return the tasks of both sides."""
    every = [side.units["task"] for side in (before, after) if side is not None]
    return sorted(pl.concat(every).unique())


def _of_value(limit: Limit, old: float | None, value: float | None, member: str | None, open_: str) -> Judged:
    """Hold a value against a limit; it may be more than what is known where something is open (`open_`)."""
    verdict: Verdict = "passed"
    why = ""
    is_over = _passes(limit, old, value)
    if is_over:
        verdict = "failed"
    elif value is None or open_:
        verdict = "undecided"
        why = open_ or "the value is not known"
    task = WHOLE if limit.scope or not limit.of else limit.of
    change = _changed(limit, old, value)
    return Judged(limit, task, old, value, change, None, verdict, is_over, member=member, why=why)


def _changed(limit: Limit, old: float | None, value: float | None) -> float | None:
    if old is None or value is None:
        return None
    metric = METRICS.get(limit.metric)
    if metric is not None and metric.unit == "share":
        return value - old
    return value / old - 1 if old else (0.0 if value == old else None)


def _passes(limit: Limit, old: float | None, value: float | None) -> bool:
    if value is None:
        return False
    bound, slack = float(limit.bound), _ROUND * max(abs(value), 1)
    metric = METRICS.get(limit.metric)
    if limit.is_change:
        return value - (old or 0) > bound + slack
    is_floor = metric is not None and not metric.more_is_worse
    return value < bound - slack if is_floor else value > bound + slack
