"""The log files in a folder, whatever else is in it: links in circles, folders that may not be read."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from costscan.errors import CostscanError
from costscan.formats import available
from costscan.ingest.table_formats import table_format
from costscan.reading.io import tables
from costscan.remote.addresses import SIGN_OF_STORE

LOG_ENDINGS: Final = (".jsonl", ".ndjson", ".json")
PACKED_ENDINGS: Final = (".gz", ".zst")
_Node = tuple[int, int]
"""The device and the inode of a folder."""
_Folder = tuple[Path, frozenset[_Node]]
"""A folder to look into, and those that it was found in."""


def is_log(path: Path) -> bool:
    """Whether a file in a folder looks like a log by its name."""
    return is_log_name(path.name)


def is_log_name(name: str) -> bool:
    """Whether a file of that name looks like a log."""
    name = name.lower()
    if name.endswith(".meta.json") or name in _beside():
        return False
    return name.endswith(_endings()) and not any(part.fullmatch(name) for part in _parts())


@cache
def _endings() -> tuple[str, ...]:
    own = (ending for log_format in available().values() for ending in log_format.endings)
    return (*LOG_ENDINGS, *PACKED_ENDINGS, *own)


@cache
def names_beside() -> Sequence[str]:
    """Return the endings, or the whole names, of files that are read with the log that they stand beside."""
    return [name for log_format in available().values() for name in log_format.beside]


@cache
def _beside() -> frozenset[str]:
    """Return those whole names."""
    return frozenset(name for name in names_beside() if not name.startswith("."))


@cache
def _parts() -> Sequence[re.Pattern[str]]:
    """Return what the names of parts of logs are like."""
    return [log_format.parts for log_format in available().values() if log_format.parts is not None]


def logs_in(folder: Path, unread: Callable[[str, str], None]) -> list[str]:
    """Return the paths of the logs in a folder and all folders in it, sorted.

    Linked folders are looked into as well; each folder once, by its device and inode.

    Args:
        folder: where to look.
        unread: is told the path of what could not be looked into, and why.
    """
    return sorted(_Walk(unread).files(folder))


class _Walk:
    def __init__(self, unread: Callable[[str, str], None]) -> None:
        self._unread = unread
        self._visited: set[_Node] = set()
        self._todo: list[_Folder] = []
        self._linked: list[_Folder] = []

    def files(self, top: Path) -> Iterator[str]:
        self._todo.append((top, frozenset()))
        # Links come last: a folder that is found without one is named without one.
        while self._todo or self._linked:
            folder, above = self._todo.pop() if self._todo else self._linked.pop(0)
            try:
                stat = folder.stat()
                node = stat.st_dev, stat.st_ino
                entries = [] if node in self._visited else sorted(os.scandir(folder), key=lambda e: e.name)
            except OSError as error:
                self._unread(str(folder), error.strerror or str(error))
                continue
            if node in above:
                self._unread(str(folder), "a link to a folder that it is in")
            self._visited.add(node)
            if any(entry.name == SIGN_OF_STORE for entry in entries):
                continue  # a store: what was read of logs, and none itself
            yield from self._files(folder, entries, above | {node})

    def _files(
        self, folder: Path, entries: "Sequence[os.DirEntry[str]]", above: frozenset[_Node]
    ) -> Iterator[str]:
        inside = str(folder / "_")[:-1]  # joining paths one by one takes long, and there may be thousands
        for entry in entries:
            path = inside + entry.name
            try:
                if entry.is_symlink() and (is_log_name(entry.name) or not Path(path).suffix):
                    entry.stat()  # fails where it leads nowhere, and might have been a log or a folder
                if entry.is_dir():
                    (self._linked if entry.is_symlink() else self._todo).append((Path(path), above))
                elif is_log_name(entry.name) and entry.is_file() and _may_be_log(path):
                    yield path
            except OSError as error:
                self._unread(path, f"a link that leads nowhere: {error.strerror}")


def _may_be_log(path: str) -> bool:
    """Whether a file may be a log by what it holds: a table is none where no format knows its columns.

    Reports, costscan's own among them, are tables too.
    """
    if not path.lower().endswith(tables.ENDINGS):
        return True
    try:
        return table_format(path, list(available().values())) is not None
    except CostscanError:
        return True  # to be told as one that cannot be read


__all__ = ["LOG_ENDINGS", "PACKED_ENDINGS", "is_log", "logs_in", "names_beside"]
