"""Killed ingests, full disks, damaged parts: nothing is lost, nothing counts twice, and what is wrong is said."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import pytest
from polars.testing import assert_frame_equal

from command import Capture, said
from costscan.billing import Pricing
from costscan.errors import CostscanError
from costscan.store import garbage, reading
from costscan.store.places import Place
from costscan.store.upkeep import compact, prune
from logs import assistant, at, usage, write
from reading_tables import age
from store_faults import Killed, faulty, files_below, full, killed, spread
from stores import assert_holds, fill, globbed, opened, rows_of, turns, turns_of_logs
from thoroughness import THOROUGH

MOST = 1000 if THOROUGH else 12


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Two sessions; then one has grown, another was resumed into a new file, and one is new."""
    return begun(tmp_path / "logs")


def begun(folder: Path) -> Path:
    for number in range(2):
        talk(folder / f"{number}.jsonl", number, range(3))
    return folder


def talk(path: Path, session_id: int, calls: range, day: str = "2026-07-01") -> None:
    write(path, *(
        assistant(f"msg_{session_id}{n:021}", usage(100 + n, out=5), sessionId=path.stem, timestamp=at(60 * n, day))
        for n in calls
    ))  # fmt: skip
    age(path)


def goes_on(folder: Path) -> None:
    talk(folder / "0.jsonl", 0, range(5))
    talk(folder / "resumed.jsonl", 1, range(4))
    talk(folder / "new.jsonl", 7, range(2), "2026-07-02")


Upkeep: TypeAlias = Callable[[Place], object]


def steps_of(work: Callable[[], object]) -> int:
    """Return how many things work does to a store."""
    steps = killed(None)
    with faulty(steps):
        work()
    return steps.count


def test_a_kill_at_any_point(logs: Path, tmp_path: Path) -> None:
    fill(tmp_path / "before", logs)
    goes_on(logs)
    old, new = turns(rows_of(tmp_path / "before", "turns")), turns_of_logs(logs)
    total = steps_of(lambda: fill(shutil.copytree(tmp_path / "before", tmp_path / "counted"), logs))
    assert total > 20
    for step in spread(total, MOST):
        store = shutil.copytree(tmp_path / "before", tmp_path / f"killed at {step}")
        with faulty(killed(step)), pytest.raises(Killed):
            fill(store, logs)
        there = turns(rows_of(store, "turns"))
        assert there.equals(old) or there.equals(new), step
        fill(store, logs)
        assert_holds(store, logs)
        # What a killed process superseded is gone at once, what it wrote in vain when it is old.
        age(store, by_s=2 * garbage.OLD_S)
        goes_on(logs)
        fill(store, logs)
        where, manifest = opened(store)
        garbage.tidy(where, manifest, "")
        assert_frame_equal(turns(globbed(store, "turns")), new)
        assert sum(path.is_file() for path in store.rglob("*")) <= manifest.parts.height + 3 * 5, step


def test_a_kill_of_the_first_ingest(logs: Path, tmp_path: Path) -> None:
    total = steps_of(lambda: fill(tmp_path / "counted", logs))
    for step in spread(total, MOST):
        store = tmp_path / f"killed at {step}"
        with faulty(killed(step)), pytest.raises(Killed):
            fill(store, logs)
        fill(store, logs)
        assert_holds(store, logs)


def test_a_disk_that_is_full_at_any_point(logs: Path, tmp_path: Path) -> None:
    fill(tmp_path / "before", logs)
    goes_on(logs)
    total = steps_of(lambda: fill(shutil.copytree(tmp_path / "before", tmp_path / "counted"), logs))
    before = files_below(tmp_path / "before")
    refused = 0
    for step in spread(total, MOST):
        store = shutil.copytree(tmp_path / "before", tmp_path / f"full at {step}")
        what = _refused(store, logs, step)
        if what:
            assert what == "a part: No space left on device: the store is as it was"
            assert files_below(store) == before, step
        refused += bool(what)
        fill(store, logs)
        assert_holds(store, logs)
    assert refused > MOST / 2


def _refused(store: Path, logs: Path, step: int) -> str:
    """Return why an ingest with a full disk from some step on failed; nothing where it had been done by then."""
    try:
        with faulty(full(step)):
            fill(store, logs)
    except CostscanError as error:
        return error.what
    return ""


