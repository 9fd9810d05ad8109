"""A second ingest reads what is new, and nothing else."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import costscan
from command import Capture, said
from costscan import cache_folder
from costscan.errors import CostscanError
from costscan.meters import MODALITY_TOKENS
from costscan.store import parts, reading, tables
from costscan.store.upkeep import compact
from logs import assistant, at, usage, write
from reading_tables import age, names_read, session
from stores import assert_holds, fill, opened, rows_of


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for number in range(3):
        session(tmp_path / "logs" / f"{number}.jsonl", 2)
    return tmp_path / "logs"


@pytest.fixture
def was_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read."""
    return names_read(monkeypatch)


def test_only_what_is_new_or_grown_is_read(logs: Path, tmp_path: Path, was_read: list[str]) -> None:
    store = tmp_path / "store"
    done = fill(store, logs)
    assert (done.new, done.grown, done.unchanged, done.gone) == (3, 0, 0, 0)
    was_read.clear()
    assert fill(store, logs).unchanged == 3
    assert was_read == []
    session(logs / "new.jsonl", 1)
    session(logs / "1.jsonl", 5)
    done = fill(store, logs)
    assert (done.new, done.grown, done.unchanged) == (1, 1, 2)
    assert sorted(was_read) == ["1.jsonl", "new.jsonl"]
    assert_holds(store, logs)


