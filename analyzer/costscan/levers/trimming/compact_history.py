"""Replace the history by a summary, whenever a prompt passes a threshold: one for each task and agent type.

The summary is written by a request of its own that reads the history. Afterwards only the system prompt and
the tools are still found in the cache, where they end at a mark.
"""

from dataclasses import replace
from typing import Final

import polars as pl

from costscan.levers.plan import EXTRA_OUTPUT, PREFIX_ERROR, Breakpoints, Plan, beside
from costscan.levers.replaying import Replaying
from costscan.levers.rewriting import REWRITES, later, rewritten
from costscan.levers.some_runs import narrowed, rejoined
from costscan.levers.trimming.inputs import TrimmingInputs
from costscan.levers.trimming.prefix_end import fixed_blocks, with_prefix
from costscan.levers.trimming.thresholds import at_best
from costscan.levers.uncertainty import doubted

PART: Final = "trimming/compact-history"
MORE_SHARE, FEWER_SHARE = 1.0, 0.5
"""The length of a summary is assumed: it may be half of that, or twice."""
ASKED_TOKENS: Final = 500
"""What asks for the summary."""
_SINCE: Final = pl.Schema({"run_id": pl.String, "context": pl.Int64, "turn": pl.Int64})
"""When a context was compacted last."""
_MOST: Final = 40
"""No context is compacted more often."""


def compacted(plan: Plan, blocks: pl.DataFrame, inputs: TrimmingInputs) -> Replaying[Plan]:
    """Compact with the threshold that is set, or that is cheapest for each group of runs.

    It is the same plan where that changes nothing.

    Args:
        plan: the plan.
        blocks: run_id, turn_in, turn_out, layer, tokens.
        inputs: with the groups of the runs, and how long a summary is.
    """
    return at_best(plan, PART, lambda at: compacted_at(plan, blocks, inputs, at), inputs.compact_at_tokens)


def compacted_at(plan: Plan, blocks: pl.DataFrame, inputs: TrimmingInputs, threshold: pl.Expr) -> Plan:
    """Compact whenever a prompt would pass a threshold.

    Args:
        plan: the plan.
        blocks: as for `compacted`.
        inputs: how long a summary is.
        threshold: that of each run; null where it has none.
    """
    summary, since = inputs.summary_tokens, pl.DataFrame(schema=dict(_SINCE))
    fixed, done = fixed_blocks(plan.steps, blocks), list[Plan]()
    for _ in range(_MOST):
        at = _passing(plan, fixed, since, threshold, summary)
        if at.is_empty():
            break
        plan, others = narrowed(plan, at["run_id"])
        done += others
        rewrites = at.select(
            "run_id", "turn", from_tokens="fixed_tokens", cut_tokens=pl.col("history") - summary
        )
        short = rewritten(_with_prefix(plan, at), rewrites.select(REWRITES))
        plan = doubted(_with_request(short, at, summary), _doubts(plan, at, since, summary))
        both = pl.concat([since, at.select(*_SINCE)])
        since = both.unique(["run_id", "context"], keep="last", maintain_order=True)
    return rejoined([plan, *done])


def _passing(
    plan: Plan, fixed: pl.DataFrame, since: pl.DataFrame, threshold: pl.Expr, summary: int
) -> pl.DataFrame:
    """Return, context by context, the next turn whose prompt would pass, with a history to replace."""
    last = since.select("run_id", "context", last="turn")
    turns = with_prefix(plan.steps, fixed).join(
        last, on=["run_id", "context"], how="left", maintain_order="left"
    )
    history = pl.col("before_tokens") - pl.col("fixed_tokens")
    is_next = pl.col("turn") > pl.col("last").fill_null(-1)
    return (
        turns.with_columns(history=history)
        .filter(is_next & (pl.col("prompt_tokens") > threshold) & (pl.col("history") > 2 * summary))
        .unique(["run_id", "context"], keep="first", maintain_order=True)
    )


def _doubts(plan: Plan, at: pl.DataFrame, since: pl.DataFrame, summary: int) -> pl.DataFrame:
    """Tell how much longer or shorter prompts are where a summary, or what is left before it, is.

    Where a context was compacted before, its prompts are in doubt already.
    """
    turns = later(plan.steps, at.select("run_id", "turn")).join(
        plan.steps.select("req", PREFIX_ERROR), on="req", maintain_order="left"
    )
    again = since.select("run_id", "context", again=pl.lit(value=True))
    known = turns.join(again, on=["run_id", "context"], how="left", maintain_order="left")
    is_first, is_new = pl.col("turn") == pl.col("since"), pl.col("again").is_null()
    more, fewer = summary * MORE_SHARE, summary * FEWER_SHARE
    return known.select(
        "req",
        more_tokens=pl.when(is_new).then(more + pl.col(PREFIX_ERROR)).otherwise(0.0),
        fewer_tokens=pl.when(is_new).then(fewer + pl.col(PREFIX_ERROR)).otherwise(0.0),
        more_output_tokens=pl.when(is_first).then(more).otherwise(0.0),
        fewer_output_tokens=pl.when(is_first).then(fewer).otherwise(0.0),
    )


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


def _with_request(plan: Plan, at: pl.DataFrame, summary: int) -> Plan:
    """Add the requests that ask for the summaries: they repeat what the turn before was sent."""
    asks = at.select(req="before_req", before_req="req", asked_tokens=pl.lit(ASKED_TOKENS, pl.Int64))
    wrote = beside(plan.steps, at.select(req="before_req", summary=pl.lit(summary, pl.Int64)))
    output = pl.col(EXTRA_OUTPUT) + pl.col("summary").fill_null(0)
    steps = wrote.with_columns(output.alias(EXTRA_OUTPUT)).select(plan.steps.columns)
    return replace(plan, steps=steps, asks=pl.concat([plan.asks, asks.select(*plan.asks.columns)]))
