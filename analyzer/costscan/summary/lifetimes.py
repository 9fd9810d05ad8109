"""Which lifetime of cache entries is cheaper, task by task."""

import polars as pl

from costscan.analysis import Analysis
from costscan.summary.money import known_sum


def by_lifetime(x: Analysis) -> pl.DataFrame:
    """Give a row per task that writes to the cache, the one that could save most first.

    `ttl` is what its runs wrote with (`both` where they differ), `cheaper` what would cost less for all of
    them together, `saved_usd` what each agent thread saves with the one that is cheaper for it.
    """
    saved = x.scenarios.filter(scenario="caching/ttl").select("run_id", "saved_usd")
    runs = x.runs.select("run_id", "root_run_id", task="root_task")
    told = x.lifetimes.join(runs, on="run_id", how="left").join(saved, on="run_id", how="left")
    tokens = ("written_tokens", "rewritten_tokens", "break_even_tokens")
    one = pl.col("ttl").n_unique() == 1
    sums = told.group_by("task").agg(
        runs=pl.col("root_run_id").n_unique().cast(pl.Int64),
        ttl=pl.when(one).then(pl.col("ttl").first()).otherwise(pl.lit("both")),
        usd_5m=known_sum("usd_5m"),
        usd_1h=known_sum("usd_1h"),
        saved_usd=known_sum("saved_usd"),
        **{name: pl.col(name).sum() for name in tokens},
    )
    less = (
        pl.when(pl.col("usd_1h") < pl.col("usd_5m"))
        .then(pl.lit("1h"))
        .when(pl.col("usd_1h") > pl.col("usd_5m"))
        .then(pl.lit("5m"))
    )
    return (
        sums.with_columns(cheaper=less)
        .select("task", "runs", "ttl", "cheaper", "usd_5m", "usd_1h", "saved_usd", *tokens)
        .sort("saved_usd", "task", descending=[True, False], nulls_last=True)
    )
