"""One side of a comparison: the runs of some logs, or of reports made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Final

import polars as pl

from costscan.analysis import Analysis
from costscan.errors import CostscanError
from costscan.frames import TIME, USD
from costscan.gate.metrics import METRICS
from costscan.summary import SCHEMA_VERSION, Summary
from costscan.summary.days import UNKNOWN_DAY, day
from costscan.summary.money import known_sum, share, total
from costscan.summary.run_report import NESTED, basis, run_report
from costscan.zones import DEFAULT

ENDING: Final = ".parquet"
NEEDED: Final = {
    **dict.fromkeys(("run_id", "root_run_id", "task", "path"), pl.String()),
    "started_at": TIME,
    "usd": USD,
    **dict.fromkeys(
        ("prompt_tokens", "cache_read_tokens", "output_tokens", "turns", "tool_calls", "unpriced_turns"),
        pl.Int64(),
    ),
    "findings": pl.Int64(),
    **{name: pl.List(pl.Struct(schema)) for name, schema in NESTED.items()},
}
"""The columns of a run report that comparisons are made of, and their types."""
_MAKE_ONE: Final = "make it with: costscan analyze LOGS -o baseline.parquet"


@dataclass(frozen=True)
class Side:
    """What is known of one side.

    Attributes:
        name: what the user called it.
        runs: the columns of a run report that are needed.
        basis: what the report says of itself: versions, the date and source of the prices.
        tz: the time zone of its days.
    """

    name: str
    runs: pl.DataFrame
    basis: Mapping[str, str]
    tz: str = DEFAULT

    @cached_property
    def units(self) -> pl.DataFrame:
        """Give what is compared: a row per root run, its sub-agents added to it, a column per metric.

        `usd` is null where a turn has no price, `known_usd` the sum of those that have one. Columns: run_id,
        task, file, day, started_at, unpriced_turns, known_usd, and the metrics.
        """
        sums = [pl.col(name).sum() for name in ("prompt_tokens", "output_tokens", "turns", "tool_calls")]
        is_root = pl.col("run_id") == pl.col("root_run_id")
        own = self.runs.sort(~is_root, "started_at", "run_id", nulls_last=True)
        return (
            own.group_by("root_run_id", maintain_order=True)
            .agg(
                pl.col("task", "path", "started_at").first(),
                pl.when(pl.col("unpriced_turns").sum() == 0).then(known_sum("usd")).alias("usd"),
                known_sum("usd").alias("known_usd"),
                *sums,
                pl.col("unpriced_turns", "findings", "cache_read_tokens").sum(),
            )
            .select(
                "task",
                "started_at",
                "unpriced_turns",
                "known_usd",
                *(name for name in METRICS if name != "cache_hit_rate"),
                run_id="root_run_id",
                file=pl.col("path").str.split("/").list.last(),
                day=day("started_at", self.tz).fill_null(UNKNOWN_DAY),
                cache_hit_rate=share(pl.col("cache_read_tokens"), pl.col("prompt_tokens")),
            )
        )

    @property
    def usd(self) -> Decimal:
        """Give the known cost of all runs."""
        return total(self.runs["usd"])

    @cached_property
    def tasks(self) -> pl.DataFrame:
        """Give the task of every run, which is that of its root: run_id, task."""
        roots = self.units.select("task", root_run_id="run_id")
        return self.runs.select("run_id", "root_run_id").join(roots, on="root_run_id").drop("root_run_id")

    def nested(self, name: str) -> pl.DataFrame:
        """Give the rows that runs hold in a nested column, with `run_id` and the task of the root run."""
        rows = self.runs.select("run_id", name).explode(name).filter(pl.col(name).is_not_null())
        return rows.unnest(name).join(self.tasks, on="run_id", how="left", maintain_order="left")

    def of_tasks(self, names: Sequence[str]) -> "Side":
        """Give only the runs of some tasks; of all where none is named."""
        if not names:
            return self
        kept = self.tasks.filter(pl.col("task").is_in(list(names)))
        return replace(self, runs=self.runs.join(kept, on="run_id", how="semi"))


def of_logs(summary: Summary, x: Analysis) -> Side:
    """Give the side that some logs are; their reading is still open."""
    runs = _needed(run_report(summary, x))
    return Side(" ".join(summary.paths), runs, basis(summary), summary.inputs.tz)


def reported(path: Path, tz: str = DEFAULT) -> Side:
    """Read a run report, or all that a folder holds: of runs that are in several, the newest counts.

    Args:
        path: the report or the folder.
        tz: the time zone of its days.

    Raises:
        CostscanError: a file is no run report, or of a version this one cannot read.
    """
    files = sorted(path.glob(f"*{ENDING}")) if path.is_dir() else [path]
    sides = sorted((read_report(file) for file in files), key=lambda side: side.basis.get("generated_at", ""))
    runs = pl.concat([side.runs for side in sides]).unique("run_id", keep="last", maintain_order=True)
    return Side(str(path), runs, sides[-1].basis, tz)


def is_report(path: Path) -> bool:
    """Say whether a path names a run report, or a folder that holds some and no frames of one log."""
    if path.is_dir():
        return any(path.glob(f"*{ENDING}")) and not (path / f"blocks{ENDING}").exists()
    return path.suffix.lower() == ENDING


def read_report(path: Path) -> Side:
    """Read one run report.

    Raises:
        CostscanError: it is none, or of a version this one cannot read.
    """
    try:
        with path.open("rb") as file:
            said = pl.read_parquet_metadata(file)
        if (version := said.get("schema_version")) != str(SCHEMA_VERSION):
            told = f"has schema {version}, not {SCHEMA_VERSION}" if version else "is no report of costscan"
            raise CostscanError(f"{path}: {told}", _MAKE_ONE)
        with path.open("rb") as file:  # a path may be a pattern to Polars
            runs = pl.read_parquet(file)
    except OSError as error:
        raise CostscanError(f"{path}: cannot be read: {error.strerror or error}", _MAKE_ONE) from None
    except pl.exceptions.PolarsError:
        raise CostscanError(f"{path}: this is not a Parquet file", _MAKE_ONE) from None
    if missing := [name for name in NEEDED if name not in runs.columns]:
        raise CostscanError(
            f"{path}: has no column {missing[0]}: an older costscan made this report", _MAKE_ONE
        )
    try:
        return Side(str(path), _needed(runs), said)
    except pl.exceptions.PolarsError as error:
        what = str(error).partition("\n")[0]
        raise CostscanError(f"{path}: a column has another type: {what}", _MAKE_ONE) from None


def _needed(runs: pl.DataFrame) -> pl.DataFrame:
    return runs.select(pl.col(name).cast(kind) for name, kind in NEEDED.items())
