"""What was marked in prompts that stand in the log, with the tokens of each prefix."""

from typing import Final

import polars as pl

from costscan.replay.simulate import LIFETIMES_US

WINDOWS: Final = pl.Schema(
    {
        "run_id": pl.String,
        **dict.fromkeys(("turn", "key", "tokens", "ttl_us", "stable_key", "stable_tokens"), pl.Int64),
    }
)
"""Marked positions, and those in the lookback of a mark (ttl_us null); equal prefixes have one key.

The stable key is what it would be without values that vary, the stable tokens are those without these.
"""


def windows_of(sized: pl.DataFrame) -> pl.DataFrame:
    """Give the windows of all prompts.

    Args:
        sized: the `windows` table of the sources, placed and sized.
    """
    ttl_us = pl.col("marker").replace_strict(LIFETIMES_US, default=None, return_dtype=pl.Int64)
    return sized.select(
        "run_id",
        "turn",
        "tokens",
        key="prefix_hash",
        ttl_us=ttl_us,
        stable_key="stable_hash",
        stable_tokens="stable_tokens",
    ).select(*WINDOWS)
