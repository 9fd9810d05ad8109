"""Whether runs got worse: two sides compared, limits and budgets applied, and why the cost moved."""

from collections.abc import Sequence
from datetime import UTC, datetime

from costscan import __version__
from costscan.gate import task_changes
from costscan.gate.action_changes import action_changes
from costscan.gate.causes import CAUSES, split
from costscan.gate.comparison import EXIT_CODES, Comparison, Totals
from costscan.gate.comparison_frame import comparison_frame
from costscan.gate.divided import divided
from costscan.gate.environment import differences
from costscan.gate.limits import DEFAULT, Limit, is_on_findings, limits
from costscan.gate.matching import matched
from costscan.gate.metric_change import WHOLE
from costscan.gate.metrics import ACTIONS, MEASURES, METRICS
from costscan.gate.side import ComparisonSide, is_report, of_logs, reported
from costscan.gate.task_changes import tasks
from costscan.gate.verdicts import Judged, Verdict, judged
from costscan.summary import SCHEMA_VERSION

FALSE_ALARM = 0.05
"""How often chance alone may fail a check."""


def compare(
    before: ComparisonSide | None,
    after: ComparisonSide,
    applied: Sequence[Limit] = (),
    *,
    false_alarm: float = FALSE_ALARM,
    now: datetime | None = None,
    unchecked: Sequence[Limit] = (),
) -> Comparison:
    """Compare two sides by task, apply limits, and say why the cost moved.

    Args:
        before: the baseline; None to hold one side against ceilings alone.
        after: what is compared with it.
        applied: the limits.
        false_alarm: how often chance alone may fail any of them.
        now: the time of the comparison.
        unchecked: limits that are not applied, because they need a baseline and there is none.
    """
    old = before or after  # without a baseline a side stands for its own: nothing is new, nothing moved
    pairs = matched(old.units, after.units)
    new = task_changes.only_in(after, old)
    verdicts = judged(applied, before, after, matched=pairs, new_findings=new, false_alarm=false_alarm)
    return Comparison(
        schema_version=SCHEMA_VERSION,
        costscan_version=__version__,
        generated_at=now or datetime.now(UTC),
        tz=after.tz,
        verdict=_worst(verdicts),
        false_alarm=false_alarm,
        before=_totals(before) if before else None,
        after=_totals(after),
        environment=differences(old, after),
        limits=verdicts,
        unchecked=[limit.text for limit in unchecked],
        comparison=comparison_frame(verdicts, before, after, pairs, false_alarm),
        causes=split(old, after),
        tasks=tasks(old, after) if before else tasks(old, after).clear(),
        new_findings=new,
        fixed_findings=task_changes.only_in(old, after),
        divisions=divided(before, after) if before else {},
        actions=action_changes(before, after),
    )


def _worst(judged: Sequence[Judged]) -> Verdict:
    verdicts = {row.verdict for row in judged}
    return next((v for v in ("failed", "undecided") if v in verdicts), "passed")


def _totals(side: ComparisonSide) -> Totals:
    units = side.units
    return Totals(
        name=side.name,
        runs=units.height,
        tasks=units["task"].n_unique(),
        turns=int(units["turns"].sum()),
        usd=side.usd,
        unpriced_turns=int(units["unpriced_turns"].sum()),
    )


__all__ = [
    "ACTIONS",
    "CAUSES",
    "DEFAULT",
    "EXIT_CODES",
    "FALSE_ALARM",
    "MEASURES",
    "METRICS",
    "WHOLE",
    "Comparison",
    "ComparisonSide",
    "Judged",
    "Limit",
    "Totals",
    "compare",
    "is_on_findings",
    "is_report",
    "limits",
    "of_logs",
    "reported",
]
