"""A line of small bars: what is typical of each stretch of time."""

from collections.abc import Sequence
from datetime import datetime
from math import exp, log
from typing import Final

import polars as pl

BARS: Final = "▁▂▃▄▅▆▇█"
_SPAN: Final = 2.0
"""From the lowest to the highest bar it is at least so many times as much: what is less is no trend."""


def sparkline(
    points: pl.DataFrame, first: datetime, last: datetime, width: int, *, in_ratios: bool = True
) -> str:
    """Return a bar for each of `width` equal stretches of time, blank where there was no run.

    Args:
        points: at, runs, value.
        first: where the line begins.
        last: where it ends.
        width: how many bars.
        in_ratios: as high as the logarithm of the value; else a share, from none to all.
    """
    typical = _typical(points, first, last, width, in_ratios=in_ratios)
    typical_values = [value for value in typical if value is not None]
    if not typical_values:
        return ""
    lowest, highest = (min(typical_values), max(typical_values)) if in_ratios else (0.0, 1.0)
    highest = max(highest, lowest * _SPAN) if in_ratios else highest
    return "".join(" " if value is None else _bar(value, lowest, highest, in_ratios) for value in typical)


def _bar(value: float, lowest: float, highest: float, in_ratios: bool) -> str:  # noqa: FBT001
    if in_ratios:
        value, lowest, highest = log(value), log(lowest), log(highest)
    height = (value - lowest) / (highest - lowest)
    return BARS[min(max(int(height * len(BARS)), 0), len(BARS) - 1)]


def _typical(
    points: pl.DataFrame, first: datetime, last: datetime, width: int, *, in_ratios: bool
) -> Sequence[float | None]:
    """Return what is typical of the runs in each stretch, None where there are none."""
    span = (last - first).total_seconds() or 1.0
    place = ((pl.col("at") - first).dt.total_microseconds() / (span * 1e6) * width).cast(pl.Int64)
    value = pl.col("value").log() if in_ratios else pl.col("value")
    mean = (value * pl.col("runs")).sum() / pl.col("runs").sum()
    bins = points.group_by(place.clip(0, width - 1).alias("bin")).agg(mean)
    typical = dict(bins.iter_rows())
    return [None if (own := typical.get(n)) is None else exp(own) if in_ratios else own for n in range(width)]
