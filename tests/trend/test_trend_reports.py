"""What a user sees of a trend: the screen, the files, the failures; nothing in a report can disturb it."""

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from command import Capture, said
from costscan.cli.app import run
from costscan.reports.text.sanitize import cells
from costscan.reports.trend.sparkline import sparkline
from costscan.trend import read_history, trend
from hostile import TERMINAL as HOSTILE
from sides import Run, Spent
from trends import at, daily, day, report

pytestmark = pytest.mark.usefixtures("kept_analyses")

Golden = Callable[[str, str], None]


def reports(folder: Path) -> Path:
    """Write two reports: a task that rises, one that falls with its prompt, one that is new, one with one run."""
    (made := folder / "history").mkdir()
    small, large = (Spent(turns=4, units=(n, 8000, 0, 0, 200, 0)) for n in (1000, 50_000))
    review = [
        Run(
            f"review-{n}",
            "review",
            (large if n < 15 else small,),
            parts=[("Read", "tool_result", sent)],
            day=day(n),
        )
        for n, sent in enumerate([200_000] * 15 + [4000] * 15)
    ]
    nightly = daily([1, 1.1, 1.2, 1.05] * 4 + [2, 2.1, 2.2] * 5, "nightly")
    runs = [*nightly, *review, *daily([0.3] * 8, "triage", 20), *daily([2], "once", 9)]
    unknown = Run("partly", "triage", unpriced_turns=1, day=day(29))
    report(made / "week-42.parquet", *(r for r in runs if r.day < "2026-10-16"), made="2026-10-16T06:00:00Z")
    report(made / "week-44.parquet", *runs, unknown, made="2026-11-01T06:00:00Z")
    return made


@pytest.mark.parametrize("width", [80, 140])
def test_the_trend_on_a_terminal_of_that_width(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, golden: Golden, tmp_path: Path, width: int
) -> None:
    reports(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", str(width))
    golden(f"trend-{width}", said(capsys, "trend", "history"))


def test_the_trend_in_a_pipe(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, golden: Golden, tmp_path: Path
) -> None:
    reports(tmp_path)
    monkeypatch.chdir(tmp_path)
    golden("trend-piped", said(capsys, "trend", "history", "--metric", "prompt_tokens", "--task", "review"))


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
@pytest.mark.parametrize("metric", ["usd", "turns", "cache_hit_rate"])
def test_every_line_fits(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, width: int, metric: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    found = said(capsys, "trend", str(reports(tmp_path)), "--metric", metric).splitlines()
    assert max(cells(line) for line in found) <= width
    assert not any(line.endswith(" ") for line in found)


def test_the_document(capsys: Capture, tmp_path: Path) -> None:
    made = reports(tmp_path)
    found = json.loads(said(capsys, "trend", str(made), "--json"))
    assert [task["task"] for task in found["tasks"]] == ["nightly", "review", "triage", "once"]
    assert found["schema_version"] == int(
        pl.read_parquet_metadata(made / "week-42.parquet")["schema_version"]
    )
    assert [row["runs"] for row in found["reports"]] == [31, 40]
    assert found["fewest_runs"] == 8
    review = found["tasks"][1]
    assert (review["metric"], review["runs"], len(review["points"])) == ("usd", 30, 30)
    assert review["points"][0] == {"at": "2026-10-01T00:00:00Z", "runs": 1, "value": pytest.approx(0.1554)}
    (change,) = review["changes"]
    assert (change["at_before"], change["at_after"]) == ("2026-10-15T00:00:00Z", "2026-10-16T00:00:00Z")
    assert change["before"] == pytest.approx(50_000 * 3e-6 + 8000 * 0.3e-6 + 200 * 15e-6)
    assert change["after"] == pytest.approx(1000 * 3e-6 + 8000 * 0.3e-6 + 200 * 15e-6)
    assert change["report_after"].endswith("week-44.parquet")
    assert sum(cause["usd_per_run"] for cause in change["causes"]) == pytest.approx(-0.147)
    assert change["causes"][0]["cause"] == "prompt_tokens"
    assert change["causes"][0]["parts"][0]["part"] == "Read"
    assert found["tasks"][2]["unknown_runs"] == 1
    few = json.loads(said(capsys, "trend", str(made), "--json", "--top", "1"))["tasks"]
    assert [task["task"] for task in few] == ["nightly"]


def test_files_are_written_and_named(capsys: Capture, tmp_path: Path) -> None:
    made = reports(tmp_path)
    assert run(["trend", str(made), "-o", f"{tmp_path}/t.json", "-o", f"{tmp_path}/t.csv"]) == 0
    captured = capsys.readouterr()
    assert captured.err == f"wrote {tmp_path}/t.json\nwrote {tmp_path}/t.csv\n"
    assert len(json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))["tasks"]) == 4
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()))
    levels = [row["level"] for row in rows if row["task"] == "nightly"]
    assert levels == ["1"] * 16 + ["2"] * 15
    assert list(rows[0]) == ["task", "metric", "at", "runs", "value", "level", "typical"]


