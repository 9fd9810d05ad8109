"""What each request marked to be cached, and what became of it: more than SQL over the frames can know."""

from typing import Final

import polars as pl

from costscan.cache.prefix_tokens import NEAR_SHARE
from costscan.cache.requests import LoggedRequests
from costscan.cache_policy import TTLS_US
from costscan.schema.tables.cache import CACHE_USE

_PLACE: Final = ["run_id", "turn"]
_SHOWN: Final = ("markers", "first_marked_tokens", "marked_tokens", "shared_tokens", "shared_key", "wave")
"""What is known only of requests that stand in the log."""


def cache_use(turns: pl.DataFrame, logged_requests: LoggedRequests) -> pl.DataFrame:
    """Return the `cache_use` frame.

    Args:
        turns: all turns.
        logged_requests: how those that stand in the log used the cache.
    """
    billed = turns.select(
        *_PLACE,
        "at",
        "cache_read_tokens",
        written_tokens=pl.col("cache_write_5m_tokens") + pl.col("cache_write_1h_tokens"),
    )
    steps = logged_requests.steps.join(billed, on=_PLACE, how="inner", maintain_order="left")
    breakpoints = logged_requests.positions.filter(pl.col("ttl_us").is_not_null())
    joined = (
        steps.join(_breakpoints(breakpoints), on="req", how="left", maintain_order="left")
        .join(
            _reach(steps, logged_requests.positions, breakpoints), on="req", how="left", maintain_order="left"
        )
        .with_columns(pl.col("markers", "first_marked_tokens", "marked_tokens").fill_null(0))
        .with_columns(shared_key=_named(pl.struct("domain", "shared_key"), pl.col("shared_tokens") > 0))
        .with_columns(wave=_wave())
    )
    return joined.select(*_PLACE, "is_shown", *_columns()).select(*CACHE_USE.columns)


def _breakpoints(breakpoints: pl.DataFrame) -> pl.DataFrame:
    tokens = pl.col("tokens")
    return breakpoints.group_by("req").agg(
        markers=pl.len().cast(pl.Int64), first_marked_tokens=tokens.min(), marked_tokens=tokens.max()
    )


def _reach(steps: pl.DataFrame, positions: pl.DataFrame, breakpoints: pl.DataFrame) -> pl.DataFrame:
    """Return how far of what each request marked a later one read: req, reach_tokens."""
    requests = steps.select("req", "domain", "at_us", read="cache_read_tokens")
    entry = ["domain", "key"]
    # The tokens of a position are estimated: a read of nearly as many ends there.
    reads = (
        positions.join(requests.filter(pl.col("read") > 0), on="req", how="inner")
        .filter(pl.col("read") >= (1 - NEAR_SHARE) * pl.col("tokens"))
        .group_by(entry)
        .agg(last_us=pl.col("at_us").max())
    )
    return (
        breakpoints.join(requests, on="req", how="inner")
        .join(reads, on=entry, how="inner")
        .filter(pl.col("last_us") > pl.col("at_us"))
        .group_by("req")
        .agg(reach_tokens=pl.col("tokens").max())
    )


def _named(value: pl.Expr, is_named: pl.Expr) -> pl.Expr:
    return pl.when(is_named).then((value.hash() // 2).cast(pl.Int64))


def _wave() -> pl.Expr:
    """Number, per shared prefix, the stretches of time in which a request with it was under way."""
    one = "shared_key"
    busy_to = pl.col("ready_us").cum_max().shift(1).over(one, order_by="at_us")
    begins = (pl.col("at_us") >= busy_to).fill_null(True)
    nth = begins.cast(pl.Int64).cum_sum().over(one, order_by="at_us")
    return _named(pl.struct(one, nth.alias("nth")), pl.col(one).is_not_null() & pl.col("at").is_not_null())


def _columns() -> list[pl.Expr]:
    names = {us: name for name, us in TTLS_US.items()}
    timed = pl.col("at").is_not_null()
    written, read = pl.col("written_tokens"), pl.col("cache_read_tokens")
    reach = pl.max_horizontal(pl.col("reach_tokens").fill_null(0), read)
    wrote = written.sum().over("run_id") > 0
    named = pl.col("ttl_us").replace_strict(names, default=None, return_dtype=pl.String)
    return [
        *(pl.when("is_shown").then(name).alias(name) for name in _SHOWN),
        pl.when(pl.col("extends_key").is_not_null())
        .then("extends_tokens")
        .otherwise(0)
        .alias("extends_tokens"),
        pl.col("min_tokens"),
        pl.when(wrote).then(named).alias("ttl"),
        pl.max_horizontal(pl.min_horizontal(read + written - reach, written), 0).alias("unread_tokens"),
        pl.when(timed).then("at_us").alias("begun_us"),
        pl.when(timed).then("ready_us").alias("ready_us"),
    ]
