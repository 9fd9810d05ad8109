"""What Polars raises and prints where it has a defect of its own: a panic, which is no `Exception`."""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Final

import polars as pl

from costscan.defects import TRACEBACK

CAUGHT: Final = (Exception, pl.exceptions.PanicException)
"""What a part of the work may raise without being the end of the rest."""
_PANIC: Final = b" panicked at "
_STDERR: Final = 2
_lock = threading.Lock()


@contextmanager
def without_panics() -> Iterator[None]:
    """Keep off standard error what native code prints when it panics; the exception says the same.

    What else is written there meanwhile comes at the end.
    """
    if os.environ.get(TRACEBACK) or not _lock.acquire(blocking=False):
        yield  # somebody wants to see it, or another thread, or the caller, sees to it
        return
    try:
        with tempfile.TemporaryFile() as kept, _turned_to(kept):
            yield
    finally:
        _lock.release()


@contextmanager
def _turned_to(kept: IO[bytes]) -> Iterator[None]:
    try:
        real = os.dup(_STDERR)
    except OSError:  # it is closed
        yield
        return
    try:
        _flush()
        os.dup2(kept.fileno(), _STDERR)
        yield
    finally:
        _flush()
        os.dup2(real, _STDERR)
        kept.seek(0)
        stderr_bytes = kept.read()
        if stderr_bytes and _PANIC not in stderr_bytes:
            with suppress(OSError):
                os.write(real, stderr_bytes)
        os.close(real)


def _flush() -> None:
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()


__all__ = ["CAUGHT", "without_panics"]
