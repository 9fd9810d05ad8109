"""Cut long tool results when they enter."""

import polars as pl

from costscan.levers.trimming.cuts import CUT_BLOCKS


def long_results(blocks: pl.DataFrame, max_tokens: int) -> pl.DataFrame:
    """Return what is over `max_tokens` of each tool result, as `CUT_BLOCKS`."""
    return (
        blocks.filter((pl.col("kind") == "tool_result") & (pl.col("tokens") > max_tokens))
        .with_columns(tokens=pl.col("tokens") - max_tokens, is_fixed=pl.lit(value=False))
        .select(*CUT_BLOCKS)
    )
