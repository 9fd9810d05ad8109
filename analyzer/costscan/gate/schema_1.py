"""Run reports of schema 1, which have a row per agent thread: read as runs with their sub-agents."""

from typing import Final

import polars as pl

from costscan.aggregates import known_sum
from costscan.summary.run_report import NESTED

VERSION: Final = "1"
_SUMMED: Final = (
    "prompt_tokens",
    "cache_read_tokens",
    "output_tokens",
    "turns",
    "tool_calls",
    "unpriced_turns",
    "unreported_turns",
    "findings",
)


def completed(threads: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with the columns that came later: no call without usage was kept then."""
    return threads.with_columns(unreported_turns=pl.lit(0, pl.Int64))


def trees(threads: pl.DataFrame) -> pl.DataFrame:
    """Return a row per root run, with the task, file and start of its main thread, and the figures of all.

    Args:
        threads: the columns that comparisons need, and `root_run_id`, a row per agent thread. Where the main
            thread of a run is not among them, the first that began stands for it.
    """
    is_main = pl.col("run_id") == pl.col("root_run_id")
    return (
        threads.sort(~is_main, "started_at", "run_id", nulls_last=True)
        .group_by("root_run_id", maintain_order=True)
        .agg(
            pl.col("task", "path", "project", "started_at").first(),
            known_sum("usd").alias("usd"),
            pl.col(*_SUMMED).sum(),
            pl.col(*NESTED).explode().drop_nulls(),
        )
        .rename({"root_run_id": "run_id"})
        .select(name for name in threads.columns if name != "root_run_id")
    )
