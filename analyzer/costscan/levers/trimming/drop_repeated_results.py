"""Say that a tool result is the same as one that is still in the context, instead of sending it again."""

from typing import Final

import polars as pl

from costscan.levers.trimming.cuts import CUT_BLOCKS

ATTACHED: Final = ("image", "document")
NOTE_TOKENS: Final = 30
"""What stands in place of the result."""


def repeated_results(blocks: pl.DataFrame) -> pl.DataFrame:
    """Return what repeats an earlier tool result that is still in the context, as `CUT_BLOCKS`.

    The pictures and documents of a result go with it.
    """
    results = blocks.filter(
        (pl.col("kind") == "tool_result") & pl.col("content_hash").is_not_null(),
        pl.col("tokens") > NOTE_TOKENS,
    ).sort("run_id", "turn_in", "block")
    same = ["run_id", "content_hash"]
    stays_to = pl.col("turn_out").cum_max().shift(1).over(same)
    came_before = pl.col("turn_in") > pl.col("turn_in").first().over(same)
    again = results.filter(came_before & (stays_to >= pl.col("turn_out")))
    inside = blocks.filter(pl.col("kind").is_in(ATTACHED), pl.col("call_id").is_not_null()).join(
        again.select("run_id", "call_id"), on=["run_id", "call_id"], how="semi", maintain_order="left"
    )
    left = again.with_columns(tokens=pl.col("tokens") - NOTE_TOKENS)
    return pl.concat([
        cut.with_columns(is_fixed=pl.lit(value=False)).select(*CUT_BLOCKS) for cut in (left, inside)
    ])  # fmt: skip
