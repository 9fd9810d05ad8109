"""Which turns could have gone to another model, and why."""

import polars as pl

from costscan.analysis import Analysis


def by_route(x: Analysis) -> pl.DataFrame:
    """Give a row per model, target and evidence: how many turns of how many runs, most turns first."""
    one = ["model", "to_model", "evidence", "confidence", "reason"]
    return (
        x.rooted(x.routes)
        .group_by(one)
        .agg(turns=pl.len().cast(pl.Int64), runs=pl.col("root_run_id").n_unique().cast(pl.Int64))
        .sort("turns", *one, descending=[True, *[False] * len(one)], nulls_last=True)
        .select("model", "to_model", "turns", "runs", "evidence", "confidence", "reason")
    )
