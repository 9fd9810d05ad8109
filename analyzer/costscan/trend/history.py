"""A history: the runs of several run reports, each run once, and when it was."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import polars as pl

from costscan.errors import CostscanError
from costscan.gate import ComparisonSide, is_report
from costscan.gate.side import ENDING, read_report
from costscan.schema.frames import TIME
from costscan.store.places import is_store

_MAKE_ONE = f"make reports of logs with: costscan analyze LOGS -o DIR/2026-11-01{ENDING}"
OfStore: TypeAlias = Callable[[str], ComparisonSide]
"""Returns the runs that a store tells of."""


@dataclass(frozen=True)
class History:
    """The runs of some reports.

    Attributes:
        side: the runs, each as the newest report tells it.
        reports: the reports, oldest first. Columns: name, made_at (null where it does not say), runs (those
            that no older report has).
        first_reports: run_id, report (the oldest one that has the run) and made_at (when that one was made).
    """

    side: ComparisonSide
    reports: pl.DataFrame
    first_reports: pl.DataFrame

    @property
    def units(self) -> pl.DataFrame:
        """Return the units of the side with `report` and `at`: their start, where it is unknown `made_at`."""
        units = self.side.units.join(self.first_reports, on="run_id", how="left", maintain_order="left")
        return units.with_columns(at=pl.coalesce("started_at", "made_at"))


def read_history(paths: Sequence[str], of_store: OfStore | None = None) -> History:
    """Read run reports, and folders of them.

    Args:
        paths: the reports and folders, and perhaps stores.
        of_store: what reads a store; None where there is none.

    Raises:
        CostscanError: there is none, or one cannot be read.
    """
    stores = [path for path in paths if of_store is not None and is_store(path)]
    named = [Path(path).expanduser() for path in paths if path not in stores]
    files = {file.resolve(): file for path in named for file in _files(path)}
    told = [of_store(path) for path in stores] if of_store is not None else []
    sides = sorted([*(read_report(file) for file in files.values()), *told], key=_age)
    every = pl.concat([_runs(side) for side in sides])
    own = ["report", "made_at"]
    runs = every.unique("run_id", keep="last", maintain_order=True).drop(own)
    # A run without a start was there when the first report of it was made; later ones only tell it again.
    first_reports = every.unique("run_id", keep="first", maintain_order=True).select("run_id", *own)
    new = first_reports.group_by("report").agg(runs=pl.len())
    reports = every.select(own).unique(maintain_order=True).join(new, on="report", how="left")
    return History(
        ComparisonSide(" ".join(paths), runs, sides[-1].basis),
        reports.select("made_at", name="report", runs=pl.col("runs").fill_null(0).cast(pl.Int64)),
        first_reports,
    )


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise CostscanError(f"{path}: no such file or folder", _MAKE_ONE)
    if path.is_dir():
        if not is_report(path):
            has_frames = any(path.glob(f"*{ENDING}"))
            what = "holds the frames of one log, not run reports" if has_frames else "no run report in it"
            raise CostscanError(f"{path}: {what}", _MAKE_ONE)
        return sorted(path.glob(f"*{ENDING}"))
    if not is_report(path):
        raise CostscanError(f"{path}: this is no run report ({ENDING})", _MAKE_ONE)
    return [path]


def _age(side: ComparisonSide) -> tuple[str, str]:
    made_at = _made_at(side)
    return (made_at.isoformat() if made_at else "", side.name)


def _made_at(side: ComparisonSide) -> datetime | None:
    try:
        made_at = datetime.fromisoformat(side.basis.get("generated_at", ""))
    except ValueError:
        return None
    return made_at.replace(tzinfo=UTC) if made_at.tzinfo is None else made_at.astimezone(UTC)


def _runs(side: ComparisonSide) -> pl.DataFrame:
    return side.runs.with_columns(report=pl.lit(side.name), made_at=pl.lit(_made_at(side), TIME))
