"""One side of a comparison: the runs of some logs, or of reports made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import polars as pl

from costscan.aggregates import share, total
from costscan.billing import TOTALS_ONLY
from costscan.days import UNKNOWN_DAY, day
from costscan.errors import CostscanError
from costscan.gate import schema_1
from costscan.gate.metrics import METRICS
from costscan.names import meant, meant_folders
from costscan.rulebook import Diagnosis
from costscan.schema.frames import TIME, USD
from costscan.summary import SCHEMA_VERSION, Summary
from costscan.summary.run_report import NESTED, basis, run_report
from costscan.zones import DEFAULT

ENDING: Final = ".parquet"
NEEDED: Final = {
    **dict.fromkeys(("run_id", "task", "path", "project"), pl.String()),
    "started_at": TIME,
    "usd": USD,
    **dict.fromkeys(
        ("prompt_tokens", "cache_read_tokens", "output_tokens", "turns", "tool_calls", "unpriced_turns"),
        pl.Int64(),
    ),
    "unreported_turns": pl.Int64(),
    "findings": pl.Int64(),
    **{name: pl.List(pl.Struct(schema)) for name, schema in NESTED.items()},
}
"""The columns of a run report that comparisons are made of, and their types."""
COUNTED: Final = ("prompt_tokens", "output_tokens")
"""The metrics that sum what calls report of their usage."""
_MAKE_ONE: Final = "make it with: costscan analyze LOGS -o baseline.parquet"


@dataclass(frozen=True)
class ComparisonSide:
    """What is known of one side.

    Attributes:
        name: what the user called it.
        runs: the columns of a run report that are needed: a row per run, its sub-agents included.
        basis: what the report says of itself: versions, the date and source of the prices.
        tz: the time zone of its days.
        actions: what to change, as the JSON report has it; None of a report, which does not tell it, and of
            some of the runs.
    """

    name: str
    runs: pl.DataFrame
    basis: Mapping[str, str]
    tz: str = DEFAULT
    actions: Sequence[Mapping[str, Any]] | None = None

    @cached_property
    def units(self) -> pl.DataFrame:
        """Return what is compared: a row per run, a column per metric.

        `usd` is null where a turn has no price or usage, `known_usd` the sum of what is known; the counts of
        tokens are null where a turn has no usage. Columns: run_id, task, file, day, started_at,
        unpriced_turns, unreported_turns, known_usd, and the metrics.
        """
        derived = {"usd", "cache_hit_rate", *COUNTED}
        is_counted = pl.col("unreported_turns") == 0
        return self.runs.sort("started_at", "run_id", nulls_last=True).select(
            "run_id",
            "task",
            "started_at",
            "unpriced_turns",
            "unreported_turns",
            *(name for name in METRICS if name not in derived),
            *(pl.when(is_counted).then(pl.col(name)).alias(name) for name in COUNTED),
            usd=pl.when(is_counted & (pl.col("unpriced_turns") == 0)).then("usd"),
            known_usd="usd",
            file=pl.col("path").str.split("/").list.last(),
            day=day("started_at", self.tz).fill_null(UNKNOWN_DAY),
            cache_hit_rate=pl.when(is_counted).then(
                share(pl.col("cache_read_tokens"), pl.col("prompt_tokens"))
            ),
        )

    @property
    def usd(self) -> Decimal:
        """Return the known cost of all runs."""
        return total(self.runs["usd"])

    def nested(self, name: str) -> pl.DataFrame:
        """Return the rows that runs hold in a nested column, with `run_id` and `task`."""
        rows = self.runs.select("run_id", name, "task").explode(name).filter(pl.col(name).is_not_null())
        return rows.unnest(name)

    def of(self, tasks: Sequence[str], projects: Sequence[str] = ()) -> "ComparisonSide":
        """Return only the runs of some tasks and projects (see `names`); of all where none is named."""
        runs, actions = self.runs, None if tasks or projects else self.actions
        if tasks:
            runs = runs.filter(pl.col("task").is_in(meant(tasks, runs["task"])))
        if projects:
            folders = meant_folders(projects, runs["project"].drop_nulls())
            runs = runs.filter(pl.col("project").is_in(folders))
        return replace(self, runs=runs, actions=actions)


def of_logs(summary: Summary, analysis: Diagnosis) -> ComparisonSide:
    """Return the side that some logs are; their reading is still open.

    Raises:
        CostscanError: they are exports of a provider, which tell sums alone.
    """
    name = " ".join(summary.paths)
    runs = _told(_typed(run_report(summary, analysis), NEEDED), name)
    return ComparisonSide(name, runs, basis(summary), summary.inputs.tz, summary.actions)


def _told(runs: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the runs that are some: the sums of an export, which stand among them, are none.

    Raises:
        CostscanError: there are sums alone.
    """
    told = runs.filter(pl.col("task").ne_missing(TOTALS_ONLY))
    if runs.height and not told.height:
        raise CostscanError(
            f"{name}: an export tells sums of days and models, and no run that could be compared",
            "give logs of calls; costscan usage shows sums",
        )
    return told


