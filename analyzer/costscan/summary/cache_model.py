"""How well the replay repeats the bill, as reports say it."""

from decimal import Decimal

import polars as pl

from costscan.aggregates import ratio
from costscan.cache.agreement import Agreement
from costscan.cache.proven_calls import IN_RUN
from costscan.summary.model import Replay, SideCalls


def replay(agreement: Agreement) -> Replay:
    """Return what is known of the replay; nothing where no turn could be compared."""
    policies = tuple(agreement.by_chance.to_dicts())
    if not agreement.compared:
        return Replay(policies=policies)
    refresh = "longest" if agreement.refresh.longest_only else "every"
    return Replay(
        turns=agreement.compared,
        exact_share=ratio(agreement.exact, agreement.compared),
        token_error=agreement.token_error,
        usd_billed=agreement.usd_billed,
        usd_replayed=agreement.usd_replayed,
        tested_turns=agreement.tested,
        foreseen_share=ratio(agreement.foreseen, agreement.compared),
        usd_off=agreement.usd_off,
        off_share=float(agreement.usd_off / agreement.usd_billed)
        if agreement.usd_off is not None and agreement.usd_billed
        else None,
        side_calls=_side_calls(agreement.by_class),
        refresh=refresh if agreement.refresh.is_decided else None,
        classes=tuple(agreement.by_class.rename({"disagreement": "class"}).to_dicts()),
        policies=policies,
    )


def _side_calls(by_class: pl.DataFrame) -> SideCalls:
    in_run = by_class.filter(pl.col("disagreement").is_in(IN_RUN))
    least = in_run["least_usd"].drop_nulls()
    return SideCalls(int(in_run["turns"].sum()), Decimal(least.sum()) if len(least) else None)
