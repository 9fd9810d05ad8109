"""What came of requests that a process of its own posts, in a file that outlives it and the command.

The process writes it and holds its lock for as long as it lives; a line is there before the command is told.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from costscan.errors import CostscanError

if sys.platform != "win32":
    import fcntl

READY, POSTING, UNSENT = "ready", "posting", "unsent"
"""The process takes requests; one is about to be posted; nothing comes of one, and nothing was billed."""
_OPEN: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_OWNER_ONLY: Final = 0o600


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a request, or how far it is.

    Attributes:
        state: one of those above, or of `answered`, `failed`, `lost`.
        request: what names it.
        at: when, in seconds since 1970.
        duration_s: how long the answer took.
        message: the answer.
        error: why there is none.
        hint: what to do where nothing more can be sent.
    """

    state: str
    request: str = ""
    at: float = 0.0
    duration_s: float | None = None
    message: dict[str, Any] | None = None
    error: str = ""
    hint: str = ""


def path_beside(state: Path) -> Path:
    """Return where outcomes are, by where the state of the trial is."""
    return state.with_suffix(".answers")


@contextmanager
def held(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[int]:
    """Have the file open, made if it is not there, once nobody else has it; a line that was cut off goes.

    Args:
        path: the file.
        waiting: is called where another process has it.

    Raises:
        OSError: it cannot be opened.
    """
    fd = os.open(path, _OPEN, _OWNER_ONLY)
    try:
        _lock(fd, waiting)
        whole = _read(fd)
        os.ftruncate(fd, whole.rfind(b"\n") + 1)
        yield fd
    finally:
        os.close(fd)


def note(fd: int, outcome: Outcome) -> None:
    """Write an outcome, and return when it is on the disk.

    Raises:
        OSError: it is not.
    """
    text = msgspec.json.encode(outcome) + b"\n"
    written = os.write(fd, text)
    if written < len(text):
        os.ftruncate(fd, os.fstat(fd).st_size - written)
        raise OSError("there is no room")
    os.fsync(fd)


def latest(fd: int) -> dict[str, Outcome]:
    """Return the last outcome of each request.

    Raises:
        CostscanError: they cannot be read.
    """
    try:
        told = [msgspec.json.decode(line, type=Outcome) for line in _read(fd).splitlines()]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise CostscanError("the file of answers beside the state is damaged", "remove both") from None
    return {one.request: one for one in told}


def _read(fd: int) -> bytes:
    with os.fdopen(os.dup(fd), "rb") as file:
        file.seek(0)
        return file.read()


def _lock(fd: int, waiting: Callable[[], None]) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        waiting()
        fcntl.flock(fd, fcntl.LOCK_EX)


__all__ = ["POSTING", "READY", "UNSENT", "Outcome", "held", "latest", "note", "path_beside"]
