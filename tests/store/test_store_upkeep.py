"""Small files become few, old ones go, and what a store holds can be seen."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from command import Capture, said
from costscan.billing import Pricing
from costscan.store.upkeep import compact, prune
from logs import assistant, at, usage, write
from reading_tables import age
from stores import assert_holds, documents, fill, globbed, opened, rows_of, turns, turns_of_logs


def talk(path: Path, first: int, calls: int, day: str = "2026-07-01") -> Path:
    """Write a session that tells calls from one on; those of other sessions among them are the same calls."""
    write(path, *(
        assistant(f"msg_{n:022}", usage(100 + n, out=5), sessionId=path.stem, timestamp=at(60 * n, day), cwd="/home/a")
        for n in range(first, first + calls)
    ))  # fmt: skip
    age(path)
    return path


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Ten sessions: the second day's resumes one of the first."""
    for number in range(5):
        talk(tmp_path / "logs" / f"a{number}.jsonl", 10 * number, 3)
    for number in range(1, 5):
        talk(tmp_path / "logs" / f"b{number}.jsonl", 100 + 10 * number, 3, "2026-07-02")
    talk(tmp_path / "logs" / "c.jsonl", 0, 6, "2026-07-02")
    return tmp_path / "logs"


@pytest.fixture
def store(logs: Path, tmp_path: Path) -> Path:
    """A store that was filled file by file."""
    for log in sorted(logs.iterdir()):
        fill(tmp_path / "store", log)
    return tmp_path / "store"


def test_compaction_keeps_every_row(logs: Path, store: Path) -> None:
    before = opened(store)[1].parts
    done = compact(opened(store)[0])
    after = opened(store)[1].parts
    assert (done.before, done.after) == (before.height, after.height)
    per_day = after.group_by("table", "day").len()["len"]
    assert per_day.max() == 1
    assert after.height < before.height / 2
    assert_holds(store, logs)
    assert_frame_equal(turns(globbed(store, "turns")), turns_of_logs(logs))
    assert compact(opened(store)[0]).after == after.height
    assert opened(store)[1].number == 11


def test_parts_grow_no_larger_than_they_should(logs: Path, store: Path) -> None:
    compact(opened(store)[0], target_bytes=40_000)
    sizes = opened(store)[1].parts.filter(table="calls")["bytes"]
    assert 1 < sizes.len() < 10
    assert sizes.max() <= 40_000  # type: ignore[operator]
    assert_holds(store, logs)


def test_a_log_that_grows_after_compaction(logs: Path, store: Path) -> None:
    compact(opened(store)[0])
    talk(logs / "b2.jsonl", 120, 9, "2026-07-02")
    fill(store, logs)
    assert_holds(store, logs)


def test_what_is_pruned_is_not_read_again(logs: Path, store: Path) -> None:
    where, _ = opened(store)
    assert prune(where, datetime(2026, 7, 2, tzinfo=UTC), Pricing()) == 5
    left = sorted(logs.glob("[bc]*.jsonl"))
    assert_holds(store, *left)
    done = fill(store, logs)
    assert (done.new, done.unchanged) == (0, 10)
    assert_holds(store, *left)
    assert prune(where, datetime(2026, 7, 2, tzinfo=UTC), Pricing()) == 0


def test_a_log_that_goes_on_after_it_was_pruned_is_there_again(logs: Path, store: Path) -> None:
    prune(opened(store)[0], datetime(2026, 7, 2, tzinfo=UTC), Pricing())
    talk(logs / "a3.jsonl", 30, 4)
    fill(store, logs)
    assert_holds(store, *sorted(logs.glob("[bc]*.jsonl")), logs / "a3.jsonl")


def test_commands(logs: Path, store: Path, capsys: Capture) -> None:
    held = json.loads(said(capsys, "store", "info", str(store), "--json"))
    assert (held["files"], held["calls"], held["first_day"]) == (10, 30, "2026-07-01")
    assert held["usd"] == pytest.approx(float(turns_of_logs(logs)["usd"].sum()))
    assert "10 logs" in said(capsys, "store", "info", str(store))
    names = said(capsys, "store", "files", str(store), "--table", "turns").split()
    assert_frame_equal(turns(pl.read_parquet(names, hive_partitioning=True)), turns(rows_of(store, "turns")))
    later = said(capsys, "store", "files", str(store), "--since", "2026-07-02").split()
    assert 0 < len(later) < len(names)
    assert "are written" not in said(capsys, "store", "check", str(store))
    assert "now" in said(capsys, "store", "compact", str(store))
    refused = said(capsys, "store", "prune", str(store), "--before", "2026-07-02", code=2)
    assert "--yes" in refused
    assert "5 logs" in said(capsys, "store", "prune", str(store), "--before", "2026-07-02", "--yes")
    assert "no log" in said(capsys, "store", "prune", str(store), "--before", "2026-07-02", "--yes")


def test_what_an_ingest_says(logs: Path, tmp_path: Path, capsys: Capture) -> None:
    write(logs / "notes.jsonl", {"a": 1})
    age(logs)
    shown = said(capsys, "ingest", str(logs), "--store", str(tmp_path / "s"))
    assert "11 new, 0 changed, 0 as they were" in shown
    assert "30 calls" in shown
    assert f"not read: {logs / 'notes.jsonl'}: " in shown
    told = json.loads(said(capsys, "ingest", str(logs), "--store", str(tmp_path / "s"), "--json"))
    assert (told["new"], told["unchanged"], told["calls"], told["read_bytes"]) == (0, 11, 30, 0)


def test_days_of_paths_with_a_date(tmp_path: Path, capsys: Capture) -> None:
    for day in ("2026-07-01", "2026-07-02"):
        talk(tmp_path / "logs" / day / "a.jsonl", int(day[-2:]) * 10, 2, day)
    path = str(tmp_path / "logs" / "{date:%Y-%m-%d}")
    shown = said(capsys, "ingest", path, "--store", str(tmp_path / "s"), "--since", "2026-07-02")
    assert "1 new" in shown


def test_a_trend_of_a_store_is_that_of_reports(
    logs: Path, store: Path, tmp_path: Path, capsys: Capture
) -> None:
    said(capsys, "analyze", str(logs), "-o", str(tmp_path / "report.parquet"), brief=True)
    paths = (tmp_path / "report.parquet", store)
    one, other = documents(
        *(said(capsys, "trend", str(path), "--json").replace(str(path), "PATH") for path in paths)
    )
    assert one["tasks"] == other["tasks"]
    later = json.loads(said(capsys, "trend", str(store), "--json", "--since", "2026-07-02"))
    assert later["tasks"] != other["tasks"]
    refused = said(capsys, "trend", str(tmp_path / "report.parquet"), "--since", "7d", code=2)
    assert "a report has runs" in refused
