"""The tokens of prefixes of prompts that stand in the log: those the bill tells, estimates of the others."""

from typing import Final

import polars as pl

from costscan.schema.frames import PROMPT

NEAR_SHARE: Final = 0.03
WRITTEN_NEAR_SHARE: Final = 0.15
"""What was read ends at a position when the estimate of its tokens is off by no more than this share.

There are few positions that another request had written, so that they need not be as near.
"""
_CALL: Final = ["copy", "seq"]
_SENT: Final = ["family", "prefix_hash"]
_STABLE: Final = ["family", "stable_hash"]


def sized(
    windows: pl.DataFrame, prefixes: pl.DataFrame, moved: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return windows and prefixes with tokens, moved_tokens (values that vary), stable_tokens (without them).

    What is stable has the same tokens wherever it stands: where the bill does not tell them, the middle one
    of the estimates from all prompts that hold it.

    Args:
        windows: from `placed`, with position, breakpoint, prefix_hash and stable_hash.
        prefixes: from `placed`, with position, role, prefix_hash and stable_hash.
        moved: from `placed`, with value_tokens.
    """
    values = _values(moved)
    in_time = ("at", "run_id", "turn", "position")
    window, prefix = (
        _with_values(frame.sort(in_time, maintain_order=True), values) for frame in (windows, prefixes)
    )
    most = pl.concat([frame.select(*_STABLE, "moved_tokens") for frame in (window, prefix)])
    window, prefix = (_estimated(frame, most.group_by(_STABLE).max()) for frame in (window, prefix))
    billed = billed_prefixes(window, prefix)
    both = (prefix.filter(pl.col("role") == "whole"), window)
    steady = pl.concat([_without_values(frame, billed) for frame in both])
    stable = steady.unique(_STABLE, keep="first", maintain_order=True)
    return _with_billed(window, billed, stable), _with_billed(prefix, billed, stable)


def _values(moved: pl.DataFrame) -> pl.DataFrame:
    """Sum up the tokens of the values that vary before each place: copy, seq, position, moved_tokens."""
    tokens = pl.min_horizontal("value_tokens", "block_tokens")
    return (
        moved.sort(*_CALL, "position")
        .select(*_CALL, "position", moved_tokens=tokens.cum_sum().over(_CALL))
        .unique([*_CALL, "position"], keep="last", maintain_order=True)
    )


def _with_values(positions: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Add moved_tokens, as far as each prompt itself is known to hold values that vary."""
    return (
        positions.with_row_index("nth")
        .sort("position")
        .join_asof(values.sort("position"), on="position", by=_CALL, check_sortedness=False)
        .sort("nth")
        .drop("nth")
        .with_columns(pl.col("moved_tokens").fill_null(0))
    )


def _estimated(positions: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Return positions with an estimate of what is stable, the values added: the middle one of all prompts.

    What else stands in a prompt makes its estimate too long or too short. The first prompt has no older one
    that shows its values: it has as many as those that follow.

    Args:
        positions: from `_with_values`.
        values: family, stable_hash, moved_tokens.
    """
    joined = positions.drop("moved_tokens").join(values, on=_STABLE, how="left", maintain_order="left")
    each = pl.max_horizontal(pl.col("tokens") - pl.col("moved_tokens"), 0)
    steady = each.median().over(_STABLE).round().cast(pl.Int64)
    return joined.with_columns(stable_tokens=pl.min_horizontal(steady, "prompt_tokens")).with_columns(
        tokens=pl.min_horizontal(pl.col("stable_tokens") + pl.col("moved_tokens"), "prompt_tokens")
    )


def billed_prefixes(windows: pl.DataFrame, prefixes: pl.DataFrame) -> pl.DataFrame:
    """Return the prefixes whose tokens the bill tells: family, prefix_hash, exact_tokens.

    A whole prompt is as long as was billed; what was not sent plain ends at the last mark; and what was read
    ends at the position whose estimate is nearest, of those that another request marked where there are any.

    A call of 130 tokens has a breakpoint at its first position, and 100 of its tokens were not sent plain:
    there they end, whatever the estimate. The next one reads 102: near what is estimated of prefix 22.

    >>> windows = pl.DataFrame({
    ...     "copy": 0, "seq": [0, 1, 1], "position": [0, 0, 1], "family": "v", "prefix_hash": [11, 21, 22],
    ...     "tokens": [90, 40, 101], "end_tokens": [100, 0, 0], "read_tokens": [0, 102, 102],
    ...     "breakpoint": ["5m", None, None],
    ... })
    >>> prefixes = pl.DataFrame({
    ...     "role": "whole", "family": "v", "prefix_hash": [12, 23], "prompt_tokens": [130, 160],
    ... })
    >>> billed_prefixes(windows, prefixes).select("prefix_hash", "exact_tokens").rows()
    [(11, 100), (22, 102), (12, 130), (23, 160)]
    """
    whole = prefixes.filter(pl.col("role") == "whole").select(*_SENT, exact_tokens="prompt_tokens")
    is_breakpoint = pl.col("breakpoint").is_not_null()
    is_last = pl.col("position") == pl.col("position").filter(is_breakpoint).max()
    marked = windows.filter(is_last.over(_CALL) & (pl.col("end_tokens") > 0)).select(
        *_SENT, exact_tokens="end_tokens"
    )
    reading = windows.filter(pl.col("read_tokens") > 0)
    others = windows.filter(is_breakpoint).group_by(_SENT).agg(breakpoints=pl.len().cast(pl.Int64))
    written = reading.join(others, on=_SENT, how="inner", maintain_order="left").filter(
        pl.col("breakpoints") > is_breakpoint.cast(pl.Int64)
    )
    read = [_nearest(written, WRITTEN_NEAR_SHARE), _nearest(reading, NEAR_SHARE)]
    return pl.concat([marked, *read, whole]).unique(_SENT, keep="first", maintain_order=True)


def _nearest(positions: pl.DataFrame, share: float) -> pl.DataFrame:
    """Return, of each call, the position whose estimate is nearest to what was read, where it is near."""
    off = (pl.col("tokens") - pl.col("read_tokens")).abs()
    return (
        positions.filter(off == off.min().over(_CALL))
        .filter(off <= share * pl.col("read_tokens"))
        .select(*_SENT, exact_tokens="read_tokens")
    )


def _without_values(positions: pl.DataFrame, billed: pl.DataFrame) -> pl.DataFrame:
    """Return what is stable of the prefixes that the bill tells: family, stable_hash, steady_tokens."""
    joined = positions.join(billed, on=_SENT, how="inner", maintain_order="left")
    left = pl.max_horizontal(pl.col("exact_tokens") - pl.col("moved_tokens"), 0)
    return joined.select(*_STABLE, steady_tokens=left)


def _with_billed(positions: pl.DataFrame, billed: pl.DataFrame, stable: pl.DataFrame) -> pl.DataFrame:
    """Return positions with the tokens that the bill tells, where it does, and those that tool use adds."""
    joined = positions.join(billed, on=_SENT, how="left", maintain_order="left").join(
        stable, on=_STABLE, how="left", maintain_order="left"
    )
    steady = pl.coalesce("steady_tokens", "stable_tokens")
    sent = pl.coalesce("exact_tokens", steady + pl.col("moved_tokens"))
    return joined.with_columns(
        tokens=pl.min_horizontal(sent, "prompt_tokens") + pl.col("tool_use_tokens"),
        stable_tokens=pl.min_horizontal(steady, "prompt_tokens") + pl.col("tool_use_tokens"),
    ).drop("exact_tokens", "steady_tokens")


def placed(
    positions: pl.DataFrame, places: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame
) -> pl.DataFrame:
    """Return the positions of kept calls, with estimated tokens.

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
