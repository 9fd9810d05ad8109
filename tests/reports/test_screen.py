"""The width of what is printed, whatever $COLUMNS and the terminal say of it."""

import io
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from command import Capture, said
from costscan.cli.progress import progress
from costscan.reports.text.console import width_of
from costscan.reports.text.sanitize import cells
from logs import pair, write

pytestmark = pytest.mark.usefixtures("kept_analyses")

NOTHING = ["0", "-3", "abc", "", "²", "9" * 5000]
"""What says nothing of a width: rich prints nothing on 0 columns, and fails over the last two."""
WIDTHS = [("1", 40), ("5", 40), ("40", 40), ("87", 87), ("140", 140), ("100000", 140)]
COMMANDS = [
    "analyze log.jsonl",
    "analyze log.jsonl --by day",
    "explain worst log.jsonl",
    "explain cache-expired",
    "check log.jsonl --baseline base.parquet",
    "compare base.parquet base.parquet",
    "trend base.parquet",
    "whatif log.jsonl --model haiku",
    "prices",
    "rules",
    "schema turns",
]


@pytest.mark.parametrize(("said", "width"), [*((nothing, 100) for nothing in NOTHING), *WIDTHS])
def test_the_width_of_a_pipe(monkeypatch: pytest.MonkeyPatch, said: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", said)
    monkeypatch.setenv("LINES", said)
    assert width_of(io.StringIO()) == width


@pytest.fixture
def terminal() -> Iterator[int]:
    """Yield the descriptor of a pseudo-terminal, which begins with no size."""
    master, slave = os.openpty()
    yield slave
    os.close(slave)
    os.close(master)


def sized(terminal: int, columns: int) -> io.TextIOWrapper:
    import fcntl  # noqa: PLC0415 - POSIX only
    import termios  # noqa: PLC0415

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24 if columns else 0, columns, 0, 0))
    return os.fdopen(os.dup(terminal), "w", encoding="utf-8")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="pseudo-terminals are POSIX")
@pytest.mark.parametrize("columns", [20, 90, 300])
@pytest.mark.parametrize(("said", "width"), [*((nothing, None) for nothing in NOTHING), *WIDTHS])
def test_the_width_of_a_terminal(
    monkeypatch: pytest.MonkeyPatch, terminal: int, said: str, columns: int, width: int | None
) -> None:
    monkeypatch.setenv("COLUMNS", said)
    with sized(terminal, columns) as out:
        assert width_of(out) == (width or min(max(columns, 40), 140))


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="pseudo-terminals are POSIX")
@pytest.mark.parametrize("said", NOTHING)
def test_a_terminal_without_a_size(monkeypatch: pytest.MonkeyPatch, terminal: int, said: str) -> None:
    monkeypatch.setenv("COLUMNS", said)
    for name in ("__stdout__", "__stderr__", "__stdin__"):
        monkeypatch.setattr(sys, name, None)
    with sized(terminal, 0) as out:
        assert width_of(out) == 80
        monkeypatch.setattr(sys, "stderr", out)
        with progress(["."]) as told:
            told.read(1)


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "log.jsonl", *(pair(run_id=f"r{n}", task="nightly") for n in range(3)))
    said(capsys, "analyze", "log.jsonl", "-o", "base.parquet")


def test_every_command_prints_on_a_screen_of_no_columns(
    logs: None, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "0")
    for command in COMMANDS:
        shown = said(capsys, *command.split())
        assert len(shown.splitlines()) > 2, command


def test_the_price_list_on_the_narrowest_screen(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "1")
    shown = said(capsys, "prices")
    assert max(map(cells, shown.splitlines())) <= 40
    assert "claude-fable-5 " in shown
