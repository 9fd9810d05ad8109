"""Findings that are about the same thing: which of them stay, so that no dollar is counted twice."""

from collections.abc import Sequence

import polars as pl


def once(priced: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Keep, of several findings on the same thing, the most expensive."""
    return priced.sort("usd", descending=True, nulls_last=True, maintain_order=True).unique(
        keys, keep="first", maintain_order=True
    )


def apart(findings: pl.DataFrame, by: Sequence[str] = ("run_id",)) -> pl.DataFrame:
    """Cut findings of a run, or of what else they are told apart by, so that no two share a turn.

    What is left with no turn goes.
    """
    ordered = findings.sort(*by, "turn", pl.col("turn_end"), descending=[False] * (len(by) + 1) + [True])
    before = (pl.col("turn_end").cum_max().shift(1) + 1).over(by).fill_null(0)
    cut = ordered.with_columns(turn=pl.max_horizontal("turn", before))
    return cut.filter(pl.col("turn") <= pl.col("turn_end"))


__all__ = ["apart", "once"]
