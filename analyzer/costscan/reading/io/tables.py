"""Log files that are tables, each row an object: CSV with a header, plain or packed, and Parquet."""

import io
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from costscan.defects import described
from costscan.errors import CostscanError
from costscan.reading.io.csv_rows import Header, Problem, header_of, rows_of
from costscan.reading.io.files import open_log
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.rows import Rows

PARQUET: Final = b"PAR1"
ENDINGS: Final = (".csv", ".tsv", ".parquet")
_HEAD_BYTES: Final = 1 << 16
_BATCH_ROWS: Final = 1000
_Rows = Iterator[tuple[int, dict[str, Any]]]


def feed_rows(on_disk: str, path: str, rows: Rows, take: Callable[[int, Any], bool]) -> None:
    """Have `take` called with every row of a table, or with every object of another log.

    A cell of CSV is text, None where it is empty; those of Parquet are as JSON would have them.

    Args:
        on_disk: the path to open.
        path: the path as it is shown.
        rows: where what is skipped is counted.
        take: is given the number of a line (of Parquet, of a row) and the row; see `feed_objects`.

    Raises:
        CostscanError: it is Parquet that cannot be read.
    """

    def count(lines: int, n_bytes: int) -> None:
        if rows.counting:
            rows.lines += lines
            rows.bytes_read += n_bytes

    def problem(line: int | None, reason: str) -> None:
        rows.skip(path, line, reason)

    kind = _kind_of(on_disk)
    if kind is None:
        feed_objects(on_disk, path, rows, take)
        return
    for number, row in _rows(on_disk, kind, problem, count):
        try:
            if not take(number, row):
                rows.add_strange(row)
        except Exception as error:  # noqa: BLE001 - a defect costs this row and no other
            rows.skip(path, number, described(error))


def first_rows(on_disk: str, most: int) -> list[dict[str, Any]]:
    """Return the first rows of a table, none where a file is no table.

    Raises:
        CostscanError: it is Parquet that cannot be read.
    """
    kind = _kind_of(on_disk)
    if kind is None:
        return []
    return [row for _, row in islice(_rows(on_disk, kind, lambda *_: None, lambda *_: None), most)]


def _kind_of(on_disk: str) -> Header | bytes | None:
    """Return the header of CSV, what Parquet begins with, None for every other file."""
    with open_log(on_disk) as stream:
        try:
            head = stream.read(_HEAD_BYTES)
        except OSError:
            return None
    return PARQUET if head.startswith(PARQUET) else header_of(head)


def _rows(on_disk: str, kind: Header | bytes, problem: Problem, count: Callable[[int, int], None]) -> _Rows:
    with open_log(on_disk) as stream:
        if isinstance(kind, Header):
            yield from rows_of(stream, kind, problem, count)
        else:
            yield from _parquet(on_disk, stream, problem, count)


def _parquet(on_disk: str, stream: BinaryIO, problem: Problem, count: Callable[[int, int], None]) -> _Rows:
    import pyarrow as pa  # noqa: PLC0415 - seldom needed
    import pyarrow.parquet as pq  # noqa: PLC0415

    packed = isinstance(stream, io.RawIOBase)
    try:
        file = pq.ParquetFile(io.BytesIO(stream.read()) if packed else on_disk)
    except (OSError, ValueError) as error:
        raise CostscanError(f"{on_disk}: not a Parquet file that can be read: {error}") from error
    count(file.metadata.num_rows, Path(on_disk).stat().st_size)
    number = 0
    try:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            for row in (
                pa.Table.from_batches([batch]).cast(_readable(file.schema_arrow), safe=False).to_pylist()
            ):
                number += 1
                yield number, {name: _plain(cell) for name, cell in row.items()}
    except (OSError, ValueError, NotImplementedError) as error:
        problem(None, f"the file cannot be read to its end: {error}")


def _readable(schema: Any) -> Any:
    """Return a schema without times to the nanosecond, which Python does not have."""
    import pyarrow as pa  # noqa: PLC0415 - seldom needed

    fine = [pa.types.is_timestamp(field.type) and field.type.unit == "ns" for field in schema]
    fields = zip(schema, fine, strict=True)
    return pa.schema([f.with_type(pa.timestamp("us", f.type.tz)) if is_fine else f for f, is_fine in fields])


def _plain(cell: Any) -> Any:
    """Return a cell as JSON would have it; a map is an object, a number that is none is nothing."""
    if isinstance(cell, dict):
        return {name: _plain(inner) for name, inner in cell.items()}
    if isinstance(cell, list):
        is_map = bool(cell) and all(isinstance(one, tuple) for one in cell)
        return {str(name): _plain(inner) for name, inner in cell} if is_map else [_plain(one) for one in cell]
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    if isinstance(cell, float) and cell != cell:  # noqa: PLR0124 - that is how pandas writes a null
        return None
    return str(cell) if isinstance(cell, Decimal) else cell
