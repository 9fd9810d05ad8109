"""The command line: it parses, calls, prints and exits."""

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

INTERRUPTED, TERMINATED = 130, 143


def main() -> None:
    """Run the command line and exit with its code."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        _open_streams()
        from costscan.cli.app import run  # noqa: PLC0415 - an interrupt may come while typer is imported

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    _exit(code)


def _exit(code: int) -> NoReturn:
    """End; at once where a thread is still at work in native code, which an orderly exit would abort."""
    if threading.active_count() == 1:
        sys.exit(code)
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


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    """End as an exit does, so that temporary files are removed."""
    sys.exit(TERMINATED)


__all__ = ["main"]
