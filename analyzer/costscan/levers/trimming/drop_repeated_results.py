"""Say that a tool result is the same as one that is still in the context, instead of sending it again."""

from typing import Final

import polars as pl

from costscan.levers.trimming.per_turn import CUT_BLOCKS

NOTE_TOKENS: Final = 30
"""What stands in place of the result."""


def repeated_results(blocks: pl.DataFrame) -> pl.DataFrame:
    """Give what repeats an earlier tool result that is still in the context, as `CUT_BLOCKS`."""
    results = blocks.filter(
        (pl.col("kind") == "tool_result") & pl.col("content_hash").is_not_null(),
        pl.col("tokens") > NOTE_TOKENS,
    ).sort("run_id", "turn_in", "block")
    same = ["run_id", "content_hash"]
    stays_to = pl.col("turn_out").cum_max().shift(1).over(same)
    came_before = pl.col("turn_in") > pl.col("turn_in").first().over(same)
    return (
        results.filter(came_before & (stays_to >= pl.col("turn_out")))
        .with_columns(tokens=pl.col("tokens") - NOTE_TOKENS, is_fixed=pl.lit(value=False))
        .select(*CUT_BLOCKS)
    )
