"""The whole of a comparison: what every report of it is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

import polars as pl

from costscan.gate.environment import Difference
from costscan.gate.verdicts import Judged, Verdict

EXIT_CODES: Final[dict[str, int]] = {"passed": 0, "failed": 1, "undecided": 3}


@dataclass(frozen=True)
class Totals:
    """One side in numbers; `runs` are root runs, each with its sub-agents, `usd` the sum of what is known."""

    name: str
    runs: int
    tasks: int
    turns: int
    usd: Decimal
    unpriced_turns: int


@dataclass(frozen=True)
class Comparison:
    """What came of comparing two sides, or of holding one against ceilings.

    Attributes:
        verdict: the worst of the limits: failed, then undecided, then passed.
        tz: the time zone of days.
        false_alarm: how often chance alone may fail the check.
        before: the baseline; None without one.
        after: what is compared with it.
        environment: what else differs: to be read first.
        limits: each limit and what came of it.
        unchecked: the limits, as they were written, that need a baseline where there is none.
        comparison: the canonical frame: the limits, then a row per metric for all tasks, then per task.
        causes: why the cost moved (see `causes.SPLIT`); adds up to the change of the known cost.
        tasks: task, state (new, gone, changed, same), runs_before, runs_after, usd_before, usd_after (the
            known cost of all its runs) and usd_change, the largest change first.
        new_findings: those that the baseline does not have (rows of `found` in a run report).
        fixed_findings: those that only the baseline has.
        divisions: what each model and tool cost (see `divided`); none without a baseline.
        actions: what to do before and after (see `action_changes`); None where it is not known of both.
        promises: what became of the actions of an earlier report (`actions.promised.PROMISES`); None
            without one.
    """

    schema_version: int
    costscan_version: str
    generated_at: datetime
    tz: str
    verdict: Verdict
    false_alarm: float
    before: Totals | None
    after: Totals
    environment: list[Difference]
    limits: list[Judged]
    unchecked: list[str]
    comparison: pl.DataFrame
    causes: pl.DataFrame
    tasks: pl.DataFrame
    new_findings: pl.DataFrame
    fixed_findings: pl.DataFrame
    divisions: Mapping[str, pl.DataFrame] = field(metadata={"json": False})
    actions: pl.DataFrame | None = field(metadata={"json": False})
    promises: pl.DataFrame | None = None

    @property
    def exit_code(self) -> int:
        """0 passed, 1 failed, 3 undecided."""
        return EXIT_CODES[self.verdict]

    @property
    def usd_change(self) -> Decimal | None:
        """How much more the known cost of all runs is; None without a baseline."""
        return None if self.before is None else self.after.usd - self.before.usd
