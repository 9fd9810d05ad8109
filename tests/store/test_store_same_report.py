"""What is said of a store is what is said of the logs that it was filled with, to the digit."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from command import NO_LEVERS, Capture, said
from costscan.cli.usage import By
from costscan.formats import available
from costscan.formats.interface import LogFile
from costscan.ingest import Moments, arrow_tables, polars_tables, worker
from costscan.reading.io.rows import Rows
from costscan.store import reading
from logs import assistant, at, usage, write
from reading_tables import age
from stores import assert_holds, documents, fill, opened

RANGES = {
    "all": (),
    "from a day on": ("--since", "2026-11-05"),
    "between days": ("--since", "2026-10-20", "--until", "2026-11-10"),
}


def test_every_row_and_count_is_that_of_the_logs(sample_copy: Path, sample_store: Path) -> None:
    assert_holds(sample_store, sample_copy)


@pytest.mark.parametrize(("chosen", "levers"), [
    (RANGES["all"], NO_LEVERS), (RANGES["from a day on"], ()), (RANGES["between days"], NO_LEVERS),
], ids=RANGES)  # fmt: skip
def test_an_analysis(
    sample_copy: Path, sample_store: Path, capsys: Capture, chosen: tuple[str, ...], levers: tuple[str, ...]
) -> None:
    """Levers, which take most of the time, are replayed for a week: they see nothing of where calls were read."""
    options = ("--json", "--no-cache", *chosen, *levers)
    of_logs = said(capsys, "analyze", str(sample_copy), *options)
    of_store = said(capsys, "analyze", str(sample_store), *options)
    one, other = documents(of_logs, of_store)
    assert one == other


@pytest.mark.parametrize(("by", "chosen"), [
    *((by, RANGES["between days"]) for by in By),
    (By.MODEL, RANGES["all"]),
    (By.MODEL, RANGES["from a day on"]),
], ids=str)  # fmt: skip
def test_totals(
    sample_copy: Path, sample_store: Path, capsys: Capture, by: By, chosen: tuple[str, ...]
) -> None:
    """What is summed by is the same whatever time was chosen before."""
    options = ("--json", "--breakdown", "--by", by.value, *chosen)
    one, other = documents(*(said(capsys, "usage", str(p), *options) for p in (sample_copy, sample_store)))
    assert one == other


def test_findings_and_a_check(sample_copy: Path, sample_store: Path, capsys: Capture) -> None:
    found = [said(capsys, "findings", str(path), *NO_LEVERS) for path in (sample_copy, sample_store)]
    assert found[0].replace(str(sample_copy), "") == found[1].replace(str(sample_store), "")
    same = ("--baseline", str(sample_copy), "--task", "sort-messages", *NO_LEVERS)
    said(capsys, "check", str(sample_store), *same)
    said(capsys, "check", str(sample_store), "--fail-on", "usd_per_run.p95:0.01", *NO_LEVERS, code=1)


@pytest.mark.parametrize(("command", "code"), [
    (("usage", "--since", "2027-01-01"), 2),
    (("usage", "--since", "2026-11-05", "--task", "nosuch"), 2),
    (("usage", "--since", "2026-11-20", "--task", "garden-titles", "--task", "sort-messages"), 0),
    (("usage", "--since", "2027-01-01", "--project", "*lanternfish"), 2),
])  # fmt: skip
def test_what_is_not_there(
    sample_copy: Path, sample_store: Path, capsys: Capture, command: tuple[str, ...], code: int
) -> None:
    """Names are looked for in all logs, not in those of the time alone."""
    name, *options = command
    paths = [str(path) for path in (sample_copy, sample_store)]
    shown = [said(capsys, name, path, *options, code=code).replace(path, "PATH") for path in paths]
    assert shown[0] == shown[1]


def test_only_files_that_bear_on_a_time_are_opened(sample_store: Path) -> None:
    _, manifest = opened(sample_store)
    since = Moments(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
    chosen = reading.of_time(manifest.files, since)
    assert 0 < chosen.height < manifest.files.height / 4


def test_a_first_read_that_others_began_with_too_is_known_whatever_the_time(
    tmp_path: Path, capsys: Capture
) -> None:
    """Whether a large first read is what all runs begin with is told by runs of other days."""
    for day in (1, 9):
        when = f"2026-07-0{day}"
        lines = [
            assistant(f"msg_{day}{n:020}", usage(5, read=70_000 + 100 * n, w5m=100, out=9), sessionId=f"s{day}",
                      timestamp=at(60 * n, when))
            for n in range(3)
        ]  # fmt: skip
        write(tmp_path / "logs" / f"{day}.jsonl", *lines)
    age(tmp_path / "logs")
    fill(tmp_path / "store", tmp_path / "logs")
    options = ("--json", "--since", "2026-07-05", *NO_LEVERS)
    paths = (tmp_path / "logs", tmp_path / "store")
    one, other = documents(*(said(capsys, "analyze", str(path), *options) for path in paths))
    assert one == other


def test_tables_are_the_same_whatever_writes_them(sample_copy: Path, tmp_path: Path) -> None:
    """Processes that have Polars write by it, workers by PyArrow."""
    logs = [LogFile(str(path)) for path in sorted(sample_copy.rglob("*.jsonl"))]
    line = assistant("msg_odd", usage(1, out=2), cwd="/home/odd", timestamp=at(1))
    odd = write(tmp_path / "odd.jsonl", json.dumps(line).replace("odd", "\\ud800"))
    for writer in (arrow_tables, polars_tables):
        (tmp_path / writer.__name__).mkdir()
        rows = Rows()
        for log in [*logs, LogFile(str(odd))]:
            log_format = worker.detect(log, list(available().values()))
            assert not isinstance(log_format, str)
            log_format.read(log, rows)
        writer.write(rows, tmp_path / writer.__name__, 0)
    for path in sorted((tmp_path / arrow_tables.__name__).iterdir()):
        assert_frame_equal(pl.read_ipc(path), pl.read_ipc(tmp_path / polars_tables.__name__ / path.name))


def test_files_of_other_days_that_tell_of_the_same_calls_bear_on_a_time(
    tmp_path: Path, capsys: Capture
) -> None:
    """A session that was resumed days later, with what it was before in another file."""
    days = ("2026-07-01", "2026-07-05", "2026-07-09")
    for number, day in enumerate(days):
        lines = [
            assistant(f"msg_{n:022}", usage(5, read=900 * n, w5m=900, out=9), sessionId=f"s{number}",
                      timestamp=at(60 * n, days[n // 3]))
            for n in range(3 * number + 3)
        ]  # fmt: skip
        write(tmp_path / "logs" / f"{day}.jsonl", *lines)
    age(tmp_path / "logs")
    for log in sorted((tmp_path / "logs").iterdir(), reverse=True):
        fill(tmp_path / "store", log)
    paths = (tmp_path / "logs", tmp_path / "store")
    for span in (
        ("--since", "2026-07-03"),
        ("--until", "2026-07-02"),
        ("--since", "2026-07-04", "--until", "2026-07-06"),
    ):
        options = ("--json", *span, *NO_LEVERS)
        one, other = documents(*(said(capsys, "analyze", str(path), *options) for path in paths))
        assert one == other
        assert one["inputs"]["duplicate_turns"] == 9
