"""Folders as people have them: what may not be read, links to nowhere, in circles, and to other folders."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from command import NO_LEVERS, Capture, said
from costscan.cli.app import run
from costscan.ingest import pool
from logs import OPUS, assistant, usage, usd, write
from seen import see
from tables_of import csv_of

EACH = usd(OPUS, **{"in": 10}, out=5)
NOBODY = 65534
pytestmark = pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")


def log(path: Path, n: int) -> Path:
    return write(path, assistant(f"msg_{n}", usage(10, out=5), sessionId=f"s{n}"))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may read, whoever runs the tests."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        for path in folder.rglob("*"):
            if not path.is_symlink():
                path.chmod(0o755)


NOBODYS: Final = """
import io, json, os, sys
from contextlib import redirect_stderr, redirect_stdout
from costscan.cli.app import run

def said(arguments):
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as errors:
        return run(arguments), out.getvalue(), errors.getvalue()

user, warm, *commands = map(json.loads, sys.argv[1:])
if os.geteuid() == 0:
    assert said(warm)[0] == 0  # imports all that nobody may not
    os.seteuid(user)
found = [said(arguments) for arguments in commands]
os.seteuid(os.getuid())  # whoever measures this process writes to a folder of the tests
print(json.dumps(found))
"""
"""Runs commands as a user for whom permissions count, which is not so of the superuser."""


def as_nobody(warm: Path, *paths: Sequence[str]) -> list[tuple[int, str, str]]:
    """Return how the command ended for each of some paths, and what it wrote to both streams."""
    given = [NOBODY, *(["analyze", *some, *NO_LEVERS] for some in ([str(warm)], *paths))]
    command = [sys.executable, "-c", NOBODYS, *map(json.dumps, given)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [(code, out, errors) for code, out, errors in json.loads(done.stdout)]


def test_what_may_not_be_read_is_named(open_folder: Path) -> None:
    warm = log(open_folder / "a.jsonl", 1)
    log(open_folder / "shut.jsonl", 2).chmod(0)
    log(open_folder / "shut" / "b.jsonl", 3)
    log(open_folder / "listed" / "c.jsonl", 4)
    (open_folder / "shut").chmod(0)
    (open_folder / "listed").chmod(0o444)
    shut = [str(open_folder / name) for name in ("listed/c.jsonl", "shut", "shut.jsonl")]
    inside = str(open_folder / "shut" / "b.jsonl")
    (code, out, errors), *alone = as_nobody(warm, [str(open_folder), inside], *([path] for path in shut))
    told = [f"warning: {path}: not read: Permission denied" for path in sorted([*shut, inside])]
    assert (code, errors.splitlines()) == (0, told)
    assert "1 call" in out
    assert "4 other files not read" in out
    for path, (code, _, errors) in zip(shut, alone, strict=True):
        assert code == 2
        assert errors.splitlines() == [
            f"error: {path}: not read: Permission denied", "hint: check the path and its permissions"
        ]  # fmt: skip


def test_links(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    log(home / "a.jsonl", 1)
    log(home / "deep" / "b.jsonl", 2)
    log(other / "c.jsonl", 3)
    log(other / "d.jsonl", 4)
    (other / "home").symlink_to(home)
    (home / "again").symlink_to(home / "deep")
    (home / "b-again.jsonl").symlink_to(home / "deep" / "b.jsonl")
    (home / "elsewhere").symlink_to(other)
    (home / "elsewhere-too").symlink_to(other)
    (home / "deep" / "up").symlink_to(home)
    (home / "gone.jsonl").symlink_to(tmp_path / "nowhere.jsonl")
    (home / "gone").symlink_to(tmp_path / "nowhere")
    (home / "gone.txt").symlink_to(tmp_path / "nowhere.txt")  # was never a log
    (home / "x.jsonl").symlink_to(home / "y.jsonl")
    (home / "y.jsonl").symlink_to(home / "x.jsonl")
    (home / "pipe.jsonl.d").mkdir()
    os.mkfifo(home / "pipe.jsonl")
    seen = see(home)
    assert (seen.usd, seen.n_turns, seen.reading.files) == (4 * EACH, 4, 4)
    assert seen.analysis.duplicate_turns == 0
    circle, nowhere = "a link to a folder that it is in", "a link that leads nowhere: "
    assert seen.reading.unread == {
        str(home / "deep" / "up"): circle,
        str(home / "elsewhere" / "home"): circle,
        str(home / "gone"): nowhere + "No such file or directory",
        str(home / "gone.jsonl"): nowhere + "No such file or directory",
        str(home / "x.jsonl"): nowhere + "Too many levels of symbolic links",
        str(home / "y.jsonl"): nowhere + "Too many levels of symbolic links",
    }
    assert seen.runs.filter(run_id="s2")["path"].to_list() == [str(home / "deep" / "b.jsonl")]


def test_a_folder_given_by_a_link_or_a_pattern(tmp_path: Path) -> None:
    log(tmp_path / "real" / "a.jsonl", 1)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for path in ("link", "l*", "*"):
        assert see(tmp_path / path).usd == EACH


def test_a_folder_of_nothing_but_dead_links_is_an_error(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    shown = said(capsys, "analyze", str(tmp_path), code=2)
    assert shown.startswith(
        f"error: {tmp_path / 'gone.jsonl'}: not read: a link that leads nowhere: No such file"
    )


def test_a_file_that_is_gone_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    log(tmp_path / "a.jsonl", 1)
    gone = log(tmp_path / "b.jsonl", 2)
    real = pool._tasks

    def late(*found: Any) -> Any:
        gone.unlink()
        return real(*found)

    monkeypatch.setattr(pool, "_tasks", late)
    assert run(["analyze", str(tmp_path), *NO_LEVERS]) == 0
    assert capsys.readouterr().err == f"warning: {gone}: not read: No such file or directory\n"


def test_of_the_tables_in_a_folder_logs_are_read(tmp_path: Path) -> None:
    log(tmp_path / "a.jsonl", 1)
    call = {"request_id": "c1", "call_type": "completion", "startTime": "2026-11-02", "spend": 1}
    (tmp_path / "SPEND.CSV").write_text(csv_of([call]))
    (tmp_path / "report.csv").write_text("run_id,task,usd\ns1,x,0.1\n")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1")
    seen = see(tmp_path)
    assert (seen.reading.files, seen.reading.unusable) == (2, [])
    assert list(seen.reading.unread) == [str(tmp_path / "cut.parquet")]
