"""What the cache did not read though it had been sent before, turn by turn."""

from typing import Final

import polars as pl

from costscan.rulebook import Diagnosis

MISSED_SHARE: Final = 0.5
"""A turn missed the cache when it read less than so much of what had been sent before."""
MISSED_TOKENS: Final = 2000
"""Less than that is not worth a mark."""


def with_misses(analysis: Diagnosis, turns: pl.DataFrame) -> pl.DataFrame:
    """Return turns with what they missed, in their order.

    Further columns: carried_tokens (what the turn before had sent too), dropped_tokens (what left it),
    missed_tokens (what of that was not
    read from the cache; 0 where that is normal), why (the cause and place of that, where it is known).
    """
    growth = analysis.growth.select("run_id", "turn", "carried_tokens", "dropped_tokens")
    place = ["run_id", "turn"]
    joined = turns.join(growth, on=place, how="left", maintain_order="left").join(
        _breaks(analysis), on=place, how="left", maintain_order="left"
    )
    missed = pl.col("carried_tokens") - pl.col("cache_read_tokens")
    is_miss = (pl.col("cache_read_tokens") < pl.col("carried_tokens") * MISSED_SHARE) & (
        missed > MISSED_TOKENS
    )
    missed_tokens = pl.coalesce("tokens_lost", pl.when(is_miss).then(missed).otherwise(0))
    return joined.with_columns(missed_tokens=missed_tokens).drop("tokens_lost")


def _breaks(analysis: Diagnosis) -> pl.DataFrame:
    """Return, per turn whose prefix broke: tokens_lost and why."""
    at = pl.col("path") + pl.format(":{}", "char_offset").fill_null("")
    is_text = pl.col("char_offset").is_not_null()
    reason = pl.col("cause") + pl.when(is_text).then(" at " + at).otherwise(pl.lit(""))
    lost = analysis.prefix_breaks.filter(pl.col("tokens_lost") > 0)
    return lost.group_by("run_id", "turn", maintain_order=True).agg(
        pl.col("tokens_lost").sum(), why=reason.first()
    )
