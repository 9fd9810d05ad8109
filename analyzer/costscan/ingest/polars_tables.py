"""Tables to disk by Polars, for small logs: it is imported anyway where they are read in the main process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from costscan.reading.io.rows import Rows, written

_TYPES: Final = {
    "int": pl.Int64(),
    "float": pl.Float64(),
    "str": pl.String(),
    "bool": pl.Boolean(),
    "time": pl.Datetime("us", "UTC"),
}


def write(rows: Rows, out: Path, task: int) -> None:
    """Write each table to `out/<table>-<task>.arrow`.

    Raises:
        OSError: that cannot be written.
    """
    for name, columns in written(rows).items():
        kinds = zip(columns.items(), rows.columns(name), strict=True)
        frame = pl.DataFrame([_series(column, values, _TYPES[kind]) for (column, kind), values in kinds])
        frame.write_ipc(out / f"{name}-{task}.arrow")


def _series(name: str, values: Sequence[Any], kind: pl.DataType) -> pl.Series:
    try:
        return pl.Series(name, values, dtype=kind)
    except UnicodeEncodeError:
        # Lone surrogates, which JSON may hold and UTF-8 may not.
        clean = [v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for v in values]
        return pl.Series(name, clean, dtype=kind)