def reported(path: Path, tz: str = DEFAULT) -> ComparisonSide:
    """Read a run report, or all that a folder holds: of runs that are in several, the newest counts.

    Args:
        path: the report or the folder.
        tz: the time zone of its days.

    Raises:
        CostscanError: a file is no run report, or of a version this one cannot read.
    """
    files = sorted(path.glob(f"*{ENDING}")) if path.is_dir() else [path]
    sides = sorted((read_report(file) for file in files), key=lambda side: side.basis.get("generated_at", ""))
    runs = _told(pl.concat([side.runs for side in sides]), str(path))
    runs = runs.unique("run_id", keep="last", maintain_order=True)
    return ComparisonSide(str(path), runs, sides[-1].basis, tz)


def is_report(path: Path) -> bool:
    """Whether a path names a run report, or a folder that holds some and no frames of one log."""
    if path.is_dir():
        return any(path.glob(f"*{ENDING}")) and not (path / f"blocks{ENDING}").exists()
    return path.suffix.lower() == ENDING


def read_report(path: Path) -> ComparisonSide:
    """Read one run report; of schema 1 too, whose rows are put together to runs.

    Raises:
        CostscanError: it is none, or of a version this one cannot read.
    """
    try:
        with path.open("rb") as file:
            metadata = pl.read_parquet_metadata(file)
        if (version := metadata.get("schema_version")) not in {schema_1.VERSION, str(SCHEMA_VERSION)}:
            reason = f"has schema {version}, not {SCHEMA_VERSION}" if version else "is no report of costscan"
            raise CostscanError(f"{path}: {reason}", _MAKE_ONE)
        with path.open("rb") as file:  # a path may be a pattern to Polars
            runs = pl.read_parquet(file)
    except OSError as error:
        raise CostscanError(f"{path}: cannot be read: {error.strerror or error}", _MAKE_ONE) from None
    except pl.exceptions.PolarsError:
        raise CostscanError(f"{path}: this is not a Parquet file", _MAKE_ONE) from None
    needed = NEEDED
    if version == schema_1.VERSION:
        runs, needed = schema_1.completed(runs), {"root_run_id": pl.String(), **NEEDED}
    if "project" not in runs.columns:  # reports of schema 2 have it since there is --project
        runs = runs.with_columns(project=pl.lit(None, pl.String))
    if missing := [name for name in needed if name not in runs.columns]:
        raise CostscanError(
            f"{path}: has no column {missing[0]}: an older costscan made this report", _MAKE_ONE
        )
    try:
        runs = _typed(runs, needed)
        return ComparisonSide(
            str(path), schema_1.trees(runs) if version == schema_1.VERSION else runs, metadata
        )
    except pl.exceptions.PolarsError as error:
        what = str(error).partition("\n")[0]
        raise CostscanError(f"{path}: a column has another type: {what}", _MAKE_ONE) from None


def _typed(runs: pl.DataFrame, needed: Mapping[str, pl.DataType]) -> pl.DataFrame:
    return runs.select(pl.col(name).cast(kind) for name, kind in needed.items())
