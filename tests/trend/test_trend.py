"""What a trend says of histories made by hand: when a task changed, from what to what, and why."""

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costscan.errors import CostscanError
from costscan.gate import FALSE_ALARM
from costscan.gate.causes import split
from costscan.gate.metrics import METRICS
from costscan.trend import TaskTrend, read_history, trend
from costscan.trend.task_trends import task_trend
from hypothesis_profile import examples
from sides import Run, Spent, side
from trends import at, daily, day, history, of, report

STEADY = Spent(turns=4, units=(1000, 8000, 0, 0, 200, 0))


def test_one_step_up(tmp_path: Path) -> None:
    """The geometric mean of 1 and 4 is 2, of 9 and 16 it is 12."""
    (change,) = of(tmp_path, *daily([1, 4] * 6 + [9, 16] * 5)).changes
    assert [change.before, change.after] == pytest.approx([2, 12])
    assert change.change == pytest.approx(5)
    assert (change.at_before, change.at_after) == (at(11), at(12))
    assert (change.run_before, change.run_after) == ("t11", "t12")
    assert (change.runs_before, change.runs_after) == (12, 10)
    assert change.p_value <= 0.001


def test_two_steps(tmp_path: Path) -> None:
    found = of(tmp_path, *daily([1, 1.1] * 6 + [2, 2.2] * 6 + [1, 1.1] * 6))
    assert [change.at_after for change in found.changes] == [at(12), at(24)]
    assert [change.change for change in found.changes] == [pytest.approx(1), pytest.approx(-0.5)]
    assert found.first == pytest.approx(found.last)
    assert found.changes[0].after == found.changes[1].before


def test_drift_is_told_as_steps_in_its_direction(tmp_path: Path) -> None:
    found = of(tmp_path, *daily([1.03**n for n in range(60)]))
    assert found.changes
    assert all(change.change > 0 for change in found.changes)
    levels = [found.first, *(change.after for change in found.changes)]
    assert all(old < new for old, new in pairwise(levels) if old is not None and new is not None)


@pytest.mark.parametrize("place", [0, 1, 15, 29])
def test_a_spike_of_one_run_is_no_change(tmp_path: Path, place: int) -> None:
    costs = [1 + n * 7 % 5 / 50 for n in range(30)]
    costs[place] = 500
    assert of(tmp_path, *daily(costs)).changes == []


