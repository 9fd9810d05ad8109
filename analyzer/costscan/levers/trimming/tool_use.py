"""What tool use adds to a prompt stands in no block of the log."""

import polars as pl

from costscan.models import model_info
from costscan.tokens import EXACT_SOURCES


def without_tool_use(blocks: pl.DataFrame, steps: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Take what tool use itself adds to the first prompt of a run from the blocks it was split over.

    Where whole prompts are logged, all of the first one is split over its blocks.

    Args:
        blocks: run_id, turn_in, kind, tokens.
        steps: run_id, turn, model, prompt_tokens.
        runs: run_id, source.
    """
    exact = runs.filter(pl.col("source").is_in(EXACT_SOURCES)).select("run_id")
    tools = blocks.filter(kind="tool_def", turn_in=0).select("run_id").unique()
    known = {m: info.tool_use_tokens for m in steps["model"].unique() if (info := model_info(m))}
    added = pl.col("model").replace_strict(known, default=0, return_dtype=pl.Int64)
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