@pytest.mark.parametrize("work", [
    compact,
    lambda where: prune(where, datetime(2026, 7, 2, tzinfo=UTC), Pricing()),
])  # fmt: skip
def test_a_kill_of_upkeep(logs: Path, tmp_path: Path, work: Upkeep) -> None:
    fill(tmp_path / "before", logs)
    goes_on(logs)
    fill(tmp_path / "before", logs)
    done = shutil.copytree(tmp_path / "before", tmp_path / "done")
    total = steps_of(lambda: work(opened(done)[0]))
    before, after = (turns(rows_of(store, "turns")) for store in (tmp_path / "before", done))
    for step in spread(total, MOST // 2):
        store = shutil.copytree(tmp_path / "before", tmp_path / f"killed at {step}")
        with faulty(killed(step)), pytest.raises(Killed):
            work(opened(store)[0])
        there = turns(rows_of(store, "turns"))
        assert there.equals(before) or there.equals(after), step
        work(opened(store)[0])
        assert turns(rows_of(store, "turns")).equals(after)


def test_a_process_that_is_killed(logs: Path, tmp_path: Path) -> None:
    """The same by a signal that no process can catch."""
    command = [sys.executable, "-m", "costscan", "ingest", str(logs), "--store", str(tmp_path / "store")]
    for wait_s in (0.4, 0.8, 1.2):
        talk(logs / f"{wait_s}.jsonl", int(10 * wait_s), range(3))
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(wait_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
    fill(tmp_path / "store", logs)
    assert_holds(tmp_path / "store", logs)


def parts_of(store: Path) -> list[Path]:
    """Return a part of each table."""
    _, manifest = opened(store)
    return [
        store / name for name in manifest.parts.unique("table", keep="first", maintain_order=True)["name"]
    ]


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("harm", [cut, flip, Path.unlink])
def test_a_damaged_part(logs: Path, tmp_path: Path, capsys: Capture, harm: Callable[[Path], None]) -> None:
    goes_on(logs)
    fill(tmp_path / "sound", logs)
    for number in range(len(parts_of(tmp_path / "sound"))):
        store = shutil.copytree(tmp_path / "sound", tmp_path / f"damaged {number}")
        part = parts_of(store)[number]
        harm(part)
        shown = said(capsys, "store", "check", str(store), code=1)
        assert str(part) in shown
        if part.relative_to(store).parts[0] not in {"turns", "_ids"}:
            with pytest.raises(CostscanError, match=r"damaged|not there") as raised:
                reading.read(str(store))
            assert str(part) in raised.value.what
            assert "--repair" in raised.value.hint
        said(capsys, "store", "check", str(store), "--repair")
        said(capsys, "store", "check", str(store))
        fill(store, logs)
        assert_holds(store, logs)
        talk(logs / f"more {number}.jsonl", 1, range(2, 6))
        fill(store, logs)
        fill(tmp_path / "sound", logs)
        assert_holds(store, logs)


def test_a_damaged_manifest_is_told(logs: Path, tmp_path: Path, capsys: Capture) -> None:
    fill(tmp_path / "store", logs)
    (manifest,) = (tmp_path / "store" / "_manifest").glob("*.json")
    cut(manifest)
    for command in (
        ["analyze", str(tmp_path / "store")],
        ["ingest", str(logs), "--store", str(tmp_path / "store")],
    ):
        shown = said(capsys, *command, code=2)
        assert str(manifest) in shown
        assert "damaged" in shown


def test_a_store_of_a_newer_costscan_is_refused(logs: Path, tmp_path: Path, capsys: Capture) -> None:
    fill(tmp_path / "store", logs)
    (manifest,) = (tmp_path / "store" / "_manifest").glob("*.json")
    manifest.write_text(manifest.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    assert "update costscan" in said(capsys, "usage", str(tmp_path / "store"), code=2)


def test_a_store_that_may_not_be_written(logs: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "store").write_text("a file")
    shown = said(capsys, "ingest", str(logs), "--store", str(tmp_path / "store"), code=2)
    assert shown.startswith(f"error: {tmp_path / 'store'}")
