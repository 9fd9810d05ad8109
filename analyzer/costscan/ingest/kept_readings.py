"""What reading made of a file, kept so that a file that did not change is not read again.

An entry holds the rows that the file added to the tables: numbers, hashes, names and excerpts, as reports may
hold them, and no text. It counts for a file of the same size, time, number and ends, read by the same code;
whatever else is found, or cannot be used, is as if it were not there. A log that grew is read anew: what its
first lines mean may depend on later ones.
"""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
import xxhash

from costscan.cache_folder import write
from costscan.formats import named
from costscan.formats.interface import LogFile
from costscan.ingest.walk import names_beside
from costscan.reading.io.row_types import BlockColumns
from costscan.reading.io.rows import MAX_NAMED_SKIPS, Rows, Tables

_ENDS_BYTES: Final = 1 << 12
_DIGEST_BYTES: Final = 16
_SETTLED_NS: Final = 2 * 10**9
"""A file that was written to so shortly ago may be written to again within the same tick of its clock."""
_COUNTS: Final = ("lines", "bytes_read", "skipped_lines", "repaired_lines")
FOLDER: Final = "reading"

_Entry: Any = msgspec.defstruct(
    "_Entry",
    [
        ("key", bytes),
        ("formats", list[str]),
        ("unusable", str | None),
        ("counts", list[int]),
        *Tables.__annotations__.items(),
    ],
    array_like=True,
    gc=False,
)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Entry).decode


@dataclass(frozen=True)
class Read:
    """What became of a file: the formats that its lines are of, or why it cannot be used."""

    formats: Sequence[str] = ()
    unusable: str | None = None


class KeptReadings:
    """The entries in a folder, of readings of one kind; `count` says how many were made.

    Args:
        root: the cache folder.
        source: the format that all files are said to be of; None where each is detected.
        one_by_one: whether each file is read without others, so that what is made of it is its own.
    """

    def __init__(self, root: Path, source: str | None, *, one_by_one: bool) -> None:
        self._root = root / FOLDER
        self._one_by_one = one_by_one
        self.count = 0
        self._kind = f"{source or ''} all"

    def may_have(self, file: LogFile) -> bool:
        """Whether there is an entry of a file, be it of its key or not."""
        return self._path(file).exists()

    def take(self, file: LogFile, key: bytes, rows: Rows) -> Read | None:
        """Add what is kept of a file to `rows`; None where nothing is of this key, and nothing was added."""
        # Any failure at all: a cache that cannot be used must not be worse than none.
        with suppress(Exception), rows.whole():
            path = self._path(file)
            content = path.read_bytes()
            if xxhash.xxh3_128_digest(content[_DIGEST_BYTES:]) != content[:_DIGEST_BYTES]:
                return None
            entry = _decode(content[_DIGEST_BYTES:])
            if entry.key != key or not self._is_its_own(entry.formats):
                return None
            os.utime(path)
            _add(entry, rows)
            return Read(entry.formats, entry.unusable)
        return None

    def keep(self, file: LogFile, key: bytes | None, read: Read, added: "Added") -> None:
        """Keep what a file added to the tables, unless it changed meanwhile or not all of it can be kept."""
        with suppress(Exception):
            if key is None or not added.is_whole or not self._is_its_own(read.formats) or key != _key(file):
                return
            entry = _Entry(key, list(read.formats), read.unusable, added.counts(), *added.tables())
            content = _encode(entry)
            write(self._path(file), xxhash.xxh3_128_digest(content) + content)
            self.count += 1

    def _is_its_own(self, names: Sequence[str]) -> bool:
        """Whether what was made of a file depends on no other file."""
        return self._one_by_one or read_alone(names)

    def _path(self, file: LogFile) -> Path:
        called = f"{self._kind} {file.path if file.remote else os.path.realpath(file.path)}"
        name = xxhash.xxh3_128_hexdigest(called.encode("utf-8", "surrogateescape"))
        return self._root / name[:2] / name


def read_alone(names: Sequence[str]) -> bool:
    """Whether what is made of a file of these formats depends on no other file."""
    return all(named(name).reads_files_alone for name in names)


