"""What is billed: the calls of all copies, priced, and the turns and runs that they make."""

from dataclasses import dataclass

import polars as pl

from costscan.billing import turns as assembly
from costscan.billing.selection import Pricing, Selection, selected
from costscan.billing.turns import TOTALS_ONLY
from costscan.ingest import Reading, merge
from costscan.prices import price_table, turn_usd, unit_prices
from costscan.recorded_cost import Recorded, recorded


@dataclass(frozen=True, kw_only=True)
class Billed:
    """The bill of some logs.

    Attributes:
        turns: one billed request a row, with `usd`, its parts, `root_run_id`, `task` and `file`.
        unit: the unit prices of the turns.
        runs: the runs they belong to, with `root_task`.
        prices: the price table.
        recorded: what clients recorded of their costs.
        unfinished: the turns whose usage is not complete (see `assembly.unfinished`).
        duplicate_turns: calls that another copy of their run tells, too.
        undated_turns: turns that tell no time of their own.
    """

    turns: pl.DataFrame
    unit: pl.DataFrame
    runs: pl.DataFrame
    prices: pl.DataFrame
    recorded: list[Recorded]
    unfinished: pl.DataFrame
    duplicate_turns: int
    undated_turns: int


def billed(reading: Reading, pricing: Pricing, selection: Selection | None) -> tuple[pl.DataFrame, Billed]:
    """Return the calls of all copies, as attribution takes them, and the bill.

    Raises:
        CostscanError: the overrides or the discount are wrong.
    """
    table = price_table(pricing.overrides)
    calls, copies = merge.calls_and_copies(reading.folder)
    duplicates = calls.height - int(calls["kept"].sum()) + reading.duplicates_elsewhere
    runs = assembly.runs_of(copies)
    calls = assembly.priced(assembly.modelled(calls, copies, runs), table, pricing)
    totals = recorded(merge.table(reading.folder, "recorded").collect(), calls)
    extra = assembly.unlogged_calls(totals, calls, runs, pricing)
    calls = merge.numbered(selected(calls, runs, selection)).drop("request_id", "rank")
    turns, runs = assembly.turns_and_runs(calls, runs, selected(extra, runs, selection))
    unit = unit_prices(turns, table, discount=pricing.discount)
    return calls, Billed(
        turns=turns.hstack(turn_usd(turns, unit)),
        unit=unit,
        runs=runs,
        prices=table,
        recorded=totals,
        unfinished=assembly.unfinished(calls),
        duplicate_turns=duplicates,
        undated_turns=calls.filter(pl.col("kept") & ~pl.col("is_dated")).height,
    )


__all__ = ["TOTALS_ONLY", "Billed", "Pricing", "Selection", "billed"]
