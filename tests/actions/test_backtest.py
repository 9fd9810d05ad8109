"""What is chosen on the earlier half of some runs, applied to the later half: by hand."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import polars as pl
import pytest

from costscan.actions.backtest import backtest_share
from costscan.actions.setting import CAP, FIX_PREFIX, TTL, Setting
from costscan.scenarios import TRIALS

if TYPE_CHECKING:
    from costscan.rulebook import Diagnosis

DAY = datetime(2026, 11, 1, tzinfo=UTC)
RUNS = ("d", "c", "b", "a")
"""Their names are not in the order of time."""


def of(
    tried: dict[tuple[str, str], float], part: str = TTL, tool: str | None = None, usd: float = 10.0
) -> Any:
    rows = [(part, run, tool, setting, saved) for (run, setting), saved in tried.items()]
    return cast("Diagnosis", SimpleNamespace(
        runs=pl.DataFrame({"run_id": RUNS, "started_at": [DAY + timedelta(n) for n in range(len(RUNS))]}),
        turns=pl.DataFrame({"run_id": RUNS, "usd": [usd] * len(RUNS)}),
        tried=pl.DataFrame(rows, schema=TRIALS, orient="row"),
        scenarios=pl.DataFrame({"run_id": list(RUNS), "scenario": part, "saved_usd": [2.0, 2.0, 1.0, 0.0]}),
    ))  # fmt: skip


def test_the_setting_of_the_earlier_runs_is_applied_to_the_later_ones() -> None:
    """Of d and c an hour saves 4 of 20, five minutes 3; of b and a it loses 1 of 20."""
    tried = {("d", "1h"): 3.0, ("c", "1h"): 1.0, ("d", "5m"): 3.0, ("c", "5m"): 0.0,
             ("b", "1h"): -2.0, ("a", "1h"): 1.0, ("b", "5m"): 5.0, ("a", "5m"): 5.0}  # fmt: skip
    setting = Setting(TTL, frozenset(RUNS), value="5m")
    assert backtest_share(of(tried), setting) == pytest.approx(-1 / 4)


def test_a_cap_is_that_of_its_tool() -> None:
    tried = {("d", "500"): 1.0, ("c", "500"): 1.0, ("b", "500"): 1.0, ("a", "500"): 0.0}
    read, bash = (Setting(CAP, frozenset(RUNS), tool=tool, value="500") for tool in ("Read", "Bash"))
    assert backtest_share(of(tried, CAP, "Read"), read) == pytest.approx(1 / 2)
    assert backtest_share(of(tried, CAP, "Read"), bash) is None


def test_what_is_not_chosen_is_what_it_saves_of_both_halves() -> None:
    setting = Setting(FIX_PREFIX, frozenset(RUNS))
    assert backtest_share(of({}, FIX_PREFIX), setting) == pytest.approx(1 / 4)


def test_of_few_runs_nothing_is_said() -> None:
    tried = {(run, "1h"): 1.0 for run in RUNS}
    assert backtest_share(of(tried), Setting(TTL, frozenset(RUNS[:3]), value="1h")) is None
    assert backtest_share(of(tried, usd=0.0), Setting(TTL, frozenset(RUNS), value="1h")) is None


def test_where_nothing_was_promised_nothing_came_true() -> None:
    tried = {(run, "1h"): -1.0 for run in RUNS}
    assert backtest_share(of(tried), Setting(TTL, frozenset(RUNS), value="1h")) is None
