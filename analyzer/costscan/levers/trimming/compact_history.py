"""Replace the history by a summary, at the turn of each context where that pays best.

The summary is written by a request of its own that reads the history. Afterwards only the system prompt and
the tools are still found in the cache, where they end at a mark.
"""

from dataclasses import replace
from typing import Final

import polars as pl

from costscan.levers.plan import EXTRA_OUTPUT, PREFIX_ERROR, Breakpoints, Plan, beside
from costscan.levers.rewriting import REWRITES, later, rewritten
from costscan.levers.trimming.carried_price import carried_price
from costscan.levers.uncertainty import doubted

SUMMARY_TOKENS: Final = 3000
"""A summary of an agent's history; those of Claude Code have about 2,000 to 4,000."""
SUMMARY_MORE: Final = 3000.0
SUMMARY_FEWER: Final = 1500.0
"""The length of a summary is assumed: it may be half of that, or twice."""
ASKED_TOKENS: Final = 500
"""What asks for the summary."""


def compacted(plan: Plan, blocks: pl.DataFrame, _: pl.DataFrame, priced: pl.DataFrame) -> Plan:
    """Compact the history of each context once, where it pays; arguments as for `carried_price`."""
    turns = carried_price(plan.steps, priced, blocks).with_columns(
        history=pl.col("before_tokens") - pl.col("fixed_tokens"),
        summary=pl.lit(SUMMARY_TOKENS, pl.Int64),
    )
    summary_pico = pl.col("summary") * (pl.col("carry_on_pico") - pl.col("carry_pico") + pl.col("write_pico"))
    lost = pl.when(pl.col("req").is_in(_reading_prefix(plan).implode())).then(0).otherwise("fixed_tokens")
    cold = lost * (pl.col("write_pico") - pl.col("carry_pico"))
    request_pico = (
        pl.col("before_tokens") * pl.col("ask_pico")
        + ASKED_TOKENS * pl.col("ask_new_pico")
        + pl.col("summary") * pl.col("output_pico")
    )
    gain = pl.col("history") * pl.col("carry_on_pico") - summary_pico - cold - request_pico
    best = (
        turns.with_columns(gain=gain)
        .filter((pl.col("gain") > 0) & (pl.col("history") > pl.col("summary")))
        .sort("gain", "turn", descending=[True, False])
        .unique(["run_id", "context"], keep="first", maintain_order=True)
    )
    if best.is_empty():
        return plan
    rewrites = best.select(
        "run_id", "turn", from_tokens="fixed_tokens", cut_tokens=pl.col("history") - pl.col("summary")
    )
    short = rewritten(_with_prefix(plan, best), rewrites.select(REWRITES))
    return doubted(_with_request(short, best), _doubts(plan, best))


def _doubts(plan: Plan, best: pl.DataFrame) -> pl.DataFrame:
    """Tell how much longer or shorter prompts are where summaries, or what is left before them, are."""
    since = later(plan.steps, best.select("run_id", "turn")).join(
        plan.steps.select("req", PREFIX_ERROR), on="req", maintain_order="left"
    )
    is_first = pl.col("turn") == pl.col("since")
    return since.select(
        "req",
        more_tokens=SUMMARY_MORE + pl.col(PREFIX_ERROR),
        fewer_tokens=SUMMARY_FEWER + pl.col(PREFIX_ERROR),
        more_output_tokens=pl.when(is_first).then(SUMMARY_MORE).otherwise(0.0),
        fewer_output_tokens=pl.when(is_first).then(SUMMARY_FEWER).otherwise(0.0),
    )


def _reading_prefix(plan: Plan) -> pl.Series:
    """Return the requests that mark the end of the system prompt: clients that show no prompt do."""
    breakpoints = plan.breakpoints.positions.filter(pl.col("ttl_us").is_not_null()).select(
        "req", shared_key="key"
    )
    shown = plan.steps.filter("is_shown").join(breakpoints, on=["req", "shared_key"], how="semi")
    return pl.concat([shown["req"], plan.steps.filter(~pl.col("is_shown"), "uses")["req"]])


def _with_prefix(plan: Plan, best: pl.DataFrame) -> Plan:
    """Mark the end of the system prompt in transcripts where nothing that was read tells where it is."""
    prefix = best.select("run_id", "fixed_tokens").unique("run_id", keep="first", maintain_order=True)
    unknown = (pl.col("shared_tokens") == 0) & ~pl.col("is_shown") & pl.col("uses")
    joined = plan.steps.filter(unknown).join(prefix, on="run_id", how="inner", maintain_order="left")
    key = (pl.struct("run_id", prefix=pl.lit("prefix")).hash() // 2).cast(pl.Int64)
    more = joined.filter(pl.col("fixed_tokens").is_between(1, "prompt_tokens")).select(
        "req", key=key, tokens="fixed_tokens", ttl_us="ttl_us"
    )
    if more.is_empty():
        return plan

    def marked(breakpoints: Breakpoints, _: str) -> Breakpoints:
        return Breakpoints(
            breakpoints.requests,
            pl.concat([breakpoints.positions, more.select(breakpoints.positions.columns)]),
        )

    return plan.changed(plan.steps, marked, is_repriced=False)


def _with_request(plan: Plan, best: pl.DataFrame) -> Plan:
    """Add the requests that ask for the summaries: they repeat what the turn before was sent."""
    asks = best.select(req="before_req", before_req="req", asked_tokens=pl.lit(ASKED_TOKENS, pl.Int64))
    wrote = beside(plan.steps, best.select(pl.col("before_req").alias("req"), "summary"))
    output = pl.col(EXTRA_OUTPUT) + pl.col("summary").fill_null(0)
    steps = wrote.with_columns(output.alias(EXTRA_OUTPUT)).select(plan.steps.columns)
    return replace(plan, steps=steps, asks=asks)
