"""The actions of two sides: which are new, which are gone, and what each saves."""

from typing import Final

import polars as pl

from costscan.gate.side import ComparisonSide
from costscan.schema.frames import USD

STATES: Final = ("new", "gone", "on both sides")
_COLUMNS: Final = pl.Schema(
    [*((name, pl.String()) for name in ("id", "title", "risk", "how")), ("saved_usd", USD)]
)


def action_changes(before: ComparisonSide | None, after: ComparisonSide) -> pl.DataFrame | None:
    """Return the actions of both sides, new ones first; None without a baseline, or where a side tells none.

    Columns: id, state (new, gone, on both sides), title, risk and how (of the new logs where they have it),
    saved_before and saved_after (what it saves after those before it; null where it is not there).
    """
    if before is None or before.actions is None or after.actions is None:
        return None
    old, new = (pl.DataFrame(list(side.actions or ()), schema=_COLUMNS) for side in (before, after))
    both = new.rename({"saved_usd": "saved_after"}).join(
        old.rename({"saved_usd": "saved_before"}), on="id", how="full", coalesce=True, suffix="_before"
    )
    is_new, is_gone = pl.col("title_before").is_null(), pl.col("title").is_null()
    rank = pl.when(is_new).then(0).when(is_gone).then(1).otherwise(2)
    told = [pl.coalesce(name, f"{name}_before").alias(name) for name in ("title", "risk", "how")]
    most = pl.coalesce("saved_after", "saved_before")
    return both.sort(rank, most, "id", descending=[False, True, False]).select(
        "id",
        rank.replace_strict(dict(enumerate(STATES)), return_dtype=pl.String).alias("state"),
        *told,
        "saved_before",
        "saved_after",
    )
