"""Tables to disk by PyArrow, which a worker process imports faster than Polars."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from costscan.reading.io.rows import Rows, written


def write(rows: Rows, out: Path, task: int) -> None:
    """Write each table to `out/<table>-<task>.arrow`.

    Raises:
        OSError: that cannot be written.
    """
    import pyarrow as pa  # noqa: PLC0415 - takes longer to import than a small log to read

    types = {
        "int": pa.int64(),
        "float": pa.float64(),
        "str": pa.string(),
        "bool": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
    }
    for name, columns in written(rows).items():
        kinds = zip(rows.columns(name), columns.values(), strict=True)
        arrays = [_array(pa, values, types[kind]) for values, kind in kinds]
        table = pa.table(arrays, names=list(columns))
        with (
            pa.OSFile(str(out / f"{name}-{task}.arrow"), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as w,
        ):
            w.write_table(table)


def _array(pa: Any, values: Sequence[Any], kind: Any) -> Any:
    try:
        return pa.array(values, type=kind)
    except UnicodeEncodeError:
        # Lone surrogates, which JSON may hold and UTF-8 may not.
        clean = [v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for v in values]
        return pa.array(clean, type=kind)