def test_a_store_without_columns_that_came_later_is_read_and_added_to(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it does not tell of audio and images is unknown."""
    store, write_parquet = tmp_path / "store", parts.as_parquet

    def older(rows: pl.DataFrame, table: str) -> bytes:
        return write_parquet(rows.drop(MODALITY_TOKENS, strict=False), table)

    with monkeypatch.context() as earlier:
        earlier.setattr(parts, "as_parquet", older)
        fill(store, logs)
    assert "audio_input_tokens" not in pl.read_parquet(next(store.glob("calls/**/*.parquet"))).columns
    session(logs / "new.jsonl", 1)
    fill(store, logs)
    done = compact(opened(store)[0])
    assert done.after < done.before
    calls, wanted = (costscan.analyze(str(paths), workers=1) for paths in (store, logs))
    assert calls.turns.sort("run_id", "turn").equals(wanted.turns.sort("run_id", "turn"))
    assert calls.bill.equals(wanted.bill)


def test_nothing_new_changes_nothing(logs: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    fill(store, logs)
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*.parquet")}
    assert fill(store, logs).number == 1
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*.parquet")} == before


def test_a_file_that_shrank_or_was_replaced_counts_as_it_is(logs: Path, tmp_path: Path) -> None:
    fill(tmp_path / "store", logs)
    session(logs / "2.jsonl", 1)
    fill(tmp_path / "store", logs)
    assert_holds(tmp_path / "store", logs)


def test_logs_that_are_gone_stay_in_the_store(logs: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    whole = shutil.copytree(logs, tmp_path / "whole")
    fill(store, logs)
    (logs / "0.jsonl").unlink()
    done = fill(store, logs)
    assert (done.gone, done.unchanged) == (1, 2)
    assert rows_of(store, "calls").height == 6
    assert fill(store, whole).gone == 0  # others, of another folder


def test_a_file_that_was_just_written_to_is_read_again(
    logs: Path, tmp_path: Path, was_read: list[str]
) -> None:
    """It may be written to again within the same tick of its clock."""
    os.utime(logs / "0.jsonl")
    fill(tmp_path / "store", logs)
    was_read.clear()
    fill(tmp_path / "store", logs)
    assert was_read == ["0.jsonl"]
    assert_holds(tmp_path / "store", logs)


def test_one_file_by_several_paths_is_one(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "store", logs)
    (tmp_path / "link").symlink_to(logs)
    monkeypatch.chdir(tmp_path)
    assert fill(tmp_path / "store", "logs").unchanged == 3
    assert fill(tmp_path / "store", tmp_path / "link").unchanged == 3


def test_what_cannot_be_used_is_told_and_remembered(logs: Path, tmp_path: Path, was_read: list[str]) -> None:
    write(logs / "notes.jsonl", {"a": 1})
    age(logs)
    done = fill(tmp_path / "store", logs)
    assert [Path(path).name for path, _ in done.unusable] == ["notes.jsonl"]
    assert_holds(tmp_path / "store", logs)
    was_read.clear()
    fill(tmp_path / "store", logs)
    assert was_read == []


def test_nothing_usable_makes_no_store(tmp_path: Path) -> None:
    age(write(tmp_path / "logs" / "notes.jsonl", {"a": 1}))
    with pytest.raises(CostscanError, match=r"notes\.jsonl"):
        fill(tmp_path / "store", tmp_path / "logs")
    assert not (tmp_path / "store" / "_manifest").exists()


def test_a_store_among_the_logs_is_no_log(logs: Path) -> None:
    fill(logs / "store", logs)
    assert fill(logs / "store", logs).unchanged == 3
    assert_holds(logs / "store", *sorted(logs.glob("*.jsonl")))


def test_a_folder_of_logs_does_not_become_a_store(logs: Path, tmp_path: Path, capsys: Capture) -> None:
    shown = said(capsys, "ingest", str(logs), "--store", str(logs), code=2)
    assert "holds other files, like 0.jsonl" in shown
    assert sorted(path.name for path in logs.iterdir()) == ["0.jsonl", "1.jsonl", "2.jsonl"]
    (tmp_path / "empty").mkdir()
    fill(tmp_path / "empty", logs)
    assert_holds(tmp_path / "empty", logs)


def test_a_store_among_logs_is_passed_over(logs: Path, capsys: Capture) -> None:
    fill(logs / "store", logs)
    told = json.loads(said(capsys, "usage", str(logs), "--json"))
    assert told["inputs"] == {"files": 3, "skipped_lines": 0, "unusable_files": 0, "unread_files": 0}
    assert "holds no texts" in said(capsys, "calibrate", str(logs / "store"), code=2)


def test_totals_that_are_kept_are_those_of_the_store_as_it_is(
    logs: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(cache_folder.OFF)
    monkeypatch.setenv(cache_folder.DIR, str(tmp_path / "cache"))
    for number, log in enumerate(sorted(logs.iterdir())):
        call = assistant(f"msg_{number:022}", usage(100, out=5), sessionId=log.stem, timestamp=at(60))
        age(write(log, call))
    fill(tmp_path / "store", logs)
    before = [said(capsys, "usage", str(tmp_path / "store"), "--tz", "UTC") for _ in range(2)]
    assert before[0] == before[1]
    with monkeypatch.context() as patched:
        patched.setattr(reading, "of_manifest", None)
        assert said(capsys, "usage", str(tmp_path / "store"), "--tz", "UTC") == before[0]
    write(logs / "new.jsonl", assistant("msg_of_a_new_call_000001", usage(7000, out=50), timestamp=at(90)))
    age(logs)
    fill(tmp_path / "store", logs)
    assert said(capsys, "usage", str(tmp_path / "store"), "--tz", "UTC") != before[0]


def test_a_file_system_without_links(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    for log in sorted(logs.iterdir()):
        fill(tmp_path / "store", log)
    assert_holds(tmp_path / "store", logs)


def test_a_reader_whose_parts_are_replaced_meanwhile(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    for log in sorted(logs.iterdir()):
        fill(store, log)
    waiting = [lambda: compact(opened(store)[0])]
    real = tables.write

    def late(*given: Any, **how: Any) -> None:
        if waiting:
            waiting.pop()()
        real(*given, **how)

    monkeypatch.setattr(tables, "write", late)
    assert_holds(store, logs)
    assert not waiting


def test_projects_and_names_are_hostile(tmp_path: Path) -> None:
    for number, project in enumerate(
        ("../../x", "a/b=c&d %", "é" * 400, "", "..", "C:\\x\x1b[31m", "a" * 300)
    ):
        line = assistant(f"msg_{number:022}", usage(10, out=5), sessionId=f"s{number}", cwd=project)
        write(tmp_path / "logs" / f"{number}.jsonl", line)
    age(tmp_path / "logs")
    fill(tmp_path / "store", tmp_path / "logs")
    assert_holds(tmp_path / "store", tmp_path / "logs")
    assert {path.parent for path in (tmp_path / "store").iterdir()} == {tmp_path / "store"}


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (("ingest", "-", "--store", "{}"), "pipe"),
        (("analyze", "{}", "sample_logs"), "looked at alone"),
        (("analyze", "{}", "--format", "codex"), "a store knows"),
        (("store", "info", "none"), "no store"),
    ],
)
def test_what_makes_no_sense_is_refused(
    logs: Path, tmp_path: Path, capsys: Capture, command: tuple[str, ...], what: str
) -> None:
    fill(tmp_path / "store", logs)
    given = [word.format(tmp_path / "store") for word in command]
    assert what in said(capsys, *given, code=2)
