"""Positions of prompts that stand in the log, with the tokens of the prefix that ends there."""

from typing import Final

import polars as pl

from costscan.growth import PROMPT
from costscan.models import model_info

_CALL: Final = ["copy", "seq"]


def placed(
    positions: pl.DataFrame, places: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame
) -> pl.DataFrame:
    """Give the positions of kept calls, with estimated tokens.

    Args:
        positions: copy, seq, position, place, and what else is known of them.
        places: the placements of all blocks with end_token.
        blocks: id, copy, block, kind.
        calls: from `growth.with_epochs`.

    Returns:
        `positions` with run_id, turn, at, row, family, prompt_tokens, end_tokens (what was not sent plain),
        read_tokens, tokens, and block_tokens of the block that ends there.
    """
    ends = places.filter(pl.col("id").is_not_null()).select(
        "id", "epoch", block_tokens="tokens", tokens="end_token"
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
    found = (
        positions.join(kept, on=_CALL, how="inner", maintain_order="left")
        .join(
            blocks.select("id", "copy", place="block"),
            on=["copy", "place"],
            how="inner",
            maintain_order="left",
        )
        .join(ends, on=["id", "epoch"], how="inner", maintain_order="left")
    )
    return _behind_tool_use(found, places, blocks, calls)


def _behind_tool_use(
    found: pl.DataFrame, places: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame
) -> pl.DataFrame:
    """Take what tool use itself adds to a prompt from the blocks it was split over, and put it before them.

    No block in the log says it, so that the split of the first prompt of an epoch gave it to all of them.
    """
    tools = blocks.filter(pl.col("kind") == "tool_def").select("id")
    with_tools = places.join(tools, on="id", how="semi")["epoch"].unique()
    known = {m: info.tool_use_tokens for m in calls["model"].unique() if (info := model_info(m))}
    added = pl.col("model").replace_strict(known, default=0, return_dtype=pl.Int64)
    first = calls.filter(pl.col("starts") & pl.col("epoch").is_in(with_tools.implode())).select(
        "epoch", first_tokens=PROMPT, added_tokens=pl.min_horizontal(added, PROMPT)
    )
    joined = found.join(first, on="epoch", how="left", maintain_order="left")
    split = (pl.col("tokens") <= pl.col("first_tokens")).fill_null(value=False)
    # A call without usage has a prompt of no tokens.
    share = 1 - pl.when(pl.col("first_tokens") > 0).then(pl.col("added_tokens") / pl.col("first_tokens"))
    return joined.with_columns(
        tokens=pl.when(split)
        .then(_whole(pl.col("tokens") * share.fill_null(1.0)) + pl.col("added_tokens"))
        .otherwise("tokens"),
        block_tokens=pl.when(split)
        .then(_whole(pl.col("block_tokens") * share.fill_null(1.0)))
        .otherwise("block_tokens"),
    ).drop("first_tokens", "added_tokens")


def _whole(tokens: pl.Expr) -> pl.Expr:
    return tokens.round().cast(pl.Int64)
