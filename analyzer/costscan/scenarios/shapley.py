"""What each lever contributes to all of them together, whatever the order in which they are taken.

A lever's share is the mean of what it adds over all orders of the levers (the Shapley value). The shares of a
run are whole pico-USD and sum to what all save: what is left of the division goes to the largest remainders.
"""

from collections.abc import Mapping, Sequence
from math import factorial
from typing import Final

import polars as pl

_LARGEST: Final = 2**62


def shares(saved: Mapping[frozenset[str], pl.Series], levers: Sequence[str]) -> pl.DataFrame:
    """Return a column of pico-USD for each lever, in the order of the rows.

    Args:
        saved: by set of levers, what it saves of each run in pico-USD; the empty set saves nothing.
        levers: their names.

    Caching alone saves 10, trimming alone 6, both together only 11, since what is trimmed is not cached:

    >>> saved = {
    ...     frozenset({"caching"}): pl.Series([10]),
    ...     frozenset({"trimming"}): pl.Series([6]),
    ...     frozenset({"caching", "trimming"}): pl.Series([11]),
    ... }
    >>> shares(saved, ("caching", "trimming")).rows()
    [(8, 3)]
    """
    n = len(levers)
    every = frozenset(levers)
    whole = saved[every]
    added = {lever: _weighed(saved, levers, lever, whole.len()) for lever in levers}
    orders = factorial(n)
    exact = pl.DataFrame({"whole": whole, **added})
    floors = exact.with_columns(pl.col(lever) // orders for lever in levers)
    rests = exact.select(pl.col(lever) % orders for lever in levers)
    left = floors.select(pl.col("whole") - pl.sum_horizontal(levers)).to_series()
    ranks = _ranks(rests, levers)
    return floors.select(
        (pl.col(lever) + (ranks[lever] < left).cast(pl.Int64)).alias(lever) for lever in levers
    )


def _weighed(
    saved: Mapping[frozenset[str], pl.Series], levers: Sequence[str], lever: str, rows: int
) -> pl.Series:
    """Sum up what a lever adds to each set, times the number of orders in which it meets that set."""
    n = len(levers)
    total = pl.zeros(rows, dtype=pl.Int64, eager=True)
    nothing = pl.zeros(rows, dtype=pl.Int64, eager=True)
    for some, worth in saved.items():
        if lever in some:
            before = saved.get(some - {lever}, nothing)
            total = total + (worth - before) * (factorial(len(some) - 1) * factorial(n - len(some)))
    return total


def _ranks(rests: pl.DataFrame, levers: Sequence[str]) -> dict[str, pl.Series]:
    """Say how many levers have a larger remainder, of equal ones those named earlier counting as larger."""
    out = {}
    for i, lever in enumerate(levers):
        larger = [
            (pl.col(other) > pl.col(lever)) if j > i else (pl.col(other) >= pl.col(lever))
            for j, other in enumerate(levers)
            if j != i
        ]
        zero = pl.lit(0, pl.Int64)
        out[lever] = rests.select(
            pl.sum_horizontal(zero, *(e.cast(pl.Int64) for e in larger)).alias(lever)
        ).to_series()
    return out
