"""The tables of a bill on their way from the process that reads logs: columns, cheap to write and to read."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from costscan.reading.io.rows import Rows, written

_BEGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
Columns = dict[str, list[list[Any]]]
"""The columns of each table; times as microseconds since 1970."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Columns).decode


def write(rows: Rows, out: Path, task: int) -> None:
    """Write the tables of a task.

    Raises:
        OSError: they cannot be written.
    """
    tables = {
        name: [plain(values, kind) for values, kind in zip(rows.columns(name), columns.values(), strict=True)]
        for name, columns in written(rows).items()
    }
    try:
        content = _encode(tables)
    except UnicodeEncodeError:
        content = _encode({name: list(map(clean, columns)) for name, columns in tables.items()})
    _place(out, task).write_bytes(content)


def take(out: Path, task: int) -> Columns:
    """Return the tables of a task, and remove its file.

    Raises:
        OSError: it cannot be read.
    """
    place = _place(out, task)
    columns = _decode(place.read_bytes())
    place.unlink()
    return columns


def _place(out: Path, task: int) -> Path:
    return out / f"bill-{task}.msgpack"


def plain(values: Sequence[Any], kind: str) -> Sequence[Any]:
    """Return values without times: these as microseconds since 1970."""
    if kind != "time":
        return values
    return [None if moment is None else (moment - _BEGIN) // _MICROSECOND for moment in values]


def clean(values: Sequence[Any]) -> list[Any]:
    """Return texts without lone surrogates, which JSON may hold and UTF-8 may not."""
    return [v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for v in values]
