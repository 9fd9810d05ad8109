"""Which TTL of cache entries is cheaper for each task and agent type, and from when on an hour pays.

A token written for an hour costs more than one written for five minutes, but a token that has expired is
written again where it would have been read. So an hour pays when what would have to be written again is more
than (hour - five) / (five - read) of what is written; with 2, 1.25 and 0.1 input prices that is 65 %.
Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from collections.abc import Sequence

import polars as pl

from costscan.cache_policy import LONG, LONG_US, SHORT
from costscan.levers.caching import TTL_WAYS
from costscan.levers.replaying import winners
from costscan.prices import UNIT_COLUMNS, usd_of
from costscan.scenarios.costing import Costs
from costscan.schema.tables.levers import LIFETIMES


def ttl_choice(costs: Costs, steps: pl.DataFrame, ways: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the `lifetimes` frame: one row per run that writes to the cache.

    Args:
        costs: the logged turns.
        steps: the turns as they are replayed, with the TTL each wrote with.
        ways: the costs of the runs as they are and with each of `TTL_WAYS`, from `Costs.per_run`.
    """
    is_hour = pl.col("ttl_us") == LONG_US
    ttls_used = steps.filter("uses").group_by("run_id").agg(hours=is_hour.any(), fives=(~is_hour).any())
    prices = costs.turns.select("run_id").hstack(costs.unit).group_by("run_id").agg(break_even=_break_even())
    five, hour = (ways[1 + list(TTL_WAYS).index(ttl)] for ttl in (SHORT, LONG))
    both = five.join(hour, on="run_id", suffix="_hour", maintain_order="left").with_columns(
        cheaper=_named(winners(ways))
    )
    written = pl.col("cache_write_1h_tokens_hour")
    again = pl.max_horizontal(pl.col("cache_write_5m_tokens") - written, 0)
    return (
        both.join(ttls_used, on="run_id", how="inner", maintain_order="left")
        .join(prices, on="run_id", how="left", maintain_order="left")
        .filter(written > 0)
        .select(
            "run_id",
            ttl=pl.when(~pl.col("hours"))
            .then(pl.lit(SHORT))
            .when(~pl.col("fives"))
            .then(pl.lit(LONG))
            .otherwise(pl.lit("both")),
            cheaper="cheaper",
            usd_5m=usd_of(pl.col("pico_usd")),
            usd_1h=usd_of(pl.col("pico_usd_hour")),
            written_tokens=written,
            rewritten_tokens=again,
            break_even_tokens=(written * pl.col("break_even")).ceil().cast(pl.Int64),
        )
        .select(*LIFETIMES.columns)
    )


def _named(ways: pl.Series) -> pl.Series:
    return ways.replace_strict(dict(enumerate(TTL_WAYS, 1)), default=None, return_dtype=pl.String)


def _break_even() -> pl.Expr:
    """Return what must be written again, for each token written for an hour, at the prices of a run."""
    hour, five, read = (pl.col(UNIT_COLUMNS[m]) for m in ("cache_write_1h", "cache_write_5m", "cache_read"))
    return ((hour - five) / pl.when(five > read).then(five - read)).drop_nulls().mean()
