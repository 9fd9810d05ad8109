"""The canonical frames by name, and the check made at every hand-over; `tables` declares their columns."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import polars as pl

from costscan.errors import CostscanError
from costscan.schema.column import TIME, USD
from costscan.schema.tables import TABLES

PROMPT: Final = (
    pl.col("input_tokens")
    + pl.col("cache_read_tokens")
    + pl.col("cache_write_5m_tokens")
    + pl.col("cache_write_1h_tokens")
)
SCHEMAS: Final[Mapping[str, pl.Schema]] = {name: table.schema for name, table in TABLES.items()}
NULLABLE: Final[Mapping[str, frozenset[str]]] = {name: table.nullable for name, table in TABLES.items()}
"""The columns that may hold nulls; a null always means "unknown"."""
OF_LOGS: Final = tuple(name for name in SCHEMAS if name not in {"comparison", "trial"})
"""The frames that tell of some logs; the others tell of two, or of answers beyond them."""


def check(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` back when it is a true `name` frame: its columns, types and no null where none may be.

    Raises:
        CostscanError: the frame breaks the contract; this is a defect of costscan, never of a log.
    """
    expected = SCHEMAS[name]
    if frame.schema != expected:
        wrong = sorted(
            {c for c in {*expected, *frame.schema} if expected.get(c) != frame.schema.get(c)},
        )
        raise CostscanError(f"frame {name}: wrong columns or types: {', '.join(wrong) or 'their order'}")
    must = [c for c in expected if c not in NULLABLE[name]]
    nulls = frame.select(pl.col(must).null_count()).row(0, named=True) if must else {}
    if bad := [c for c, n in nulls.items() if n]:
        raise CostscanError(f"frame {name}: null in {', '.join(bad)}")
    return frame


def money(usd: Iterable[Decimal | None]) -> pl.Series:
    """Return amounts as a series.

    Of Python's decimals Polars makes one with NumPy, which takes longer to import than a small log needs.
    """
    return pl.Series([None if one is None else f"{one:f}" for one in usd], dtype=pl.String).cast(USD)


def of_rows(name: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return a frame of that name from rows; null is what a row does not have."""
    schema = SCHEMAS[name]
    columns = {column: [row.get(column) for row in rows] for column in schema}
    amounts = {column: money(columns[column]) for column, dtype in schema.items() if dtype == USD}
    return pl.DataFrame({**columns, **amounts}, schema=schema)


def empty(name: str) -> pl.DataFrame:
    """Return the `name` frame with no rows."""
    return pl.DataFrame(schema=SCHEMAS[name])


__all__ = ["NULLABLE", "OF_LOGS", "PROMPT", "SCHEMAS", "TIME", "USD", "check", "empty", "money", "of_rows"]
