"""What turns are summed by: periods of a time zone, windows of a subscription, whose they are."""

from datetime import datetime, timedelta
from typing import Final

import polars as pl

from costscan.days import day

WINDOW: Final = timedelta(hours=5)
"""How long a usage window of a subscription lasts: it begins with the first message after the one before.

Source: https://support.anthropic.com/en/articles/11014257-about-claude-s-max-plan-usage
"""


def key(by: str, turns: pl.DataFrame, tz: str) -> pl.Series:
    """Return what each turn counts in, called `by`; null where that is not known.

    A week is named by its Monday, a block by when it began, an hour by the clocks there: in the night in
    which they are put back, two hours have one name.

    Args:
        by: one of `KEYS`.
        turns: at, model, root_run_id, and of `OWNERS` what is asked for.
        tz: the zone of days.
    """
    if by == "block":
        return _windows(turns["at"], tz).alias(by)
    here = pl.col("at").dt.convert_time_zone(tz)
    keys = {
        "hour": here.dt.strftime("%Y-%m-%d %H:00"),
        "day": day("at", tz),
        "week": here.dt.truncate("1w").dt.strftime("%Y-%m-%d"),
        "month": day("at", tz).str.slice(0, 7),
        "session": pl.col("root_run_id"),
    }
    return turns.select(keys.get(by, pl.col(by)).alias(by)).to_series()


def _windows(at: pl.Series, tz: str) -> pl.Series:
    """Return when the window of each turn began, in a zone, like 2026-11-02 14:00."""
    began: dict[datetime, datetime] = {}
    start: datetime | None = None
    for moment in at.drop_nulls().unique().sort():
        if start is None or moment >= start + WINDOW:
            start = moment
        began[moment] = start
    starts = at.replace_strict(began, default=None, return_dtype=at.dtype)
    return starts.dt.convert_time_zone(tz).dt.strftime("%Y-%m-%d %H:%M")
