"""Whose rows a table holds."""

from collections.abc import Sequence
from typing import Final

from costscan.formats.interface import Format
from costscan.reading.io import tables

SNIFF_ROWS: Final = 20


def table_format(on_disk: str, sources: Sequence[Format]) -> Format | None:
    """Return the format of the rows of a table, None where it has none or the file is no table.

    Raises:
        CostscanError: it is Parquet that cannot be read.
    """
    rows = tables.first_rows(on_disk, SNIFF_ROWS)
    return next((s for s in sources if rows and s.in_tables and s.sniff(rows)), None)


__all__ = ["table_format"]
