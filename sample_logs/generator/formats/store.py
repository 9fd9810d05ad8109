"""SQLite files that come out the same to the byte, whichever version of SQLite writes them."""

import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

_VERSION_AT = slice(96, 100)
"""Where an SQLite file names the version that wrote it last; nothing reads it."""
_VERSION = (3_045_001).to_bytes(4, "big")


def sqlite_file(tables: Mapping[str, tuple[Sequence[str], Sequence[Sequence[object]]]]) -> bytes:
    """Return a store with tables of (columns with their types, rows)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA page_size = 4096")
            for name, (columns, rows) in tables.items():
                connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
                marks = ", ".join("?" * len(columns))
                connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)  # noqa: S608
            connection.commit()
        content = bytearray(path.read_bytes())
    content[_VERSION_AT] = _VERSION
    return bytes(content)
