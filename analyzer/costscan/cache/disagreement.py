"""Turns that were billed otherwise than the replay foresaw: of what class they are, and what that costs."""

from typing import Any, Final

import polars as pl

from costscan.cache.proven_calls import IN_RUN
from costscan.cache_policy import LONG_US, SHORT_US
from costscan.prices import usd_of
from costscan.schema.frames import USD

_LATE_SHARE: Final = 0.8
CACHED_OUTSIDE: Final = "cached-outside-log"
EXPIRED_EARLY: Final = "expired-early"
LOST: Final = "unexplained-loss"
_COLUMNS: Final[dict[str, Any]] = {
    "provider": pl.String, "disagreement": pl.String, "is_proven": pl.Boolean, "turns": pl.Int64,
    "tokens": pl.Int64, "off_usd": USD, "least_usd": USD,
}  # fmt: skip
BY_CLASS: Final = pl.Schema(_COLUMNS)
"""One row per provider and class, those of most turns first.

is_proven (the replay has it from the cache reads), tokens read otherwise than foreseen, off_usd (as replayed
less as billed), least_usd (what the calls that are not in the log cost at least; null where there are none).
"""


def class_of_turn() -> pl.Expr:
    """Return the class of a turn, null where the replay agrees; for the columns see `agreement`."""
    over, under = pl.col("unexplained_tokens") > 0, pl.col("unexplained_tokens") < 0
    hour = pl.col("cache_write_1h_tokens") > 0
    ttl_s = pl.when(hour).then(LONG_US).otherwise(SHORT_US) / 1e6
    return (
        pl.when("given")
        .then(None)
        .when(pl.col("kind").is_not_null())
        .then("kind")
        .when(over)
        .then(pl.lit(CACHED_OUTSIDE))
        .when(under & (pl.col("gap_s") > ttl_s * _LATE_SHARE))
        .then(pl.lit(EXPIRED_EARLY))
        .when(under)
        .then(pl.lit(LOST))
    )


def least_usd() -> pl.Expr:
    """Return the least that a call outside the log cost: it read what it went on from, and wrote the rest."""
    hour = pl.col("cache_write_1h_tokens") > 0
    write = pl.when(hour).then("pico_cache_write_1h").otherwise("pico_cache_write_5m")
    wrote = (pl.col("cache_read_tokens") - pl.col("from_tokens")) * write
    pico = pl.col("from_tokens") * pl.col("pico_cache_read") + wrote
    return pl.when(pl.col("kind").is_in(IN_RUN)).then(usd_of(pico))


def by_class(compared: pl.DataFrame) -> pl.DataFrame:
    """Sum up compared turns as `BY_CLASS`."""
    named = compared.filter(pl.col("disagreement").is_not_null())
    least = pl.col("least_usd")
    return (
        named.group_by("provider", "disagreement")
        .agg(
            is_proven=pl.col("kind").is_not_null().all(),
            turns=pl.len().cast(pl.Int64),
            tokens=(pl.col("cache_read_tokens") - pl.col("foreseen_tokens")).abs().sum(),
            off_usd=pl.col("off_usd").sum(),
            least_usd=pl.when(least.count() > 0).then(least.sum()),
        )
        .sort("turns", "disagreement", descending=[True, False])
        .select(pl.col(name).cast(kind) for name, kind in BY_CLASS.items())
    )
