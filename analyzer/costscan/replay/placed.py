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
        places: the placements of all blocks with end_token, of_tool_use, tool_use_behind
            and tool_use_tokens.
        blocks: id, copy, block, layer.
        calls: from `growth.with_epochs`.

    Returns:
        `positions` with run_id, turn, at, row, family, prompt_tokens, end_tokens (what was not sent plain),
        read_tokens, tokens, and block_tokens of the block that ends there; all without tool_use_tokens, what
        tool use itself adds before them.
    """
    # What tool use adds stands before all blocks, and not in them.
    ends = places.filter(pl.col("id").is_not_null()).select(
        "id",
        "epoch",
        block_tokens=_whole(pl.col("tokens") - pl.col("of_tool_use")),
        of_epoch=_whole(pl.col("tool_use_tokens")),
        tokens=_whole(pl.col("end_token") + pl.col("tool_use_behind") - pl.col("tool_use_tokens")),
    )
    return (
        positions.join(_kept(calls), on=_CALL, how="inner", maintain_order="left")
        .join(
            blocks.select("id", "copy", "layer", place="block"),
            on=["copy", "place"],
            how="inner",
            maintain_order="left",
        )
        .join(ends, on=["id", "epoch"], how="inner", maintain_order="left")
        .with_columns(tool_use_tokens=pl.col("of_epoch") - _not_yet_forced())
        .drop("of_epoch", "forced_tokens", "layer")
        .with_columns(_without_tool_use(name) for name in ("prompt_tokens", "end_tokens", "read_tokens"))
    )


def _kept(calls: pl.DataFrame) -> pl.DataFrame:
    """Return what of the kept calls stands beside their positions."""
    return calls.filter("kept").select(
        *_CALL,
        *("row", "epoch", "run_id", "turn", "family", "model", "at", "forced_tokens"),
        prompt_tokens=PROMPT,
        end_tokens=PROMPT - pl.col("input_tokens"),
        read_tokens="cache_read_tokens",
    )


def _not_yet_forced() -> pl.Expr:
    """Return what a forced tool adds behind a place: it changes the messages, and no prefix before them."""
    return (
        pl.when(pl.col("layer") == "messages")
        .then(0)
        .otherwise(pl.min_horizontal("forced_tokens", "of_epoch"))
    )


def _without_tool_use(name: str) -> pl.Expr:
    """Take off what tool use adds, which another model adds otherwise; of no tokens nothing."""
    left = pl.max_horizontal(pl.col(name) - pl.col("tool_use_tokens"), 1)
    return pl.when(pl.col(name) > 0).then(left).otherwise(pl.col(name)).alias(name)


def _whole(tokens: pl.Expr) -> pl.Expr:
    return tokens.round().cast(pl.Int64)
