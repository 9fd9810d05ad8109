"""Findings of two sides: which are new, and which are gone."""

import polars as pl

from costscan.gate.side import Side
from costscan.summary.money import known_sum


def only_in(side: Side, other: Side) -> pl.DataFrame:
    """Give the findings of a side that the other does not have, dearest first, one row a fingerprint.

    Columns: name (of the rule), task, fingerprint, runs, usd, message (of the dearest run).
    """
    others = other.nested("found").select("fingerprint").unique()
    own = side.nested("found").join(others, on="fingerprint", how="anti")
    dearest = own.sort("usd", "run_id", descending=[True, False], nulls_last=True)
    return (
        dearest.group_by("fingerprint", maintain_order=True)
        .agg(
            pl.col("name", "task").first(),
            runs=pl.col("run_id").n_unique().cast(pl.Int64),
            usd=known_sum("usd"),
            message=pl.col("message").first(),
        )
        .select("name", "task", "fingerprint", "runs", "usd", "message")
        .sort("usd", "fingerprint", descending=[True, False], nulls_last=True)
    )
