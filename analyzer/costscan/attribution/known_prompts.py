"""The tables of the sources without the calls whose prompt is unknown: nothing can be split over its blocks.

What such a call sent stays in the prompts of those after it: it is taken as if it came with the first one.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from costscan.usage import KNOWS_PROMPT

_NAMED: Final = ("seq", "made_by", "used_last")
"""Columns that name a call itself; a row that names one that is left out says nothing any more."""
_BOUNDS: Final = ("turn_in", "turn_out")
"""Columns that name the first call that a block is in, or is in no more."""


def without_unknown(calls: pl.DataFrame, tables: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """Return the tables with the numbers that calls have among those whose prompt is known.

    Args:
        calls: those of some copies, with copy, seq and the counters.
        tables: tables of these copies with `copy` and some of the columns seq, turn_in, turn_out, made_by and
            used_last, which count the calls of a copy.
    """
    prompts = calls.select("copy", "seq", is_known=KNOWS_PROMPT)
    if prompts["is_known"].all():
        return list(tables)
    before = pl.col("is_known").cast(pl.Int64).cum_sum() - pl.col("is_known").cast(pl.Int64)
    numbers = prompts.sort("copy", "seq").with_columns(number=before.over("copy"))
    last = pl.col("number").last() + pl.col("is_known").last().cast(pl.Int64)
    ends = numbers.group_by("copy").agg(pl.col("seq").last() + 1, is_known=pl.lit(False), number=last)
    numbers = pl.concat([numbers, ends.select(numbers.columns)])
    empty = ends.filter(pl.col("number") == 0)["copy"]
    return [_renumbered(table.filter(~pl.col("copy").is_in(empty.implode())), numbers) for table in tables]


def _renumbered(table: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    columns = table.columns
    for name in (*_NAMED, *_BOUNDS):
        if name in columns:
            named = numbers.rename({"seq": name})
            table = table.join(named, on=["copy", name], how="left", maintain_order="left")
            number = pl.col("number") if name in _BOUNDS else pl.when("is_known").then("number")
            table = table.with_columns(number.alias(name)).drop("number", "is_known")
    if "seq" in columns:
        table = table.filter(pl.col("seq").is_not_null())
    return table.select(columns)
