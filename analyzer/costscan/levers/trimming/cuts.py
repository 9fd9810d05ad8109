"""From what is taken out of blocks to what is taken out of prompts."""

from typing import Final

import polars as pl

from costscan.formats import with_whole_prompts
from costscan.models import model_info

CUT_BLOCKS: Final = pl.Schema(
    {
        "run_id": pl.String,
        **dict.fromkeys(("block", "turn_in", "turn_out", "tokens"), pl.Int64),
        "is_fixed": pl.Boolean,
        "error_tokens": pl.Float64,
    }
)
"""Tokens taken out of a block; is_fixed: it stands before the messages; error_tokens: how far it is off."""


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


def without_tool_use(blocks: pl.DataFrame, steps: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Take what tool use itself adds to the first prompt of a run from the blocks it was split over.

    Where whole prompts are logged, all of the first one is split over its blocks.

    Args:
        blocks: run_id, turn_in, kind, tokens.
        steps: run_id, turn, model, prompt_tokens.
        runs: run_id, source.
    """
    exact = runs.filter(pl.col("source").is_in(with_whole_prompts())).select("run_id")
    tools = blocks.filter(kind="tool_def", turn_in=0).select("run_id").unique()
    tool_use_tokens = {m: info.tool_use_tokens for m in steps["model"].unique() if (info := model_info(m))}
    added = pl.col("model").replace_strict(tool_use_tokens, default=0, return_dtype=pl.Int64)
    first = (
        steps.filter(pl.col("turn") == 0, pl.col("prompt_tokens") > 0)
        .join(exact, on="run_id", how="semi")
        .join(tools, on="run_id", how="semi")
        .select(
            "run_id",
            turn_in="turn",
            rest=1 - pl.min_horizontal(added, "prompt_tokens") / pl.col("prompt_tokens"),
        )
    )
    if first.is_empty():
        return blocks
    joined = blocks.join(first, on=["run_id", "turn_in"], how="left", maintain_order="left")
    left = (pl.col("tokens") * pl.col("rest").fill_null(1.0)).round().cast(pl.Int64)
    return joined.with_columns(tokens=left).drop("rest")
