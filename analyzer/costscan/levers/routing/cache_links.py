"""What routed turns find in the cache: the last prompt that they extend and that the same model was sent."""

from typing import Final

import polars as pl

from costscan.cache_policy import CLAUDE
from costscan.levers.extended_prompts import OF_CHAIN, extending
from costscan.levers.plan import Breakpoints, Plan, beside

LOOKBACK: Final = CLAUDE.lookback_blocks
"""A mark looks back over so many positions, itself included.

Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""


def block_counts(steps: pl.DataFrame, blocks: pl.LazyFrame) -> pl.DataFrame:
    """Return req and block_end: how many blocks of messages the prompts of its run held by then.

    What stands inside a tool result is no block of its own to look back over.

    Args:
        steps: req, run_id, turn.
        blocks: run_id, turn_in, layer, kind, call_id.

    Two blocks come with turn 0, an image inside the result of turn 2 is none of its own:

    >>> steps = pl.DataFrame({"req": [7, 8, 9], "run_id": "run", "turn": [0, 1, 2]})
    >>> blocks = pl.DataFrame({
    ...     "run_id": "run",
    ...     "turn_in": [0, 0, 0, 2, 2],
    ...     "layer": ["tools", "messages", "messages", "messages", "messages"],
    ...     "kind": ["tool_def", "text", "text", "tool_result", "image"],
    ...     "call_id": [None, None, None, "t1", "t1"],
    ... })
    >>> block_counts(steps, blocks.lazy()).rows()
    [(7, 2), (8, 2), (9, 3)]
    """
    inside = pl.col("kind").is_in(("image", "document")) & pl.col("call_id").is_not_null()
    came = (
        blocks.filter((pl.col("layer") == "messages") & ~inside)
        .group_by("run_id", turn="turn_in")
        .agg(n=pl.len().cast(pl.Int64))
        .collect(engine="streaming")
    )
    joined = steps.select("req", "run_id", "turn").join(
        came, on=["run_id", "turn"], how="left", maintain_order="left"
    )
    return joined.select("req", block_end=pl.col("n").fill_null(0).cum_sum().over("run_id"))


def relinked(plan: Plan, logged: pl.Series, runs: pl.Series, counts: pl.DataFrame) -> Plan:
    """Let the turns of some runs extend the last prompt that their model was sent, and look back for it.

    Args:
        plan: the plan, with other models in these runs.
        logged: the domain of each step before.
        runs: their ids.
        counts: from `block_counts`.
    """
    steps = beside(plan.steps, counts).with_columns(
        logged=logged, moved=pl.col("run_id").is_in(runs.implode())
    )
    steps = extending(extending(steps, "stable_"), "").with_columns(
        last_req=pl.col("req").shift(1).over(OF_CHAIN),
        far=pl.col("block_end") - pl.col("block_end").shift(1).over(OF_CHAIN),
    )
    near = steps.filter("moved", ~pl.col("is_shown"), pl.col("far") < LOOKBACK)
    links = near.select("req", "last_req")
    linked_steps = steps.select(plan.steps.columns)
    return plan.changed(
        linked_steps, lambda breakpoints, prefix: _linked(breakpoints, steps, links, f"{prefix}key")
    )


def _linked(breakpoints: Breakpoints, steps: pl.DataFrame, links: pl.DataFrame, key: str) -> Breakpoints:
    """Add the ends of the prompts that transcripts do not show to be looked back for."""
    ends = steps.select(last_req="req", key=key).join(
        breakpoints.positions.select("key", "tokens", last_req="req"), on=["last_req", "key"], how="inner"
    )
    positions = links.join(ends, on="last_req", how="inner").with_columns(ttl_us=pl.lit(None, pl.Int64))
    existing = breakpoints.positions
    new = positions.select(existing.columns).join(
        existing.select("req", "key"), on=["req", "key"], how="anti"
    )
    return Breakpoints(breakpoints.requests, pl.concat([existing, new]))
