"""The tokens of prefixes of prompts that stand in the log: those the bill tells, estimates of the others."""

from typing import Final

import polars as pl

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
    """Give windows and prefixes with tokens, moved_tokens (values that vary), stable_tokens (without them).

    What is stable has the same tokens wherever it stands: where the bill does not tell them, the middle one
    of the estimates from all prompts that hold it.

    Args:
        windows: from `placed`, with position, marker, prefix_hash and stable_hash.
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
    known = known_tokens(window, prefix)
    both = (prefix.filter(pl.col("role") == "whole"), window)
    steady = pl.concat([_without_values(frame, known) for frame in both])
    stable = steady.unique(_STABLE, keep="first", maintain_order=True)
    return _told(window, known, stable), _told(prefix, known, stable)


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
    """Give positions with an estimate of what is stable, the values added: the middle one of all prompts.

    What else stands in a prompt makes its estimate too long or too short. The first prompt has no older one
    that shows its values: it has as many as those that follow.

    Args:
        positions: from `_with_values`.
        values: family, stable_hash, moved_tokens.
    """
    found = positions.drop("moved_tokens").join(values, on=_STABLE, how="left", maintain_order="left")
    each = pl.max_horizontal(pl.col("tokens") - pl.col("moved_tokens"), 0)
    steady = each.median().over(_STABLE).round().cast(pl.Int64)
    return found.with_columns(stable_tokens=pl.min_horizontal(steady, "prompt_tokens")).with_columns(
        tokens=pl.min_horizontal(pl.col("stable_tokens") + pl.col("moved_tokens"), "prompt_tokens")
    )


def known_tokens(windows: pl.DataFrame, prefixes: pl.DataFrame) -> pl.DataFrame:
    """Give the prefixes whose tokens the bill tells: family, prefix_hash, exact_tokens.

    A whole prompt is as long as was billed; what was not sent plain ends at the last mark; and what was read
    ends at the position whose estimate is nearest, of those that another request marked where there are any.
    """
    whole = prefixes.filter(pl.col("role") == "whole").select(*_SENT, exact_tokens="prompt_tokens")
    is_mark = pl.col("marker").is_not_null()
    is_last = pl.col("position") == pl.col("position").filter(is_mark).max()
    marked = windows.filter(is_last.over(_CALL) & (pl.col("end_tokens") > 0)).select(
        *_SENT, exact_tokens="end_tokens"
    )
    reading = windows.filter(pl.col("read_tokens") > 0)
    others = windows.filter(is_mark).group_by(_SENT).agg(marks=pl.len().cast(pl.Int64))
    written = reading.join(others, on=_SENT, how="inner", maintain_order="left").filter(
        pl.col("marks") > is_mark.cast(pl.Int64)
    )
    read = [_nearest(written, WRITTEN_NEAR_SHARE), _nearest(reading, NEAR_SHARE)]
    return pl.concat([marked, *read, whole]).unique(_SENT, keep="first", maintain_order=True)


def _nearest(positions: pl.DataFrame, share: float) -> pl.DataFrame:
    """Give, of each call, the position whose estimate is nearest to what was read, where it is near."""
    off = (pl.col("tokens") - pl.col("read_tokens")).abs()
    return (
        positions.filter(off == off.min().over(_CALL))
        .filter(off <= share * pl.col("read_tokens"))
        .select(*_SENT, exact_tokens="read_tokens")
    )


def _without_values(positions: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Give what is stable of the prefixes that the bill tells: family, stable_hash, steady_tokens."""
    told = positions.join(known, on=_SENT, how="inner", maintain_order="left")
    left = pl.max_horizontal(pl.col("exact_tokens") - pl.col("moved_tokens"), 0)
    return told.select(*_STABLE, steady_tokens=left)


def _told(positions: pl.DataFrame, known: pl.DataFrame, stable: pl.DataFrame) -> pl.DataFrame:
    """Give positions with the tokens that the bill tells, where it does."""
    joined = positions.join(known, on=_SENT, how="left", maintain_order="left").join(
        stable, on=_STABLE, how="left", maintain_order="left"
    )
    steady = pl.coalesce("steady_tokens", "stable_tokens")
    sent = pl.coalesce("exact_tokens", steady + pl.col("moved_tokens"))
    return joined.with_columns(
        tokens=pl.min_horizontal(sent, "prompt_tokens"),
        stable_tokens=pl.min_horizontal(steady, "prompt_tokens"),
    ).drop("exact_tokens", "steady_tokens")
