"""How well the replay repeats the bill, as reports say it."""

from decimal import Decimal

import polars as pl

from costscan.cache.agreement import Agreement
from costscan.cache.proven_calls import IN_RUN
from costscan.summary.aggregates import ratio
from costscan.summary.model import Replay, SideCalls


def replay(found: Agreement) -> Replay:
    """Return what is known of the replay; nothing where no turn could be compared."""
    if not found.compared:
        return Replay()
    refresh = "longest" if found.refresh.longest_only else "every"
    return Replay(
        turns=found.compared,
        exact_share=ratio(found.exact, found.compared),
        token_error=found.token_error,
        usd_billed=found.usd_billed,
        usd_replayed=found.usd_replayed,
        tested_turns=found.tested,
        foreseen_share=ratio(found.foreseen, found.compared),
        usd_off=found.usd_off,
        off_share=float(found.usd_off / found.usd_billed)
        if found.usd_off is not None and found.usd_billed
        else None,
        side_calls=_side_calls(found.by_class),
        refresh=refresh if found.refresh.is_told else None,
        classes=tuple(found.by_class.rename({"disagreement": "class"}).to_dicts()),
    )


def _side_calls(by_class: pl.DataFrame) -> SideCalls:
    found = by_class.filter(pl.col("disagreement").is_in(IN_RUN))
    least = found["least_usd"].drop_nulls()
    return SideCalls(int(found["turns"].sum()), Decimal(least.sum()) if len(least) else None)