@pytest.mark.parametrize("runs", [1, 2, 6, 7])
def test_too_few_runs(tmp_path: Path, runs: int) -> None:
    found = of(tmp_path, *daily([1 if n < runs // 2 else 5 for n in range(runs)]))
    assert (found.runs, found.changes) == (runs, [])


def test_eight_runs_are_enough_where_it_is_clear(tmp_path: Path) -> None:
    """Of the 70 ways to choose 4 of 8, two put all the dear ones on one side."""
    (change,) = of(tmp_path, *daily([1, 1.2, 1.1, 1.3, 5, 5.2, 5.1, 5.3])).changes
    assert change.p_value == pytest.approx(2 / 70)


def test_equal_runs(tmp_path: Path) -> None:
    found = of(tmp_path, *daily([0.25] * 40))
    assert found.changes == []
    assert found.first == found.last == pytest.approx(0.25)


@pytest.mark.parametrize(("factor", "changes"), [(1.04, 0), (1.06, 1), (1 / 1.04, 0), (1 / 1.06, 1)])
def test_small_steps_are_none(tmp_path: Path, factor: float, changes: int) -> None:
    assert len(of(tmp_path, *daily([1.0] * 20 + [factor] * 20)).changes) == changes


def test_a_rate_of_false_alarms_is_a_choice(tmp_path: Path) -> None:
    runs = daily([1, 1.2, 1.1, 1.3, 5, 5.2, 5.1, 5.3])
    assert len(of(tmp_path, *runs, false_alarm=0.05).changes) == 1
    assert of(tmp_path, *runs, false_alarm=0.04).changes == []


def test_a_task_that_is_new_in_the_middle(tmp_path: Path) -> None:
    read = history(tmp_path, *daily([1, 1.1] * 10), *daily([5] * 10, "u", 10))
    found = {task.task: task for task in trend(read).tasks}
    assert list(found) == ["u", "t"], "the most expensive first: 50 and 21 dollars"
    assert (found["u"].first_at, found["u"].runs, found["u"].changes) == (at(10), 10, [])
    assert (found["u"].usd, found["t"].usd) == (Decimal(50), Decimal(21))


def test_runs_of_unknown_cost_are_left_out_and_counted(tmp_path: Path) -> None:
    """A run with a turn that has no price cost more than what is known of it."""
    partly = Run("part", usd="9", unpriced_turns=1, day=day(3))
    free = Run("free", usd="0", day=day(3))
    unknown = Run("none", unpriced_turns=2, day=day(4))
    found = of(tmp_path, *daily([1] * 5), partly, unknown, free)
    assert (found.runs, found.unknown_runs, found.usd) == (5, 3, Decimal(14))
    turns = of(tmp_path, *daily([1] * 5), partly, unknown, metric="turns")
    assert (turns.runs, turns.unknown_runs, turns.points["value"].to_list()) == (2, 5, [1, 2])


def undated(*costs: float, ids: str) -> list[Run]:
    return [Run(f"{ids}{n}", usd=str(usd)) for n, usd in enumerate(costs)]


def dateless(path: Path, made: str | None, *runs: Run) -> Path:
    """Write a report of runs whose start is not known."""
    report(path, *(Run(run.run_id, run.task, usd=run.usd) for run in runs), made=made)
    said = pl.read_parquet_metadata(path)
    frame = pl.read_parquet(path).with_columns(started_at=pl.lit(None, pl.Datetime("us", "UTC")))
    frame.write_parquet(path, metadata={name: text for name, text in said.items() if name != "ARROW:schema"})
    return path


def test_runs_without_a_start_stand_at_the_first_report_of_them(tmp_path: Path) -> None:
    """Ten runs of the first report, and again in the second, with ten others; these have one cheap among them."""
    old = undated(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ids="a")
    new = undated(1, 2, 2, 2, 2, 2, 2, 2, 2, 2, ids="b")
    dateless(tmp_path / "1.parquet", "2026-10-01T00:00:00+00:00", *old)
    dateless(tmp_path / "2.parquet", "2026-10-08T00:00:00+00:00", *old, *new)
    (task,) = trend(read_history([str(tmp_path)])).tasks
    assert task.points.rows() == [(at(0), 10, 1.0), (at(7), 10, pytest.approx(2**0.9))]
    (change,) = task.changes
    assert (change.at_before, change.at_after) == (at(0), at(7))
    assert (Path(change.report_before).name, Path(change.report_after).name) == ("1.parquet", "2.parquet")
    assert (change.runs_before, change.runs_after) == (10, 10), "runs of the same time stay together"


def test_a_run_without_any_time_is_left_out(tmp_path: Path) -> None:
    path = dateless(tmp_path / "1.parquet", None, *undated(1, 2, ids="a"))
    (task,) = trend(read_history([str(path)])).tasks
    assert (task.runs, task.unknown_runs, task.first, task.changes) == (0, 2, None, [])


def test_a_run_in_several_reports_counts_once_as_the_newest_tells_it(tmp_path: Path) -> None:
    report(tmp_path / "b.parquet", Run("r", usd="1"), Run("s", usd="5"), made="2026-10-01T00:00:00+02:00")
    report(tmp_path / "a.parquet", Run("r", usd="3"), made="2026-10-01T00:00:00+00:00")
    read = read_history([str(tmp_path), str(tmp_path / "a.parquet")])
    (task,) = trend(read).tasks
    assert (task.runs, task.usd) == (2, Decimal(8))
    assert [(Path(name).name, runs) for name, runs in read.reports.select("name", "runs").rows()] == [
        ("b.parquet", 2),
        ("a.parquet", 0),
    ]


def test_older_reports_go_on_in_newer_ones(tmp_path: Path) -> None:
    """A report of schema 1 has a row per sub-agent: they belong to their run there too."""
    runs = daily([1, 1.1] * 5)
    helpers = [Run(f"h{n}", "other", usd="3", root=f"t{n}", day=day(50)) for n in range(10) if n >= 5]
    old = report(tmp_path / "old.parquet", *runs, *helpers, schema=1)
    new = report(tmp_path / "new.parquet", *runs[:5], made="2026-11-21T00:00:00+00:00")
    read = read_history([str(old), str(new)])
    (task,) = trend(read).tasks
    assert (task.task, task.runs, task.usd) == ("t", 10, Decimal("25.5"))
    assert task.last_at == at(9)
    assert read.reports["runs"].to_list() == [10, 0]


def test_shares_change_by_points(tmp_path: Path) -> None:
    cached = [
        Run(f"r{n}", spent=(Spent(units=(1000, 9000 if n < 10 else 1000, 0, 0, 10, 0)),), day=day(n))
        for n in range(20)
    ]
    (change,) = of(tmp_path, *cached, metric="cache_hit_rate").changes
    assert [change.before, change.after] == pytest.approx([0.9, 0.5])
    assert change.change == pytest.approx(-0.4)


def test_why_does_not_depend_on_the_number_of_runs(tmp_path: Path) -> None:
    """Ten runs of 3 + 2.4 + 3 thousandths of a dollar, then thirty that send twice as much plain input a turn."""
    more = Spent(turns=4, units=(2000, 8000, 0, 0, 200, 0))
    runs = [
        Run(f"r{n}", spent=(STEADY if n < 10 else more,), parts=[("Read", "tool_result", n)], day=day(n))
        for n in range(40)
    ]
    (change,) = of(tmp_path, *runs).changes
    causes = change.causes
    assert [change.before, change.after] == pytest.approx([0.0084, 0.0114])
    assert set(causes["cause"]) == {"prompt_tokens", "cache"}
    assert Decimal(causes["usd_per_run"].sum()) == Decimal("0.003")


def test_a_new_price_is_named(tmp_path: Path) -> None:
    more_expensive = Spent(STEADY.model, STEADY.turns, STEADY.units, (3, "0.3", "3.75", 6, 30, 10_000))
    runs = [Run(f"r{n}", spent=(STEADY if n < 10 else more_expensive,), day=day(n)) for n in range(20)]
    (change,) = of(tmp_path, *runs).changes
    assert change.causes.rows() == [("price", "", "", Decimal("0.003"))]


@examples(40)
@given(
    st.integers(1, 9),
    st.lists(st.integers(1, 30), min_size=1, max_size=3),
    st.lists(st.integers(1, 30), min_size=1),
)
def test_causes_of_a_mean_run_add_up_to_its_change(factor: int, old: list[int], new: list[int]) -> None:
    """So many times as many runs on one side change nothing of it."""

    def runs(turns: list[int], times: int) -> list[Run]:
        spent = [Spent(turns=n, units=(100 * n, 1000 * n, 0, 0, 30 + n, 0)) for n in turns]
        return [Run(f"{k}-{time}", spent=(some,)) for time in range(times) for k, some in enumerate(spent)]

    one = split(side(*runs(old, 1)), side(*runs(new, 1)), per_run=True)
    many = split(side(*runs(old, factor)), side(*runs(new, 1)), per_run=True)
    assert "runs" not in set(one["cause"])
    before, after = (side(*runs(turns, 1)).usd / len(turns) for turns in (old, new))
    assert Decimal(one["usd"].sum() or 0) == pytest.approx(after - before, abs=Decimal("1e-11"))
    causes = [dict(found.group_by("cause").agg(pl.col("usd").sum()).iter_rows()) for found in (one, many)]
    for cause in set(causes[0]) | set(causes[1]):
        assert causes[0].get(cause, Decimal(0)) == pytest.approx(
            causes[1].get(cause, Decimal(0)), abs=Decimal("1e-10")
        )


def found_in(costs: list[float]) -> TaskTrend:
    runs = side(*daily(costs))
    units = runs.units.with_columns(at="started_at", report=pl.lit("r"))
    return task_trend(units, runs, METRICS["usd"], FALSE_ALARM)


@given(st.floats(1e-6, 1e6), st.integers(1, 60))
@examples(20)
def test_a_constant_series_never_changes(usd: float, runs: int) -> None:
    found = found_in([usd] * runs)
    assert (found.runs, found.changes) == (runs, [])


@given(st.lists(st.integers(1, 9), min_size=8, max_size=40), st.sampled_from([2, 8, 1024]), st.booleans())
@examples(25)
def test_a_factor_changes_nothing_but_the_values(costs: list[int], factor: int, steep: bool) -> None:
    costs = sorted(costs) if steep else costs
    old, new = (found_in([cost * times for cost in costs]) for times in (1, factor))
    assert len(new.changes) == len(old.changes)
    for mine, other in zip(old.changes, new.changes, strict=True):
        assert (mine.run_after, mine.p_value) == (other.run_after, other.p_value)
        assert other.before == pytest.approx(mine.before * factor)
        assert other.change == pytest.approx(mine.change)


def test_the_order_of_the_files_does_not_matter(tmp_path: Path) -> None:
    runs = daily([1, 1.1] * 10 + [2, 2.3] * 10)
    for n, name in enumerate("cabd"):
        made = f"2026-11-{n + 1:02d}T00:00:00+00:00"
        report(tmp_path / f"{name}.parquet", *runs[n * 10 : n * 10 + 12], made=made)
    files = [str(path) for path in sorted(tmp_path.iterdir())]
    there, back = (trend(read_history(paths)).tasks for paths in (files, files[::-1]))
    assert there[0].points.equals(back[0].points)
    assert [(c.run_after, c.p_value, c.report_after) for c in there[0].changes] == [
        (c.run_after, c.p_value, c.report_after) for c in back[0].changes
    ]
    assert [c.run_after for c in there[0].changes] == ["t20"]


def test_reports_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(CostscanError, match="no run in these reports"):
        trend(history(tmp_path))


def test_a_change_of_all_tasks_shows_in_all_together(tmp_path: Path) -> None:
    """Eight runs of a task cannot tell 5 before from 3 after; eighty of ten tasks of all sizes can."""
    runs = [run for n in range(10) for run in daily([3.0**n] * 5 + [2 * 3.0**n] * 3, f"t{n}")]
    found = trend(history(tmp_path, *runs))
    assert [task.changes for task in found.tasks] == [[]] * 10
    assert found.whole is not None
    (change,) = found.whole.changes
    assert (change.at_before, change.at_after) == (at(4), at(5))
    assert change.change == pytest.approx(1)
    assert change.causes["usd_per_run"].sum() == pytest.approx(
        Decimal(sum(3**n for n in range(10))) / 10, abs=Decimal("1e-9")
    )


def test_other_tasks_at_other_times_are_no_change(tmp_path: Path) -> None:
    """From the middle on, runs are of a task that costs a hundred times as much."""
    found = trend(history(tmp_path, *daily([1, 1.1] * 10), *daily([100, 110] * 10, "u", 20)))
    assert found.whole is not None
    assert found.whole.changes == []
