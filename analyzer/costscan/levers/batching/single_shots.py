"""Requests that depend on no answer, and whether anybody waits for theirs."""

from typing import Final

import polars as pl

from costscan.schema.tables.levers import SINGLE_SHOTS

WAVE_GAP_S: Final = 300.0
"""Single shots of a task that begin within so many seconds of one another are one wave."""
WAVE_RUNS: Final = 5
"""Nobody sends so many by hand, one upon the other."""
NIGHTLY_DAYS: Final = 3
"""On so many days at about the same time it is a clock that starts the job."""
NIGHTLY_MINUTES: Final = 15


def single_shots(turns: pl.DataFrame, runs: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """Return the `single_shots` frame: runs of one turn for which no tool loop and no parent waits.

    Args:
        turns: all turns.
        runs: run_id, parent_run_id, task, interactive, n_turns.
        steps: run_id, shared_key and shared_tokens of the logged turns.
    """
    alone = runs.filter(
        pl.col("n_turns") == 1, pl.col("parent_run_id").is_null(), ~pl.col("interactive")
    ).select("run_id", "task")
    ends = pl.col("stop_reason").is_null() | (pl.col("stop_reason") != "tool_use")
    own = turns.filter(ends & (pl.col("web_searches") == 0)).select(
        "run_id", "turn", "at", "model", "tier", "speed", "output_tokens"
    )
    prefix = steps.select("run_id", "shared_key", "shared_tokens", "prompt_tokens")
    joined = alone.join(own, on="run_id", how="inner", maintain_order="left").join(
        prefix, on="run_id", how="inner", maintain_order="left"
    )
    shots = joined.sort("task", "at", "run_id", nulls_last=True).with_columns(
        *_waves(), nightly_days=_nightly()
    )
    return shots.with_columns(reason=_reason()).select(*SINGLE_SHOTS.columns)


def _waves() -> list[pl.Expr]:
    """Number the stretches of single shots of a task that begin close to one another, and count them."""
    late = (pl.col("at") - pl.col("at").shift(1)).dt.total_microseconds() > WAVE_GAP_S * 1e6
    begins = late | (pl.col("task") != pl.col("task").shift(1))
    wave = begins.fill_null(value=True).cast(pl.Int64).cum_sum()
    timed = pl.col("at").is_not_null()
    runs = timed.sum().over(wave).cast(pl.Int64)
    return [pl.when(timed).then(wave).alias("wave"), pl.when(timed).then(runs).alias("wave_runs")]


def _nightly() -> pl.Expr:
    """Count the days on which the task began within half an hour of this time of day."""
    minute = pl.col("at").dt.hour().cast(pl.Int64) * 60 + pl.col("at").dt.minute().cast(pl.Int64)
    slot = minute // (2 * NIGHTLY_MINUTES)
    return (
        pl.when(pl.col("at").is_not_null())
        .then(pl.col("at").dt.date().n_unique().over("task", slot))
        .cast(pl.Int64)
    )


def _reason() -> pl.Expr:
    """Say why nobody waits; null where somebody may."""
    return (
        pl.when(pl.col("wave_runs") >= WAVE_RUNS)
        .then(pl.lit("one of many of its task, one upon the other"))
        .when(pl.col("nightly_days") >= NIGHTLY_DAYS)
        .then(pl.lit("its task begins at the same time each day"))
    )
