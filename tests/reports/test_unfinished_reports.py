"""A process that is stopped while it writes a report: no half report, and what stood there before is whole."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from shutil import copytree
from typing import Final

import pytest

from command import NO_LEVERS
from costscan.cli.app import run
from suites import suite
from thoroughness import fewer

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="signals of POSIX"),
    pytest.mark.usefixtures("price_cache"),
]

SLOWLY: Final = """
import sys, time
from importlib import import_module
from pathlib import Path
from shutil import copytree

def write(*arguments):
    (path,) = (one for one in arguments if isinstance(one, Path))
    path.write_text("half")
    print("half", flush=True)
    time.sleep(600)

module, name, *sys.argv[1:] = sys.argv[1:]
setattr(import_module(module), name, write)
from costscan.cli import main
main()
"""
"""Writes half a report, says so, and takes its time for the rest."""
COMMANDS: Final = {
    "a report": ("costscan.reports.analysis.csv", "write", "analyze", "logs", *NO_LEVERS, "-o", "out/report.csv"),
    "a folder": ("costscan.reports.analysis.frames_folder", "_write", "analyze", "logs", *NO_LEVERS, "-o", "out/"),
    "a comparison": (
        "costscan.reports.comparison.json", "write", "check", "logs", *NO_LEVERS, "--baseline", "runs.parquet", "-o", "out/report.json"
    ),
    "a trend": ("costscan.reports.trend.json", "write", "trend", "runs.parquet", "-o", "out/report.json"),
}  # fmt: skip


STOPS: Final = [
    (what, number, code)
    for what in COMMANDS
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143))
]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with logs and a run report of them."""
    folder = tmp_path_factory.mktemp("recorded")
    logs = suite(folder / "logs" / "runs.jsonl", cases=1)
    assert run(["analyze", str(logs), *NO_LEVERS, "-o", str(folder / "runs.parquet")]) == 0
    return folder


@pytest.fixture
def home(tmp_path: Path, recorded: Path) -> Path:
    """A folder with these, and reports that stood there before."""
    copytree(recorded, tmp_path, dirs_exist_ok=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "tmp").mkdir()
    for name in ("report.csv", "report.json", "turns.parquet"):
        (tmp_path / "out" / name).write_text(f"what stood in {name}", encoding="utf-8")
    return tmp_path


def stopped(home: Path, command: tuple[str, ...], number: signal.Signals) -> int:
    """Stop a process while it writes, and give how it ended."""
    with subprocess.Popen(
        [sys.executable, "-c", SLOWLY, *command],
        cwd=home,
        env={**os.environ, "TMPDIR": str(home / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        unfinished = [p for p in (home / "out").iterdir() if p.name.startswith(".")]
        assert [p.read_text(encoding="utf-8") for p in unfinished] == ["half"]
        os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=60)
    assert errors == b""
    return process.returncode


def visible(home: Path) -> dict[str, str]:
    return {
        p.name: p.read_text(encoding="utf-8") for p in (home / "out").iterdir() if not p.name.startswith(".")
    }


@pytest.mark.parametrize(("what", "number", "code"), fewer(STOPS, 4))
def test_a_stop_leaves_what_stood_there_and_nothing_else(
    home: Path, what: str, number: signal.Signals, code: int
) -> None:
    before = visible(home)
    assert stopped(home, COMMANDS[what], number) == code
    assert visible(home) == before
    assert len(list((home / "out").iterdir())) == len(before)
    assert list((home / "tmp").iterdir()) == []


@pytest.mark.parametrize("what", fewer(COMMANDS, 2))
def test_a_kill_leaves_what_stood_there(home: Path, what: str) -> None:
    """Nobody can tidy up after that; but what has the name of a report is a whole one."""
    before = visible(home)
    assert stopped(home, COMMANDS[what], signal.SIGKILL) == -signal.SIGKILL
    assert visible(home) == before
