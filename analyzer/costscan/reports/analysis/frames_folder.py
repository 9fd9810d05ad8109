"""Every canonical frame as a Parquet file of a folder, for SQL of one's own."""

from functools import partial
from pathlib import Path

import polars as pl

from costscan.errors import CostscanError
from costscan.reports.outputs import whole
from costscan.rulebook import Diagnosis
from costscan.schema.frames import OF_LOGS
from costscan.summary import Summary
from costscan.summary.run_report import basis


def write(summary: Summary, analysis: Diagnosis, path: Path) -> None:
    """Write `<frame>.parquet` for each frame.

    Raises:
        CostscanError: the folder or a file cannot be written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CostscanError(
            f"{path}: cannot be made: {error.strerror}", "check space and permissions"
        ) from None
    metadata = basis(summary)
    for name in OF_LOGS:
        whole(path / f"{name}.parquet", partial(_write, analysis.lazy(name), metadata))


def _write(frame: pl.LazyFrame, metadata: dict[str, str], path: Path) -> None:
    frame.sink_parquet(path, metadata=metadata)
