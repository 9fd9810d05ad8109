"""Days: the calendar days of a time zone, which may have 23 or 25 hours."""

from typing import Final

import polars as pl

UNKNOWN_DAY: Final = "unknown"
"""The day of what has no time."""


def day(column: str, tz: str) -> pl.Expr:
    """Return the day of a UTC time in a zone, as 2026-06-23; null where there is no time."""
    return pl.col(column).dt.convert_time_zone(tz).dt.strftime("%Y-%m-%d")


def on_clocks(column: str, tz: str) -> pl.Expr:
    """Return a UTC time as clocks in a zone show it, called UTC: for readers that know no other zone."""
    return pl.col(column).dt.convert_time_zone(tz).dt.replace_time_zone(None).dt.replace_time_zone("UTC")