def test_reports_that_analyze_makes(capsys: Capture, in_repository: Path, tmp_path: Path) -> None:
    """What the reports of the logs hold together is what the logs cost, told twice or not."""
    log, made = "sample_logs/idle-hour", tmp_path / "made"
    made.mkdir()
    for name in ("a", "b"):
        assert run(["analyze", log, "-o", f"{made}/{name}.parquet", "-o", f"{tmp_path}/{name}.json"]) == 0
    capsys.readouterr()
    totals = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["totals"]
    (task,) = json.loads(said(capsys, "trend", str(made), "--json"))["tasks"]
    assert task["usd"] == totals["usd"]
    assert (task["task"], task["runs"], task["changes"]) == ("copperline", 1, [])


def test_tasks_that_are_not_shown_are_counted(capsys: Capture, tmp_path: Path) -> None:
    assert "… 3 more tasks in --json" in said(capsys, "trend", str(reports(tmp_path)), "--top", "1")


def test_what_is_said_of_failures(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, golden: Golden, tmp_path: Path
) -> None:
    reports(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "log.jsonl").touch()
    (tmp_path / "frames").mkdir()
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "frames" / "blocks.parquet")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "other.parquet")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "old.parquet", metadata={"schema_version": "0"})
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    report(tmp_path / "none.parquet")
    monkeypatch.chdir(tmp_path)
    text = ""
    for words in (
        "nowhere",
        "empty",
        "logs",
        "logs/log.jsonl",
        "frames",
        "other.parquet",
        "old.parquet",
        "broken.parquet",
        "none.parquet",
        "history --task nightli",
        "history --set check.false_alarm=0",
        "history -o trend.html",
    ):
        told = said(capsys, "trend", *words.split(), code=2)
        assert [line.partition(":")[0] for line in told.splitlines()] == ["error", "hint"]
        text += f"$ costscan trend {words}\n{told}\n"
    golden("errors-trend", text)


def test_what_a_report_names_is_inert(capsys: Capture, tmp_path: Path) -> None:
    task = HOSTILE.encode("utf-8", "replace").decode()
    runs = [
        Run(f"{task}{n}", task, (Spent(units=(n // 10 * 5000 + 1000, 0, 0, 0, 1, 0)),), day=day(n))
        for n in range(20)
    ]
    for r in runs:
        r.parts = [(task, "tool_result", r.row()["prompt_tokens"])]
    path = report(tmp_path / "r.parquet", *runs)
    shown = said(capsys, "trend", str(path))
    assert "rose" in shown
    assert not {character for character in shown if not character.isprintable() and character != "\n"}
    found = json.loads(said(capsys, "trend", str(path), "--json"))
    assert found["tasks"][0]["task"] == task
    formula = report(tmp_path / "f.parquet", *daily([1], "=cmd()"))
    said(capsys, "trend", str(formula), "-o", str(tmp_path / "f.csv"))
    assert "'=cmd()" in (tmp_path / "f.csv").read_text(encoding="utf-8")


def bars(costs: list[float], width: int, first: int = 0, last: int | None = None) -> str:
    points = pl.DataFrame(
        {
            "at": [at(n) for n in range(len(costs))],
            "runs": [1] * len(costs),
            "value": [float(cost) for cost in costs],
        },
        schema_overrides={"at": pl.Datetime("us", "UTC"), "value": pl.Float64},
    )
    return sparkline(points, at(first), at(len(costs) - 1 if last is None else last), width)


def test_bars() -> None:
    """Each bar is an eighth of the way from the lowest to the highest, on a scale of ratios."""
    assert bars([2.0**n for n in range(8)], 8) == "▁▂▃▄▅▆▇█"
    assert bars([1, 1, 1, 1], 4) == "▁▁▁▁"
    assert bars([1, 1.01, 1, 1.02], 4) == "▁▁▁▁", "under a doubling it is no more than it is"
    assert bars([1, 4, 1, 4], 2) == "▁▁"
    assert bars([1, 2], 4) == "▁  █"
    assert bars([3], 5) == "▁    "
    assert bars([], 5, last=3) == ""


def test_the_line_of_a_task_begins_with_the_first_of_all(tmp_path: Path) -> None:
    found = trend(read_history([str(reports(tmp_path))]))
    triage = next(task for task in found.tasks if task.task == "triage")
    assert sparkline(triage.points, at(0), at(30), 31).index("▁") == 20


def test_a_terminal_without_bars_gets_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    assert run(["trend", str(reports(tmp_path)), "--task", "nightly"]) == 0
    out.flush()
    shown = out.buffer.getvalue().decode()
    assert "$1.09 -> $2.10" in shown
    assert "#" in shown
    assert "?" not in shown
