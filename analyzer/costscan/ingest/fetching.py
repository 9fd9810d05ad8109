"""The remote files of a task, fetched ahead of their reading."""

import shutil
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from costscan.errors import CostscanError
from costscan.formats.interface import LogFile

AT_ONCE: Final = 8
"""Requests of one process; most of each is waiting."""
AHEAD: Final = 16
AHEAD_BYTES: Final = 64 << 20
"""So many files, and about so many bytes, lie on disk before they are read."""


class Fetching:
    """Fetches files side by side, in their order; each is removed once the next one is asked for.

    Args:
        files: the remote files that will be read, as far as that is known.
        folder: where they are put.
    """

    def __init__(self, files: Sequence[LogFile], folder: Path) -> None:
        self._waiting = deque(files)
        self._folder = folder
        self._pool = ThreadPoolExecutor(AT_ONCE) if files else None
        self._begun: dict[LogFile, Future[LogFile]] = {}
        self._last: Path | None = None
        self._count = 0

    def __enter__(self) -> Self:
        """Begin."""
        self._more()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and remove what was fetched."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._remove(self._folder if self._folder.exists() else None)

    def local(self, file: LogFile) -> LogFile:
        """Return a file as it can be opened: a remote one fetched.

        Raises:
            CostscanError: it cannot be fetched.
        """
        self._remove(self._last)
        self._last = None
        if file.remote is None:
            return file
        begun = self._begun.pop(file, None)
        self._more()
        fetched = begun.result() if begun is not None else self._fetch(file, self._next())
        self._last = Path(fetched.on_disk).parent
        return fetched

    def _more(self) -> None:
        """Begin to fetch as many as may lie on disk."""
        room = AHEAD_BYTES - sum(file.remote.size for file in self._begun if file.remote)
        while self._pool and self._waiting and len(self._begun) < AHEAD and (room > 0 or not self._begun):
            file = self._waiting.popleft()
            self._begun[file] = self._pool.submit(self._fetch, file, self._next())
            room -= file.remote.size if file.remote else 0

    def _next(self) -> Path:
        self._count += 1
        return self._folder / str(self._count)

    def _fetch(self, file: LogFile, folder: Path) -> LogFile:
        from costscan.remote.objects import fetch  # noqa: PLC0415 - only where something is remote

        try:
            folder.mkdir(parents=True)
            return fetch(file, folder)
        except OSError as error:
            raise CostscanError(f"{file.path}: {error.strerror or error}", "check space") from None

    def _remove(self, folder: Path | None) -> None:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


__all__ = ["Fetching"]
