"""How a table is declared: one line for each column, with its type, its meaning and whether it may be null.

Token counts are `WHOLE`, money is `USD`, ratios and seconds are `REAL`, times are UTC. Unsigned and 32-bit
integers wrap silently, float sums change with the order of threads: neither is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import polars as pl

TEXT: Final = pl.String()
WHOLE: Final = pl.Int64()
REAL: Final = pl.Float64()
BOOL: Final = pl.Boolean()
USD: Final = pl.Decimal(38, 12)
TIME: Final = pl.Datetime("us", "UTC")


class Column(NamedTuple):
    """A column: what it holds, what that means, and whether it may be null, which always means "unknown"."""

    type: pl.DataType
    meaning: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """What a row of a table is, and its columns in their order."""

    meaning: str
    columns: Mapping[str, Column]

    @cached_property
    def schema(self) -> pl.Schema:
        """The columns and their types."""
        return pl.Schema({name: column.type for name, column in self.columns.items()})

    @cached_property
    def nullable(self) -> frozenset[str]:
        """The columns that may hold nulls."""
        return frozenset(name for name, column in self.columns.items() if column.nullable)


def table(meaning: str, **columns: Column) -> Table:
    """Return a table whose rows are `meaning`."""
    return Table(meaning, columns)


OF_TURN: Final = {"run_id": Column(TEXT, "the run"), "turn": Column(WHOLE, "its turn, counted from 0")}
"""What the rows of many tables begin with."""
