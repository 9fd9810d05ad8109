"""Send requests that nobody waits for to the Batch API: every token at half price, within a day."""

from dataclasses import replace
from typing import Final

import polars as pl

from costscan.levers.plan import Plan

MISSED_READS: Final = 0.7
"""In a batch, cache hits are best effort: from 30 % on.

Source: https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""


def batched(plan: Plan, runs: pl.Series, has_batch_price: pl.Series) -> Plan:
    """Return the plan with the turns of some runs in batches.

    Args:
        plan: the plan.
        runs: their ids.
        has_batch_price: the models that have one.
    """
    may = (
        pl.col("run_id").is_in(runs.implode())
        & pl.col("tier").is_in(("standard", "priority"))
        & (pl.col("speed") == "standard")
        & pl.col("model").is_in(has_batch_price.implode())
    )
    steps = plan.steps.with_columns(
        tier=pl.when(may).then(pl.lit("batch")).otherwise("tier"),
        missed_reads=pl.when(may).then(pl.lit(MISSED_READS)).otherwise("missed_reads"),
    )
    return replace(plan, steps=steps, is_repriced=True)
