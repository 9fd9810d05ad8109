"""What was marked in prompts that stand in the log, with the tokens of each prefix."""

from typing import Final

import polars as pl

from costscan.growth import PROMPT
from costscan.replay.simulate import LIFETIMES_US

WINDOWS: Final = pl.Schema(
    {"run_id": pl.String, **dict.fromkeys(("turn", "key", "tokens", "ttl_us"), pl.Int64)}
)
"""Marked positions, and those in the lookback of a mark (ttl_us null); equal prefixes have one key."""


def marked(
    windows: pl.DataFrame, placed: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame
) -> pl.DataFrame:
    """Give the positions of kept calls.

    Args:
        windows: the `windows` table of the sources.
        placed: the placements of all blocks with end_token.
        blocks: id, copy, block.
        calls: from `growth.with_epochs`.
    """
    if windows.is_empty():
        return pl.DataFrame(schema=WINDOWS)
    ends = placed.filter(pl.col("id").is_not_null()).select("id", "epoch", "end_token")
    kept = calls.filter("kept").select(
        "copy",
        "seq",
        "epoch",
        "run_id",
        "turn",
        end_tokens=PROMPT - pl.col("input_tokens"),
    )
    found = (
        windows.join(kept, on=["copy", "seq"], how="inner")
        .join(blocks.select("id", "copy", place="block"), on=["copy", "place"], how="inner")
        .join(ends, on=["id", "epoch"], how="inner")
    )
    is_last = (pl.col("position") == pl.col("position").filter(pl.col("marker").is_not_null()).max()).over(
        "copy", "seq"
    )
    # What was not sent plain ends at the last mark: that is known to the token.
    exact = pl.when(is_last & (pl.col("end_tokens") > 0)).then("end_tokens").otherwise("end_token")
    sized = found.with_columns(tokens=exact)
    known = pl.col("tokens").filter(is_last & (pl.col("end_tokens") > 0)).first().over("prefix_hash")
    return sized.select(
        "run_id",
        "turn",
        key="prefix_hash",
        tokens=pl.coalesce(known, "tokens"),
        ttl_us=pl.col("marker").replace_strict(LIFETIMES_US, default=None, return_dtype=pl.Int64),
    )
