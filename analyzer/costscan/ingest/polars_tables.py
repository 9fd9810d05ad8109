"""Tables to disk by Polars, for a process that has imported it already: PyArrow is not imported beside it."""

from pathlib import Path

from costscan.ingest.bill_tables import clean, plain
from costscan.reading.io.rows import Rows, written


def write(rows: Rows, out: Path, task: int) -> None:
    """Write each table to `out/<table>-<task>.arrow`.

    Raises:
        OSError: that cannot be written.
    """
    from costscan.ingest.bill_frames import frame_of  # noqa: PLC0415 - imports Polars

    for name, columns in written(rows).items():
        values = [plain(one, kind) for one, kind in zip(rows.columns(name), columns.values(), strict=True)]
        try:
            frame = frame_of(name, values)
        except UnicodeEncodeError:
            frame = frame_of(name, [clean(one) for one in values])
        frame.write_ipc(out / f"{name}-{task}.arrow")


__all__ = ["write"]
