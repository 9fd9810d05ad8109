"""The tasks of two sides: which are new, which are gone, and what each cost."""

import polars as pl

from costscan.aggregates import known_sum
from costscan.gate.side import ComparisonSide
from costscan.schema.frames import USD


def tasks(before: ComparisonSide, after: ComparisonSide) -> pl.DataFrame:
    """Return a row per task, the largest change of its cost first.

    Columns: task, state (new, gone, changed or same), runs_before, runs_after, usd_before, usd_after (the
    known cost of all its runs; null where the task has none on that side, or no price is known) and
    usd_change (null where a side is unknown; what is new or gone counts whole).
    """
    old, new = _sums(before, "before"), _sums(after, "after")
    both = old.join(new, on="task", how="full", coalesce=True)
    cost = [
        pl.when(pl.col(f"runs_{s}").is_null()).then(0).otherwise(f"usd_{s}").cast(USD)
        for s in ("before", "after")
    ]
    state = (
        pl.when(pl.col("runs_before").is_null())
        .then(pl.lit("new"))
        .when(pl.col("runs_after").is_null())
        .then(pl.lit("gone"))
        .when(pl.col("usd_before").ne_missing(pl.col("usd_after")))
        .then(pl.lit("changed"))
        .otherwise(pl.lit("same"))
    )
    return (
        both.with_columns(state=state, usd_change=cost[1] - cost[0])
        .with_columns(pl.col("runs_before", "runs_after").fill_null(0))
        .select("task", "state", "runs_before", "runs_after", "usd_before", "usd_after", "usd_change")
        .sort(pl.col("usd_change").abs(), "task", descending=[True, False], nulls_last=True)
    )


def _sums(side: ComparisonSide, name: str) -> pl.DataFrame:
    return side.units.group_by("task").agg(
        pl.len().cast(pl.Int64).alias(f"runs_{name}"), known_sum("known_usd").alias(f"usd_{name}")
    )


def only_in(side: ComparisonSide, other: ComparisonSide) -> pl.DataFrame:
    """Return the findings of a side that the other does not have, most expensive first, a row a fingerprint.

    Columns: name (of the rule), task, fingerprint, runs, usd, message (of the most expensive run).
    """
    others = other.nested("found").select("fingerprint").unique()
    own = side.nested("found").join(others, on="fingerprint", how="anti")
    most_expensive = own.sort("usd", "run_id", descending=[True, False], nulls_last=True)
    return (
        most_expensive.group_by("fingerprint", maintain_order=True)
        .agg(
            pl.col("name", "task").first(),
            runs=pl.col("run_id").n_unique().cast(pl.Int64),
            usd=known_sum("usd"),
            message=pl.col("message").first(),
        )
        .select("name", "task", "fingerprint", "runs", "usd", "message")
        .sort("usd", "fingerprint", descending=[True, False], nulls_last=True)
    )
