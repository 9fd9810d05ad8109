"""From what is taken out of blocks to what is taken out of prompts."""

from typing import Final

import polars as pl

CUT_BLOCKS: Final = pl.Schema(
    {
        "run_id": pl.String,
        **dict.fromkeys(("block", "turn_in", "turn_out", "tokens"), pl.Int64),
        "is_fixed": pl.Boolean,
        "error_tokens": pl.Float64,
    }
)
"""Tokens taken out of a block, whether it stands before the messages, and how far these tokens may be off."""


def per_turn(steps: pl.DataFrame, cuts: pl.DataFrame) -> pl.DataFrame:
    """Sum up, for each turn, what is taken out of the blocks in its prompt.

    Args:
        steps: req, run_id, turn, prompt_tokens.
        cuts: as `CUT_BLOCKS`.

    Returns:
        req, cut_tokens, cut_fixed_tokens and error_tokens of the turns of the runs with cuts.
    """
    fixed = pl.when("is_fixed").then("tokens").otherwise(0)
    sums = ("tokens", "fixed", "error_tokens")
    came = cuts.select("run_id", "tokens", "error_tokens", turn="turn_in", fixed=fixed)
    left = came.with_columns(-pl.col(sums), turn=cuts["turn_out"])
    changes = pl.concat([came, left]).group_by("run_id", "turn").agg(pl.col(sums).sum())
    there = steps.select("req", "run_id", "turn", "prompt_tokens").join(
        cuts.select("run_id").unique(), on="run_id", how="semi", maintain_order="left"
    )
    running = pl.col(sums).fill_null(0).cum_sum().over("run_id")
    summed = there.join(changes, on=["run_id", "turn"], how="left", maintain_order="left").with_columns(
        running
    )
    return summed.select(
        "req",
        cut_tokens=pl.min_horizontal("tokens", "prompt_tokens"),
        cut_fixed_tokens=pl.min_horizontal("fixed", "tokens", "prompt_tokens"),
        # A running sum of fractions may end a little off zero.
        error_tokens=pl.when(pl.col("tokens") != 0)
        .then(pl.max_horizontal("error_tokens", 0.0))
        .otherwise(0.0),
    )
