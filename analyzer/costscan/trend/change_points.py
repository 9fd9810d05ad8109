"""Where a series most likely has a step, and how often chance alone makes one as clear.

Values are replaced by their ranks, so that a single run that went astray counts no more than any other. For
each place that divides the series, the ranks before and after are compared, each place weighted so that all
would be reached as often by chance. `chance` says how often the largest of these is as large.

Two others were compared with it, by `benchmarks/trend_rules.py`: the same on logarithms, and Pettitt's test.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from costscan.trend.significance import chance, clearness

LEAST_RUNS: Final = 3
"""A level stands on at least so many runs."""


@dataclass(frozen=True, slots=True)
class Step:
    """The likeliest step of a series: the runs before it, and how often chance makes one as clear."""

    place: int
    p_value: float


def likeliest_step(values: Sequence[float], places: Sequence[int], rate: float) -> Step | None:
    """Return the step of a series, None where chance alone makes one as clear more often than `rate`.

    Args:
        values: in order of time.
        places: how many runs may stand before a step.
        rate: how often chance alone may make a step.
    """
    n = len(values)
    kept = [place for place in places if LEAST_RUNS <= place <= n - LEAST_RUNS]
    if not kept:
        return None
    ranks = _ranks(values)
    clear = clearness(ranks, kept, n)
    if not (clear > 0).any():
        return None
    p_value = chance(ranks, kept, float(str(clear.max())), rate)
    return Step((clear.arg_max() or 0) + 1, p_value) if p_value <= rate else None


def _ranks(values: Sequence[float]) -> pl.Series:
    """Return twice the rank of each value less the mean: whole numbers that add up to nothing."""
    ranks = pl.Series(values, dtype=pl.Float64).rank("average")
    return (ranks * 2 - (len(values) + 1)).cast(pl.Int64)
