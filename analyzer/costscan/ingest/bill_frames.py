"""The tables of a bill put together from those of tasks and of what was kept, in the order of the files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import polars as pl

from costscan.ingest.bill_tables import Columns
from costscan.reading.io.rows import OF_BILL, TABLES

_TIME: Final = pl.Datetime("us", "UTC")
_TYPES: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "int": pl.Int64,
    "float": pl.Float64,
    "str": pl.String,
    "bool": pl.Boolean,
    "time": _TIME,
}
_PLACE: Final = "place of the file"


@dataclass(frozen=True)
class Part:
    """Some tables: `sizes` says of each file in turn how many rows of each table are its.

    Files go by their paths; None is one that is there no more.
    """

    sizes: Sequence[tuple[str | None, Sequence[int]]]
    tables: Mapping[str, pl.DataFrame]


def of_columns(columns: Columns) -> dict[str, pl.DataFrame]:
    """Return the tables of a task as frames."""
    return {name: frame_of(name, values) for name, values in columns.items()}


def of_bytes(tables: Mapping[str, bytes]) -> dict[str, pl.DataFrame]:
    """Return tables that were kept as frames."""
    return {name: pl.read_ipc(BytesIO(content)) for name, content in tables.items()}


def as_bytes(tables: Mapping[str, pl.DataFrame]) -> dict[str, bytes]:
    """Return frames as Arrow files."""
    return {name: _bytes(frame) for name, frame in tables.items()}


def together(parts: Sequence[Part], order: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Return the tables of all parts, as if the files had been read in this order.

    What a part holds of other files is left out; copies are numbered in the order of the rows.
    """
    place = {path: n for n, path in enumerate(order)}
    parts = parts or [Part((), {name: frame_of(name, [[] for _ in TABLES[name]]) for name in OF_BILL})]
    starts = [0]
    for part in parts:
        starts.append(starts[-1] + part.tables["copies"].height)
    tables = {}
    for number, name in enumerate(OF_BILL):
        placed = [
            _placed(part, number, name, place, start) for part, start in zip(parts, starts, strict=False)
        ]
        rows = pl.concat(placed)
        if rows[_PLACE].null_count() or not rows[_PLACE].is_sorted():
            rows = rows.drop_nulls(_PLACE).sort(_PLACE, maintain_order=True)
        tables[name] = rows.drop(_PLACE)
    return _numbered(tables)


def _placed(part: Part, number: int, name: str, place: Mapping[str, int], start: int) -> pl.DataFrame:
    """Return a table of a part with the place of the file of each row, copies counted from `start`."""
    frame = part.tables[name]
    places = [place.get(path or "") for path, sizes in part.sizes for _ in range(sizes[number])]
    shifted = [pl.col("copy") + start] if "copy" in frame.columns else []
    return frame.with_columns(*shifted, pl.Series(_PLACE, places, pl.Int64))


def _numbered(tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    copies = tables["copies"]
    if copies.height and (copies["copy"].item(-1) != copies.height - 1 or not copies["copy"].is_sorted()):
        numbers = copies.select("copy", number=pl.int_range(pl.len()))
        for name in ("copies", "calls"):
            numbered = tables[name].join(numbers, on="copy", how="left", maintain_order="left")
            tables[name] = numbered.with_columns(copy="number").drop("number")
    return tables


def frame_of(name: str, columns: Sequence[Sequence[object]]) -> pl.DataFrame:
    """Return a table as a frame; times are given as microseconds since 1970."""
    series = [
        pl.Series(column, values, pl.Int64 if kind == "time" else _TYPES[kind])
        for (column, kind), values in zip(TABLES[name].items(), columns, strict=True)
    ]
    times = [pl.col(column).cast(_TIME) for column, kind in TABLES[name].items() if kind == "time"]
    return pl.DataFrame(series).with_columns(times)


def _bytes(frame: pl.DataFrame) -> bytes:
    out = BytesIO()
    frame.write_ipc(out)
    return out.getvalue()
