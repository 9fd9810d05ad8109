"""What tokens that were not read from the cache cost more than read."""

import polars as pl

from costscan.prices import turn_usd
from costscan.schema.frames import USD


def usd_lost(lost: pl.DataFrame, unit_columns: list[str]) -> pl.Series:
    """Return the cost of each turn less what it were, had it read `tokens_lost` more; null where unpriced.

    Args:
        lost: tokens_lost and the columns of `turns` with their unit prices.
        unit_columns: the names of these prices.
    """
    unit = lost.select(unit_columns)
    return (turn_usd(lost, unit)["usd"] - turn_usd(as_read(lost), unit)["usd"]).cast(USD)


def as_read(lost: pl.DataFrame) -> pl.DataFrame:
    """Return the turns as if each had read `tokens_lost` more from the cache.

    What is lost stands at the head of what was not read: it was written to the cache first, and what is left
    of it was sent plain.
    """
    left = pl.col("tokens_lost")
    hour = pl.min_horizontal(left, "cache_write_1h_tokens")
    five = pl.min_horizontal(left - hour, "cache_write_5m_tokens")
    plain = pl.min_horizontal(left - hour - five, "input_tokens")
    return lost.with_columns(
        cache_read_tokens=pl.col("cache_read_tokens") + hour + five + plain,
        cache_write_1h_tokens=pl.col("cache_write_1h_tokens") - hour,
        cache_write_5m_tokens=pl.col("cache_write_5m_tokens") - five,
        input_tokens=pl.col("input_tokens") - plain,
    )
