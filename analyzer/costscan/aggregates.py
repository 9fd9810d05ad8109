"""Sums of money over groups of rows, exact, with null for what is unknown."""

from decimal import Decimal

import polars as pl


def known_sum(column: str | pl.Expr) -> pl.Expr:
    """Sum the known values; null where there are rows and none is known (Polars would say 0)."""
    values = pl.col(column) if isinstance(column, str) else column
    return pl.when((values.count() > 0) | (pl.len() == 0)).then(values.sum())


def total(amounts: pl.Series) -> Decimal:
    """Add up the known amounts."""
    return Decimal(amounts.sum() or 0)


def share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Return a ratio, null where the whole is nothing or unknown."""
    return pl.when(whole > 0).then(part.cast(pl.Float64) / whole.cast(pl.Float64))


def ratio(part: Decimal | int | None, whole: Decimal | int | None) -> float | None:
    """Return a ratio of two numbers, None where the whole is nothing or one is unknown."""
    return None if part is None or not whole else float(part) / float(whole)


def nearest_rank(column: str, percent: int) -> pl.Expr:
    """Return a percentile of a column: the smallest value that at least so many percent do not exceed."""
    ascending = pl.col(column).drop_nulls().sort()
    return ascending.get((ascending.len() * percent + 99) // 100 - 1, null_on_oob=True)
