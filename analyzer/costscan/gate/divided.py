"""What models and tools cost on two sides."""

from collections.abc import Mapping

import polars as pl

from costscan.aggregates import known_sum
from costscan.gate.side import ComparisonSide
from costscan.meters import METERS
from costscan.schema.frames import USD


def divided(before: ComparisonSide, after: ComparisonSide) -> Mapping[str, pl.DataFrame]:
    """Return the known cost by model and by tool (or another part of prompts), the largest change first.

    Columns: name, amount_before and amount_after (calls of a model, tokens sent of a tool), usd_before,
    usd_after and usd_change; a side that has none of it has 0.
    """
    return {"model": _change(_models(before), _models(after)), "tool": _change(_tools(before), _tools(after))}


def _models(side: ComparisonSide) -> pl.DataFrame:
    usd = pl.sum_horizontal(pl.col(f"{meter}_usd").sum() for meter in METERS).cast(USD)
    return side.nested("spend").group_by(name="model").agg(amount=pl.col("turns").sum(), usd=usd)


def _tools(side: ComparisonSide) -> pl.DataFrame:
    parts = side.nested("parts").group_by(name="part")
    return parts.agg(amount=pl.col("sent_tokens").sum(), usd=known_sum("usd"))


def _change(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    sides = [
        side.rename({"amount": f"amount_{when}", "usd": f"usd_{when}"})
        for side, when in ((before, "before"), (after, "after"))
    ]
    both = sides[0].join(sides[1], on="name", how="full", coalesce=True)
    amounts = pl.col("amount_before", "amount_after").fill_null(0)
    usd = [pl.col(f"usd_{when}").fill_null(0).cast(USD) for when in ("before", "after")]
    return (
        both.with_columns(amounts, *usd)
        .with_columns(usd_change=(pl.col("usd_after") - pl.col("usd_before")).cast(USD))
        .select("name", "amount_before", "amount_after", "usd_before", "usd_after", "usd_change")
        .sort(pl.col("usd_change").abs(), "name", descending=[True, False])
    )