class Added:
    """What one file adds to tables that hold others already."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._copies = len(rows.copies)
        self._before = {name: _length(rows, name) for name in Tables.__annotations__}
        self._counts = [getattr(rows, name) for name in _COUNTS]

    def counts(self) -> list[int]:
        """Return how many lines and bytes were read, and how many lines were skipped and repaired."""
        return [getattr(self._rows, name) - n for name, n in zip(_COUNTS, self._counts, strict=True)]

    def sizes(self, names: Sequence[str]) -> list[int]:
        """Return how many rows some tables got."""
        return [_length(self._rows, name) - self._before[name] for name in names]

    @property
    def is_whole(self) -> bool:
        """Whether every line that was skipped is named: of all files of a task, only the first are."""
        _, _, skipped, repaired = self.counts()
        named = len(self._rows.skipped) - self._before["skipped"]
        return named == skipped + repaired and len(self._rows.skipped) < MAX_NAMED_SKIPS

    def tables(self) -> list[Any]:
        """Return the rows of each table, with copies numbered from 0."""
        return [_slice(self._rows, name, start, -self._copies) for name, start in self._before.items()]


def key_of(file: LogFile) -> bytes | None:
    """Return what tells whether a file is as it was; None where it cannot be told yet."""
    if file.remote is not None:
        return _key(file)
    try:
        return None if file.spooled is not None else _key(file, settled_at_ns=time.time_ns() - _SETTLED_NS)
    except OSError:
        return None


def _key(file: LogFile, settled_at_ns: int | None = None) -> bytes | None:
    """Return the key of a file; None where it was written to after `settled_at_ns`, or nobody can tell."""
    if file.remote is not None:
        told = (file.path, *file.remote, code_digest())
        is_known = file.remote.version is not None
        return xxhash.xxh3_128_digest(repr(told).encode("utf-8", "surrogateescape")) if is_known else None
    with open(file.on_disk, "rb", buffering=0) as log:  # noqa: PTH123 - there may be thousands
        stat = os.fstat(log.fileno())
        if settled_at_ns is not None and stat.st_mtime_ns >= settled_at_ns:
            return None
        head = log.read(_ENDS_BYTES)
        log.seek(max(stat.st_size - _ENDS_BYTES, 0))
        tail = log.read(_ENDS_BYTES)
    own = (file.path, stat.st_size, stat.st_mtime_ns, stat.st_ino, *_beside(file.on_disk), code_digest())
    return xxhash.xxh3_128_digest(repr(own).encode("utf-8", "surrogateescape") + head + tail)


def _beside(log: str) -> list[tuple[str, int, int]]:
    """Return what stands beside a log and is read with it."""
    folder, name = os.path.split(log)
    stem = name.split(".")[0]
    out = []
    for ending in names_beside():
        with suppress(OSError):
            beside = stem + ending if ending.startswith(".") else ending
            stat = os.stat(os.path.join(folder, beside))  # noqa: PTH116, PTH118
            out.append((beside, stat.st_size, stat.st_mtime_ns))
    return out


@cache
def code_digest() -> str:
    """Return a digest of all that decides what reading makes of a file."""
    return digest_of("*.py", "*.toml", "ingest/*.py", "reading/**/*.py", "formats/**/*.py")


def digest_of(*patterns: str) -> str:
    """Return a digest of the files of this package that match."""
    package = Path(__file__).parents[1]
    digest = xxhash.xxh3_128()
    for path in sorted(path for pattern in patterns for path in package.glob(pattern)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _length(rows: Rows, name: str) -> int:
    table = getattr(rows, name)
    return len(table[0]) if isinstance(table, BlockColumns) else len(table)


def _slice(rows: Rows, name: str, start: int, offset: int) -> Any:
    """Return the rows of a table from one on, their copies counted from another number."""
    table = getattr(rows, name)
    if isinstance(table, BlockColumns):
        columns: Any = (column[start:] for column in table)
        return _moved_blocks(BlockColumns(*columns), offset)
    return _moved(table[start:], offset)


def _moved(some: list[Any], offset: int) -> list[Any]:
    if not offset or not some or some[0]._fields[0] != "copy":
        return some
    kind = type(some[0])
    return [kind(row[0] + offset, *row[1:]) for row in some]


def _moved_blocks(blocks: BlockColumns, offset: int) -> BlockColumns:
    return blocks._replace(copy=[copy + offset for copy in blocks.copy]) if offset else blocks


def _add(entry: Any, rows: Rows) -> None:
    offset = len(rows.copies)
    rows.add_blocks(_moved_blocks(entry.blocks, offset))
    for name in Tables.__annotations__:
        if name not in {"blocks", "skipped"}:
            getattr(rows, name).extend(_moved(getattr(entry, name), offset))
    rows.skipped.extend(entry.skipped[: max(MAX_NAMED_SKIPS - len(rows.skipped), 0)])
    for name, n in zip(_COUNTS, entry.counts, strict=True):
        setattr(rows, name, getattr(rows, name) + n)
