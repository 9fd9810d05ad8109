"""Replace the history by a summary, at the turn of each context where that pays best.

The summary is written by a request of its own that reads the history. Afterwards only the system prompt and
the tools are still found in the cache.
"""

from dataclasses import replace
from typing import Final

import polars as pl

from costscan.levers.plan import Plan, beside
from costscan.levers.rewriting import REWRITES, rewritten
from costscan.levers.trimming.carried_price import carried_price

SUMMARY_TOKENS: Final = 3000
"""A summary of an agent's history; those of Claude Code have about 2,000 to 4,000."""
ASKED_TOKENS: Final = 500
"""What asks for the summary."""


def compacted(plan: Plan, blocks: pl.DataFrame, _: pl.DataFrame, priced: pl.DataFrame) -> Plan:
    """Compact the history of each context once, where it pays; arguments as for `carried_price`."""
    told = carried_price(plan.steps, priced, blocks).with_columns(
        history=pl.col("before_tokens") - pl.col("fixed_tokens"),
        summary=pl.lit(SUMMARY_TOKENS, pl.Int64),
    )
    kept = pl.col("summary") * (pl.col("carry_on_pico") - pl.col("carry_pico") + pl.col("write_pico"))
    cold = pl.col("fixed_tokens") * (pl.col("write_pico") - pl.col("carry_pico"))
    asked = (
        pl.col("before_tokens") * pl.col("carry_pico")
        + ASKED_TOKENS * pl.col("write_pico")
        + pl.col("summary") * pl.col("output_pico")
    )
    gain = pl.col("history") * pl.col("carry_on_pico") - kept - cold - asked
    best = (
        told.with_columns(gain=gain)
        .filter((pl.col("gain") > 0) & (pl.col("history") > pl.col("summary")))
        .sort("gain", "turn", descending=[True, False])
        .unique(["run_id", "context"], keep="first", maintain_order=True)
    )
    if best.is_empty():
        return plan
    rewrites = best.select(
        "run_id", "turn", from_tokens="fixed_tokens", cut_tokens=pl.col("history") - pl.col("summary")
    )
    return _with_request(rewritten(plan, rewrites.select(REWRITES)), best)


def _with_request(plan: Plan, best: pl.DataFrame) -> Plan:
    """Add the requests that ask for the summaries."""
    asked = best.select(
        "req",
        "summary",
        found=pl.min_horizontal("read_tokens", "before_tokens"),
        whole="before_tokens",
    )
    steps = beside(plan.steps, asked)
    plain = pl.col("whole") - pl.col("found") + ASKED_TOKENS
    added = {
        "extra_read_tokens": pl.col("found"),
        "extra_input_tokens": plain,
        "extra_output_tokens": pl.col("summary"),
    }
    more = (pl.col(name) + value.fill_null(0) for name, value in added.items())
    return replace(plan, steps=steps.with_columns(more).select(plan.steps.columns))
