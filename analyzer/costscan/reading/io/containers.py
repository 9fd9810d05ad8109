"""Log files that are no text: SQLite stores, opened read-only with their write-ahead logs, and zips."""

import sqlite3
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from costscan.errors import CostscanError

SQLITE: Final = b"SQLite format 3\x00"
ZIP: Final = b"PK\x03\x04"
_ZSTD: Final = 93
_NAME_LENGTH_AT: Final = 26
"""Where the lengths of its name and of what follows it stand in the header of a member, at its end."""
_MAX_MEMBER_BYTES: Final = 1 << 31
_DAMAGE: Final = (OSError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)
_MAX_STEPS: Final = 10**6
_MAX_ROUNDS: Final = 2_000
"""A store made to run forever is given up after so many million steps."""


def kind_of(path: str) -> bytes | None:
    """Return what a file begins with, where that is one of the containers."""
    with Path(path).open("rb") as file:
        head = file.read(len(SQLITE))
    return next((kind for kind in (SQLITE, ZIP) if head.startswith(kind)), None)


class Store:
    """The tables of an SQLite file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def tables(self) -> set[str]:
        """Return the names of the plain tables; views and virtual tables may compute anything."""
        made = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'"
        return {name for (name,) in self._connection.execute(made)}

    def rows(
        self, table: str, columns: Sequence[str], order: str, *, begins: tuple[str, str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield rows of a table with those of the columns that it has.

        Args:
            table: its name.
            columns: those that are wanted.
            order: the columns that rows are sorted by.
            begins: a column and what it begins with; other rows are left out.
        """
        quoted = table.replace('"', '""')
        there = {row[1] for row in self._connection.execute(f'PRAGMA table_info("{quoted}")')}
        wanted = [column for column in columns if column in there]
        listed = ", ".join(f'"{column}"' for column in wanted)
        kept = f'WHERE substr("{begins[0]}", 1, {len(begins[1])}) = ?' if begins else ""
        query = f'SELECT {listed} FROM "{quoted}" {kept} ORDER BY {order}'  # noqa: S608
        rows = self._connection.execute(query, begins[1:] if begins else ())
        yield from (dict(zip(wanted, row, strict=True)) for row in rows)


@contextmanager
def store(path: str) -> Iterator[Store]:
    """Open an SQLite file, read-only.

    Raises:
        CostscanError: it is no such file, or damaged.
    """
    rounds = iter(range(_MAX_ROUNDS))
    try:
        with closing(_opened(path)) as connection:
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            connection.set_progress_handler(lambda: next(rounds, None) is None, _MAX_STEPS)
            yield Store(connection)
    except sqlite3.Error as error:
        raise CostscanError(f"{path}: not an SQLite file that can be read: {error}") from error


def _opened(path: str) -> sqlite3.Connection:
    address = Path(path).resolve().as_uri()
    connection = sqlite3.connect(f"{address}?mode=ro", uri=True)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1")
    except sqlite3.OperationalError:
        # Where nothing may be written beside it, one without a write-ahead log can be read as it stands.
        connection.close()
        if Path(f"{path}-wal").exists():
            raise
        return sqlite3.connect(f"{address}?mode=ro&immutable=1", uri=True)
    return connection


class Archive:
    """The members of a zip, also those packed by Zstandard (method 93), which Python below 3.14 refuses."""

    def __init__(self, path: str, members: Sequence[zipfile.ZipInfo]) -> None:
        self._path = path
        self._members = {member.filename: member for member in members}

    def names(self) -> list[str]:
        """Return the names of the members, in their order."""
        return list(self._members)

    def read(self, name: str) -> bytes:
        """Return what a member holds.

        Raises:
            CostscanError: it is damaged, or larger than any log.
        """
        member = self._members[name]
        try:
            if member.file_size > _MAX_MEMBER_BYTES:
                raise ValueError(f"{member.file_size} bytes")
            return _unpacked(self._path, member) if member.compress_type == _ZSTD else self._plain(name)
        except _DAMAGE as error:
            raise CostscanError(f"{self._path}: {name} cannot be read: {error}") from error

    def _plain(self, name: str) -> bytes:
        with zipfile.ZipFile(self._path) as archive:
            return archive.read(name)


def archive(path: str) -> Archive:
    """Return the members of a zip.

    Raises:
        CostscanError: it is none, or cut off.
    """
    try:
        with zipfile.ZipFile(path) as opened:
            return Archive(path, opened.infolist())
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise CostscanError(f"{path}: not a zip that can be read: {error}") from error


def _unpacked(path: str, member: zipfile.ZipInfo) -> bytes:
    import zstandard  # noqa: PLC0415 - seldom needed

    with Path(path).open("rb") as file:
        file.seek(member.header_offset + _NAME_LENGTH_AT)
        skipped = sum(int.from_bytes(file.read(2), "little") for _ in range(2))
        file.seek(skipped, 1)
        packed = file.read(member.compress_size)
    try:
        return zstandard.ZstdDecompressor().stream_reader(packed).read(_MAX_MEMBER_BYTES)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
