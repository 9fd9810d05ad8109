"""Runs whose cache has no rules that a replay could follow: what levers would save of them is unknown."""

import polars as pl

from costscan.cache_policy import policy_of

_UNKNOWN = ("usd", "saved_usd", "saved_low_usd", "saved_high_usd", "saved_joint_usd")


def unreplayed(turns: pl.DataFrame) -> tuple[pl.Series, tuple[str, ...]]:
    """Return the ids of runs of which no turn went to a model whose cache has known rules, and their models.

    Args:
        turns: the turns that could be replayed, with run_id and model.
    """
    models = turns["model"].unique()
    ruled = models.filter([policy_of(model) is not None for model in models])
    is_ruled = pl.col("model").is_in(ruled.implode()).fill_null(value=False)
    runs = turns.filter(~is_ruled.any().over("run_id"))
    return runs["run_id"].unique(), tuple(runs["model"].drop_nulls().unique().sort())


def without(scenarios: pl.DataFrame, runs: pl.Series) -> pl.DataFrame:
    """Return scenarios that say nothing of some runs but what they were billed."""
    is_unknown = pl.col("run_id").is_in(runs.implode()) & (pl.col("scenario") != "as_billed")
    return scenarios.with_columns(pl.when(~is_unknown).then(pl.col(name)).alias(name) for name in _UNKNOWN)
