"""A cache that a client makes of what the prompts of a task begin with, and pays for by the hour.

It is made when the first call needs it, renewed while calls follow within its lifetime, and made again after
a longer pause. What a call had read without it, it reads all the same.
"""

from decimal import Decimal
from typing import Final

import polars as pl

from costscan.cache_policy import explicit_of
from costscan.levers.plan import Plan

EXPLICIT_CACHE: Final = "caching/explicit-cache"
_ONE: Final = ("domain", "stable_shared_key")
_SECONDS_PER_HOUR: Final = 3600


def explicitly_cached(plan: Plan, turns: pl.DataFrame, storage: Decimal | None) -> pl.DataFrame:
    """Return run_id and saved_pico of the runs whose prompts are in the log, 0 where there is no such cache.

    Args:
        plan: the logged runs.
        turns: their turns in the order of the steps, with cache_read_tokens and unit prices.
        storage: USD for a million tokens an hour; None for the price that is known of each model.
    """
    steps = plan.steps.select("run_id", "at_us", "model", "is_shown", *_ONE, tokens="stable_shared_tokens")
    calls = steps.hstack(turns.select("cache_read_tokens", "pico_input", "pico_cache_read"))
    told = calls.select(pl.col("run_id").filter("is_shown").unique())
    held = _held(calls, storage).sort(*_ONE, "at_us")
    to_next_s = (pl.col("at_us").shift(-1).over(_ONE) - pl.col("at_us")) / 1e6
    since_s = (pl.col("at_us") - pl.col("at_us").shift(1).over(_ONE)) / 1e6
    is_made = (since_s > pl.col("ttl_s")).fill_null(value=True)
    hours = pl.min_horizontal(to_next_s, "ttl_s") / _SECONDS_PER_HOUR
    stored = pl.col("tokens") * hours * pl.col("storage_pico")
    more = pl.max_horizontal(pl.col("tokens") - pl.col("cache_read_tokens"), 0)
    saved = more * (pl.col("pico_input") - pl.col("pico_cache_read"))
    made = pl.when(is_made).then(pl.col("tokens") * pl.col("pico_input")).otherwise(0)
    each = held.with_columns(saved_pico=saved - made - stored)
    sums = each.group_by("run_id").agg(pl.col("saved_pico").sum().round().cast(pl.Int64))
    return told.join(sums, on="run_id", how="left", maintain_order="left").fill_null(0)


def _held(calls: pl.DataFrame, storage: Decimal | None) -> pl.DataFrame:
    """Return the calls that have enough in common with others, with ttl_s and storage_pico of their model."""
    policies = {name: explicit_of(name) for name in calls["model"].drop_nulls().unique()}
    rows = [
        (
            name,
            policy.ttl_s,
            policy.min_tokens,
            float((policy.storage_of(name) if storage is None else storage) * 10**6),
        )
        for name, policy in policies.items()
        if policy is not None
    ]
    schema = {"model": pl.String, "ttl_s": pl.Int64, "least": pl.Int64, "storage_pico": pl.Float64}
    known = pl.DataFrame(rows, schema=schema, orient="row")
    return calls.filter("is_shown").join(known, on="model", how="inner").filter(
        pl.col("tokens") >= pl.col("least"), pl.col("pico_cache_read").is_not_null()
    )  # fmt: skip


__all__ = ["EXPLICIT_CACHE", "explicitly_cached"]
