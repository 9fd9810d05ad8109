"""How well the cache served over time: the share of prompts read from it, and what it should have read."""

from datetime import timedelta
from typing import Any, Final

import polars as pl

from costscan.days import on_clocks
from costscan.meters import WRITTEN_TOKENS
from costscan.reports.html.columns import plain
from costscan.rulebook import Diagnosis
from costscan.schema.frames import PROMPT
from costscan.summary import Summary
from costscan.summary.misses import with_misses

BY_HOUR: Final = timedelta(days=3)
"""A log of less than that is shown by hour."""


def cache(summary: Summary, analysis: Diagnosis) -> dict[str, Any]:
    """Return, by day or by hour, the tokens of prompts and what the cache did with them.

    `at` (minutes since 1970, by the clocks of the zone), `prompt` and `read` tokens, and those that had been
    sent before and were not read: `rewritten` to the cache, or sent `plain`.
    """
    first, last = summary.totals.first_at, summary.totals.last_at
    unit = "hour" if first and last and last - first < BY_HOUR else "day"
    turns = analysis.turns.filter(pl.col("at").is_not_null() & PROMPT.is_not_null())
    written = pl.sum_horizontal(WRITTEN_TOKENS)
    missed = pl.col("missed_tokens").fill_null(0)
    rows = with_misses(analysis, turns).select(
        at=on_clocks("at", summary.inputs.tz).dt.truncate("1h" if unit == "hour" else "1d"),
        prompt=PROMPT,
        read="cache_read_tokens",
        rewritten=pl.min_horizontal(missed, written),
        plain=missed - pl.min_horizontal(missed, written),
    )
    sums = rows.group_by("at").agg(pl.all().sum()).sort("at")
    columns = {name: sums[name].to_list() for name in ("prompt", "read", "rewritten", "plain")}
    return {"unit": unit, "zone": summary.inputs.tz, "at": [plain(at) for at in sums["at"]], **columns}
