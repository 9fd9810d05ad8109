"""`costscan usage`: its sums are those of `analyze`; days, weeks, months and windows by hand."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from billed import ROOT, Billed
from command import Capture, said
from costscan.cli.app import run
from costscan.cli.usage import By
from costscan.ingest.discover import default_folders
from costscan.meters import TOKENS
from costscan.pipeline import total
from costscan.request import Request
from costscan.settings.keys import Settings
from costscan.totals import KEYS, Totals
from costscan.totals.periods import key
from logs import assistant, message, pair, usage, write

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def totals(*paths: Path | str, by: str = "day", tz: str = "UTC") -> Totals:
    return total(Request(paths=tuple(map(str, paths)), workers=1, now=NOW, settings=Settings(tz=tz)), by)


@pytest.mark.parametrize("by", KEYS)
def test_rows_add_up_to_what_analyze_says(samples: Billed, by: str) -> None:
    found, expected = totals(ROOT / "sample_logs", by=by), samples.summary.totals
    whole, rows = found.total, pl.DataFrame(found.rows)
    assert whole["usd"] == expected.usd == rows["usd"].sum()
    assert whole["turns"] == expected.turns == rows["turns"].sum()
    assert whole["placeholder_turns"] == expected.placeholder_turns
    for name in TOKENS:
        assert whole[name] == getattr(expected, name) == rows[name].sum(), name
    if by != "model":
        assert pl.DataFrame(found.models)["usd"].sum() == whole["usd"]


def test_days_and_models_are_those_of_analyze(samples: Billed) -> None:
    columns = ("turns", "usd", *TOKENS)
    days = pl.DataFrame(totals(ROOT / "sample_logs").rows).select("day", *columns)
    assert days.rows() == samples.summary.by_day.select("day", *columns).rows()
    models = pl.DataFrame(totals(ROOT / "sample_logs", by="model").rows).select("model", *columns)
    assert sorted(models.rows()) == sorted(samples.summary.by_model.select("model", *columns).rows())


def calls(*moments: str | None) -> pl.DataFrame:
    at = pl.Series("at", [None if m is None else datetime.fromisoformat(m + "+00:00") for m in moments])
    return pl.DataFrame({"at": at.cast(pl.Datetime("us", "UTC"))}).with_columns(
        root_run_id=pl.lit("r"), project=pl.lit(None, pl.String), model=pl.lit("m")
    )


def test_a_window_lasts_five_hours_from_its_first_call() -> None:
    turns = calls(
        "2026-11-02T14:59:00", "2026-11-02T14:05:00", "2026-11-02T19:04:59", "2026-11-02T19:05:00", None
    )
    first, second = "2026-11-02 14:05", "2026-11-02 19:05"
    assert key("block", turns, "UTC").to_list() == [first, first, first, second, None]
    assert key("block", turns, "Asia/Tokyo")[0] == "2026-11-02 23:05"


def test_weeks_begin_on_monday_and_all_periods_in_the_zone() -> None:
    turns = calls("2026-11-01T23:30:00", "2026-11-30T23:30:00")  # a Sunday, a Monday
    assert key("week", turns, "UTC").to_list() == ["2026-10-26", "2026-11-30"]
    assert key("week", turns, "Europe/Berlin").to_list() == ["2026-11-02", "2026-11-30"]
    assert key("month", turns, "UTC").to_list() == ["2026-11", "2026-11"]
    assert key("month", turns, "Asia/Tokyo").to_list() == ["2026-11", "2026-12"]


def test_what_has_no_price_or_no_usage_is_said_and_no_zero(tmp_path: Path, capsys: Capture) -> None:
    log = write(
        tmp_path / "runs.jsonl",
        pair(message("msg_1", usage(1_000, out=100)), run_id="a", timestamp="2026-11-02T10:00:00Z"),
        pair(
            message("msg_2", usage(1_000, out=100), model="own-model"),
            run_id="b",
            timestamp="2026-11-03T10:00:00Z",
        ),
    )
    rows = totals(log, by="session").rows
    assert [(row["session"], row["usd"] is None) for row in rows] == [("a", False), ("b", True)]
    shown = said(capsys, "usage", str(log), "--tz", "UTC")
    assert "1 call without a known price: not in the cost" in shown
    assert [line.split()[-1] for line in shown.splitlines() if line.startswith("  2026-11-03")] == ["-"]


def test_hours_are_those_of_clocks_in_the_zone() -> None:
    turns = calls("2026-11-01T23:30:00", "2026-10-25T00:30:00", "2026-10-25T01:30:00", None)
    assert key("hour", turns, "UTC").to_list() == [
        "2026-11-01 23:00",
        "2026-10-25 00:00",
        "2026-10-25 01:00",
        None,
    ]
    berlin = ["2026-11-02 00:00", "2026-10-25 02:00", "2026-10-25 02:00", None]  # clocks go back in between
    assert key("hour", turns, "Europe/Berlin").to_list() == berlin
    assert key("hour", turns, "Asia/Kolkata")[0] == "2026-11-02 05:00"


def test_projects_are_the_folders_that_sessions_ran_in(tmp_path: Path) -> None:
    lines = [
        assistant(f"msg_{n}", usage(1_000, out=10), sessionId="s", cwd="/srv/app", uuid=f"u{n}")
        for n in range(2)
    ]
    found = totals(write(tmp_path / "s.jsonl", *lines), by="project").rows
    assert [(row["project"], row["turns"]) for row in found] == [("/srv/app", 2)]


def test_json_has_the_models_of_each_row(capsys: Capture) -> None:
    shown = said(capsys, "usage", str(ROOT / "sample_logs"), "--by", "month", "--json", "--breakdown")
    report = json.loads(shown)
    assert (report["by"], report["tz"], [row["month"] for row in report["rows"]]) == (
        "month",
        "UTC",
        ["2026-10", "2026-11"],
    )
    for row in report["rows"]:
        assert sum(Decimal(str(m["usd"])) for m in row["breakdown"]) == pytest.approx(
            Decimal(str(row["usd"]))
        )
        assert sorted(m["model"] for m in row["breakdown"]) == row["models"]
    assert report["totals"]["usd"] == pytest.approx(sum(row["usd"] for row in report["rows"]))


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_wider_than_the_screen(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for by in KEYS:
        shown = said(capsys, "usage", str(ROOT / "sample_logs"), "--by", by, "--breakdown")
        assert max(map(len, shown.splitlines())) <= width
        assert "total" in shown


def test_people_see_days_of_their_machine(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert "days of Asia/Tokyo" in said(capsys, "usage", str(ROOT / "sample_logs/idle-hour"))
    assert "days of UTC" in said(capsys, "usage", str(ROOT / "sample_logs/idle-hour"), "--tz", "UTC")
    assert '"tz": "UTC"' in said(capsys, "usage", str(ROOT / "sample_logs/idle-hour"), "--json")


def test_without_a_path_it_reads_where_clients_keep_logs(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    assert run(["usage"]) == 2
    assert "error: no logs in" in capsys.readouterr().err
    write(
        tmp_path / "config" / "projects" / "p" / "s.jsonl",
        assistant("msg_1", usage(1_000, out=10), sessionId="s"),
    )
    (tmp_path / "home" / ".claude" / "projects").mkdir(parents=True)
    assert default_folders() == [str(tmp_path / "config" / "projects")]  # the other one holds no log
    assert json.loads(said(capsys, "usage", "--json"))["totals"]["turns"] == 1
    assert json.loads(said(capsys, "analyze", "--json"))["totals"]["turns"] == 1


def test_the_command_alone_looks_at_the_last_days(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path))
    calls = [
        assistant(
            f"msg_{days}", usage(1_000, out=10), sessionId="s", timestamp=(now - timedelta(days)).isoformat()
        )
        for days in (40, 29, 1)
    ]
    write(tmp_path / "projects" / "p" / "s.jsonl", *calls)
    assert run([]) == 0
    assert "2 calls" in capsys.readouterr().out


def test_commands_offer_what_can_be_summed_by() -> None:
    assert [by.value for by in By] == list(KEYS)


def test_tokens_that_no_call_tells_are_unknown(tmp_path: Path) -> None:
    used = {"input_tokens": None, "output_tokens": 7}
    log = write(tmp_path / "s.jsonl", assistant("msg_1", used, sessionId="s"))
    (row,) = totals(log, by="session").rows
    assert (row["input_tokens"], row["output_tokens"]) == (None, 7)


def test_what_is_not_read_is_said(tmp_path: Path, capsys: Capture) -> None:
    write(
        tmp_path / "a.jsonl",
        assistant("msg_1", usage(100, out=5), sessionId="s"),
        b'{"type": "assistant", "mess',
    )
    write(tmp_path / "b.jsonl", b"no log at all")
    write(tmp_path / "c.jsonl.gz", b"\x1f\x8b damaged")
    shown = said(capsys, "usage", str(tmp_path))
    assert "  1 line skipped\n  2 other files not read" in shown


def test_counts_that_are_a_lower_bound_are_said(tmp_path: Path, capsys: Capture) -> None:
    log = write(
        tmp_path / "s.jsonl", assistant("msg_1", usage(100, out=1), stop_reason=None, version="2.1.1")
    )
    assert "1 call logged counts that are a lower bound: so is the cost" in said(capsys, "usage", str(log))
