"""Positions of prompts that stand in the log, with the tokens of the prefix that ends there."""

from typing import Final

import polars as pl

from costscan.growth import PROMPT

NEAR_SHARE: Final = 0.03
"""What was read ends at a position when the estimate of its tokens is off by no more than this share."""
_CALL: Final = ["copy", "seq"]


def placed(
    positions: pl.DataFrame, places: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame
) -> pl.DataFrame:
    """Give the positions of kept calls, with estimated tokens.

    Args:
        positions: copy, seq, position, place, and what else is known of them.
        places: the placements of all blocks with end_token.
        blocks: id, copy, block, chars.
        calls: from `growth.with_epochs`.

    Returns:
        `positions` with run_id, turn, row, family, prompt_tokens, end_tokens (what was not sent plain),
        read_tokens, tokens, block_tokens and chars of the block that ends there.
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
        prompt_tokens=PROMPT,
        end_tokens=PROMPT - pl.col("input_tokens"),
        read_tokens="cache_read_tokens",
    )
    return (
        positions.join(kept, on=_CALL, how="inner", maintain_order="left")
        .join(
            blocks.select("id", "copy", place="block", block_chars="chars"),
            on=["copy", "place"],
            how="inner",
            maintain_order="left",
        )
        .join(ends, on=["id", "epoch"], how="inner", maintain_order="left")
    )


def known_tokens(windows: pl.DataFrame, prefixes: pl.DataFrame) -> pl.DataFrame:
    """Give the prefixes whose tokens the bill tells: family, name, exact_tokens.

    A whole prompt is as long as was billed; what was not sent plain ends at the last mark; and what was read
    ends at the position whose estimate is nearest.
    """
    whole = prefixes.filter(pl.col("role") == "whole")
    as_sent = whole.select("family", "name", exact_tokens="prompt_tokens")
    stable = whole.select("family", name="stable_hash", exact_tokens="prompt_tokens")
    is_last = pl.col("position") == pl.col("position").filter(pl.col("marker").is_not_null()).max()
    marked = windows.filter(is_last.over(_CALL) & (pl.col("end_tokens") > 0)).select(
        "family", "name", exact_tokens="end_tokens"
    )
    off = (pl.col("tokens") - pl.col("read_tokens")).abs()
    read = (
        windows.filter(pl.col("read_tokens") > 0)
        .filter(off == off.min().over(_CALL))
        .filter(off <= NEAR_SHARE * pl.col("read_tokens"))
        .select("family", "name", exact_tokens="read_tokens")
    )
    return pl.concat([marked, read, as_sent, stable]).unique(
        ["family", "name"], keep="first", maintain_order=True
    )


def exactly(positions: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Give the positions with the tokens that the bill tells; where it does not, with the first estimate."""
    same = ["family", "name"]
    joined = positions.join(known, on=same, how="left", maintain_order="left")
    told = pl.coalesce("exact_tokens", pl.col("tokens").first().over(same))
    return joined.with_columns(tokens=pl.min_horizontal(told, "prompt_tokens")).drop("exact_tokens")


def without_moved(positions: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    """Add moved_tokens, the values that vary in the prefix that ends at each position, and stable_tokens.

    What is stable has the same tokens wherever it stands: those of its first position.

    Args:
        positions: from `placed`.
        moved: from `placed`, with `chars` of each value.
    """
    if moved.is_empty():
        return positions.with_columns(moved_tokens=pl.lit(0, pl.Int64), stable_tokens="tokens")
    share = pl.min_horizontal(pl.col("chars") / pl.col("block_chars"), 1.0)
    tokens = (share * pl.col("block_tokens")).ceil().cast(pl.Int64)
    sums = (
        moved.filter(pl.col("block_chars") > 0)
        .sort(*_CALL, "position")
        .select(*_CALL, "position", moved_tokens=tokens.cum_sum().over(_CALL))
        .unique([*_CALL, "position"], keep="last", maintain_order=True)
    )
    found = (
        positions.with_row_index("nth")
        .sort("position")
        .join_asof(sums.sort("position"), on="position", by=_CALL, check_sortedness=False)
    )
    same = ["family", "stable_hash"]
    left = pl.max_horizontal(pl.col("tokens") - pl.col("moved_tokens"), 0)
    return (
        found.sort("nth")
        .drop("nth")
        .with_columns(pl.col("moved_tokens").fill_null(0))
        .with_columns(stable_tokens=pl.min_horizontal(left.first().over(same), "prompt_tokens"))
    )
