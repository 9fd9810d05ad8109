"""The command line: it parses, calls, prints and exits."""

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from costscan import cleanup

_CODES: Final = {signal.SIGINT: 130, signal.SIGTERM: 143}
_TIDY_LINE: Final = b"\r\x1b[2K\x1b[?25h"
"""Clears what is left of the progress bar, and shows the cursor again."""

_ALLOCATOR: Final = ("_RJEM_MALLOC_CONF", "dirty_decay_ms:500,muzzy_decay_ms:500")
"""The allocator in Polars gives back what is free after half a second instead of ten."""


def main() -> None:
    """Run the command line and exit with its code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stopped)
    try:
        _open_streams()
        os.environ.setdefault(*_ALLOCATOR)  # read when Polars is imported
        from costscan.cli.app import run  # noqa: PLC0415 - somebody may stop it while typer is imported

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # from Polars, which handles the signal itself where it is at work
        code = _CODES[signal.SIGINT]
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    _exit(code)


def _stopped(number: int, _frame: FrameType | None) -> NoReturn:
    """End here: an exception may be lost, or leave a lock of the interpreter taken, wherever it strikes."""
    cleanup.remove()
    with suppress(OSError, ValueError, AttributeError):
        if sys.stderr.isatty():
            os.write(sys.stderr.fileno(), _TIDY_LINE)
    os._exit(_CODES[signal.Signals(number)])


def _exit(code: int) -> NoReturn:
    """End; at once where a thread is still at work in native code, which an orderly exit would abort."""
    if threading.active_count() == 1:
        sys.exit(code)
    cleanup.remove()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _open_streams() -> None:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for good
        else:
            stream.reconfigure(errors="replace")


__all__ = ["main"]
