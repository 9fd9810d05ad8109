"""What written trials say of the calls that actions move."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from costscan.actions.measured import Moved
from costscan.schema.tables.trials import TRIAL
from costscan.trial.agreement import interval
from costscan.trial.measurements import measurements

MOVED = Moved("label", None, "single-shot-label", "claude-haiku-5-5")
ROW: dict[str, Any] = {
    "trial": "t", "run_id": "r", "turn": 0, "task": "label", "agent": None, "evidence": "single-shot-label",
    "model": "claude-opus-5-5", "to_model": "claude-haiku-5-5", "role": "target", "position": 0,
    "stratum_calls": 40, "kind": "label", "state": "compared", "agrees": True, "why": None, "usd": Decimal(0),
    "duration_s": None, "recorded_usd": None, "recorded_duration_s": None, "alpha": 0.03,
}  # fmt: skip


def written(path: Path, *rows: dict[str, Any]) -> Path:
    pl.DataFrame([ROW | row for row in rows], schema=TRIAL.schema, orient="row").write_parquet(path)
    return path


def test_by_hand(tmp_path: Path) -> None:
    """18 of 20 agree, one was not compared; the old model agrees with itself in 3 of 4."""
    target = [{"agrees": n >= 2} for n in range(20)] + [{"agrees": None, "state": "failed"}]
    itself = [{"role": "itself", "agrees": n > 0} for n in range(4)]
    other = [{"task": "else", "agent": "explorer", "agrees": False}]
    found = measurements([written(tmp_path / "t.parquet", *target, *itself, *other)])
    assert set(found) == {MOVED, MOVED._replace(task="else", agent="explorer")}
    one = found[MOVED]
    assert (one.agreement, one.itself, one.calls) == (0.9, 0.75, 20)
    assert (one.low, one.high) == interval(18, 20, 0.03)
    assert one.escalated == pytest.approx((0.1, 1 - one.high, 1 - one.low))
    assert found[MOVED._replace(task="else", agent="explorer")].itself is None


def test_of_two_trials_of_the_same_calls_the_first_counts(tmp_path: Path) -> None:
    first = written(tmp_path / "a.parquet", {"agrees": True})
    second = written(tmp_path / "b.parquet", {"agrees": False}, {"agrees": False, "task": "else"})
    found = measurements([first, second])
    assert (found[MOVED].agreement, found[MOVED._replace(task="else")].agreement) == (1.0, 0.0)


def test_what_only_the_old_model_answered_measures_nothing(tmp_path: Path) -> None:
    assert measurements([written(tmp_path / "t.parquet", {"role": "itself"}, {"agrees": None})]) == {}
