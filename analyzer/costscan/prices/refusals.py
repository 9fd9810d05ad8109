"""Refusals that cost nothing: those before any output, by the date and the category of the refusal.

The dates and categories stand in `prices.toml`. A refused call keeps its tokens; its tier is `UNBILLED`, in
which every meter of every model costs 0, also where the call is replayed otherwise.
"""

from datetime import UTC, datetime
from typing import Final

import polars as pl

from costscan.prices.overlay import overlay
from costscan.schema.frames import TIME

UNBILLED: Final = "unbilled"
"""The tier of calls that cost nothing."""
UNKNOWN: Final = "unknown"
"""A category that is not logged, and a tier that has no price."""


def with_unbilled(calls: pl.DataFrame, now: datetime | None = None) -> pl.DataFrame:
    """Return the calls with the tier `UNBILLED` on refusals that are free, and without `refusal`.

    A refusal is free or billed by its day (UTC); one without a time is taken to be of `now`. Where only some
    categories are free and the log says none, the call counts as free and is marked as a lower bound
    (`usage_from` is "placeholder"). A log that writes the word `UNBILLED` itself gets no price for it.

    Args:
        calls: at, provider, tier, usage_from and `refusal`: the category of calls that were refused before
            any output, null for all others.
        now: the time of a call without one.
    """
    rule = overlay()["refusals"]
    day = pl.col("at").cast(TIME).fill_null(now or datetime.now(UTC)).dt.date()
    by_category = day >= rule["by_category_from"]
    is_free = (
        pl.col("refusal").is_not_null()
        & (pl.col("provider") == "anthropic")
        & (day >= rule["free_from"])
        & ~(by_category & pl.col("refusal").is_in(rule["billed_categories"]))
    )
    is_doubtful = is_free & by_category & (pl.col("refusal") == UNKNOWN)
    logged_tier = pl.when(pl.col("tier") == UNBILLED).then(pl.lit(UNKNOWN)).otherwise("tier")
    return calls.with_columns(
        tier=pl.when(is_free).then(pl.lit(UNBILLED)).otherwise(logged_tier),
        usage_from=pl.when(is_doubtful).then(pl.lit("placeholder")).otherwise("usage_from"),
    ).drop("refusal")
