"""The command line: it parses, calls, prints and exits."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

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
    sys.exit(code)


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
