"""Positions of prompts that stand in the log, with the tokens of the prefix that ends there."""

from typing import Final

import polars as pl

from costscan.growth import PROMPT

_CALL: Final = ["copy", "seq"]


def placed(
    positions: pl.DataFrame, places: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame
) -> pl.DataFrame:
    """Give the positions of kept calls, with estimated tokens.

    Args:
        positions: copy, seq, position, place, and what else is known of them.
        places: the placements of all blocks with end_token, of_tool_use and tool_use_behind.
        blocks: id, copy, block, kind.
        calls: from `growth.with_epochs`.

    Returns:
        `positions` with run_id, turn, at, row, family, prompt_tokens, end_tokens (what was not sent plain),
        read_tokens, tokens, and block_tokens of the block that ends there.
    """
    # What tool use adds stands before all blocks, and not in them.
    ends = places.filter(pl.col("id").is_not_null()).select(
        "id",
        "epoch",
        block_tokens=_whole(pl.col("tokens") - pl.col("of_tool_use")),
        tokens=_whole(pl.col("end_token") + pl.col("tool_use_behind")),
    )
    kept = calls.filter("kept").select(
        *_CALL,
        "row",
        "epoch",
        "run_id",
        "turn",
        "family",
        "model",
        "at",
        prompt_tokens=PROMPT,
        end_tokens=PROMPT - pl.col("input_tokens"),
        read_tokens="cache_read_tokens",
    )
    return (
        positions.join(kept, on=_CALL, how="inner", maintain_order="left")
        .join(
            blocks.select("id", "copy", place="block"),
            on=["copy", "place"],
            how="inner",
            maintain_order="left",
        )
        .join(ends, on=["id", "epoch"], how="inner", maintain_order="left")
    )


def _whole(tokens: pl.Expr) -> pl.Expr:
    return tokens.round().cast(pl.Int64)
