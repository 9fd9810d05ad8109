"""A log that many threads and processes append to, a line with one write, and that is rotated by size."""

import errno
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from costscan.capturing.rotation import set_aside

if sys.platform != "win32":
    import fcntl

_TRIES: Final = 3
_LONGEST_WAIT_S: Final = 0.1
_PAUSE_S: Final = 0.0002
_OPEN: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class LogFile:
    """A log file; only its owner can read what it makes."""

    def __init__(self, path: Path, max_bytes: int | None) -> None:
        """Name a file that is opened when the first line is written.

        Args:
            path: the file.
            max_bytes: the size from which it is set aside, compressed, and begun anew; None never does.
        """
        self.path, self._max_bytes = path, max_bytes
        # May be entered again by its thread: garbage collection can close a dropped stream in mid-write.
        self._mutex = threading.RLock()
        self._fd: int | None = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    def append(self, line: bytes) -> None:
        """Write a line, which ends in a line feed, with one write.

        Raises:
            OSError: it could not be written; nothing of it is in the file.
        """
        with self._mutex:
            for _ in range(_TRIES):
                fd = self._opened()
                with _locked(fd) as is_locked:
                    if not self._is_at_path(fd) or (is_locked and self._made_way(fd, len(line))):
                        self._close()
                        continue
                    _write(fd, line, is_locked=is_locked)
                    return
            raise OSError(errno.EAGAIN, "the file is being replaced all the time", str(self.path))

    def _opened(self) -> int:
        if self._fd is None:
            try:
                self._fd = os.open(self.path, _OPEN, 0o600)
            except FileNotFoundError:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._fd = os.open(self.path, _OPEN, 0o600)
        return self._fd

    def _close(self) -> None:
        if self._fd is not None:
            with suppress(OSError):
                os.close(self._fd)
        self._fd = None

    def _begin_anew(self) -> None:
        """Leave the lock and the open file to the process that this one was forked from."""
        self._mutex = threading.RLock()
        self._close()

    def _is_at_path(self, fd: int) -> bool:
        """Whether the open file is still the one at the path: another process may have set it aside."""
        try:
            return os.path.samestat(os.fstat(fd), self.path.stat())
        except OSError:
            return False

    def _made_way(self, fd: int, n_bytes: int) -> bool:
        """Set the file aside if it has no room for so many bytes; whether that was so."""
        size = os.fstat(fd).st_size
        if self._max_bytes is None or size == 0 or size + n_bytes <= self._max_bytes:
            return False
        try:
            set_aside(self.path)
        except OSError:  # where it cannot be renamed it goes on growing
            return False
        return True


@contextmanager
def _locked(fd: int) -> Iterator[bool]:
    """Hold the lock of an open file; yields False where it is not to be had, and lines are whole, too."""
    is_locked = _lock(fd)
    try:
        yield is_locked
    finally:
        # A file that was closed inside has lost its lock with that.
        if is_locked and sys.platform != "win32":
            with suppress(OSError):
                fcntl.flock(fd, fcntl.LOCK_UN)


def _lock(fd: int) -> bool:
    """Take the lock, unless whoever has it keeps it for long: a stopped process must not stop others."""
    if sys.platform == "win32":
        return True
    end = time.monotonic() + _LONGEST_WAIT_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(_PAUSE_S)
        except OSError:
            return False
        else:
            return True


def _write(fd: int, line: bytes, *, is_locked: bool) -> None:
    """Write a line; one that a process was killed in the middle of is ended first."""
    size = os.fstat(fd).st_size
    if _is_torn(fd, size):
        line = b"\n" + line
    if os.write(fd, line) < len(line):
        if is_locked:
            os.ftruncate(fd, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _is_torn(fd: int, size: int) -> bool:
    if size == 0 or not hasattr(os, "pread"):
        return False
    with suppress(OSError):
        return os.pread(fd, 1, size - 1) != b"\n"
    return False
