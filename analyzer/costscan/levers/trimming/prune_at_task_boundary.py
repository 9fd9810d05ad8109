"""Drop the tool results of a task when the next one begins, where that pays.

A task begins where a person writes again. What stood behind the first result that goes is written to the
cache anew, so that this pays only where many turns follow.
"""

from typing import Final

import polars as pl

from costscan.levers.plan import Plan
from costscan.levers.rewriting import REWRITES, later, rewritten
from costscan.levers.trimming.carried_price import carried_price
from costscan.levers.uncertainty import doubted

NOTE_TOKENS: Final = 30
"""What stands in place of each result."""
MOST_BOUNDARIES: Final = 8
"""Only so many boundaries of a run are looked at, those with most to drop."""


def pruned(plan: Plan, blocks: pl.DataFrame, runs: pl.DataFrame, priced: pl.DataFrame) -> Plan:
    """Prune interactive runs.

    Args:
        plan: the plan.
        blocks: run_id, turn_in, turn_out, layer, role, kind, tokens.
        runs: run_id, interactive.
        priced: as for `carried_price`.
    """
    dropped = _results_of_tasks(blocks.join(runs.filter("interactive"), on="run_id", how="semi"))
    if dropped.is_empty():
        return plan
    turns = carried_price(plan.steps, priced, blocks)
    starts = turns.select("run_id", first="turn", start_tokens=pl.col("before_tokens"))
    at = dropped.join(turns, on=["run_id", "turn"], how="inner").join(
        starts, on=["run_id", "first"], how="left"
    )
    at = _with_cached(at.with_columns(pl.col("start_tokens").fill_null(pl.col("fixed_tokens"))), plan)
    again = pl.max_horizontal(pl.col("before_tokens") - pl.col("found_tokens") - pl.col("cut_tokens"), 0)
    gain = pl.col("cut_tokens") * pl.col("carry_on_pico") - again * (
        pl.col("write_pico") - pl.col("carry_pico")
    )
    paying = at.with_columns(gain=gain).filter(pl.col("gain") > 0)
    chosen = (
        paying.sort("gain", descending=True).group_by("run_id", maintain_order=True).head(MOST_BOUNDARIES)
    )
    nth = chosen.sort("run_id", "turn").with_columns(nth=pl.int_range(pl.len()).over("run_id"))
    for step in nth["nth"].unique().sort():
        plan = _pruned_once(plan, nth.filter(nth=step))
    return plan


def _with_cached(at: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Add found_tokens: how much of what stands before start_tokens a prompt still finds."""
    marked = plan.breakpoints.positions.filter(pl.col("ttl_us").is_not_null()).select("key")
    ends = plan.breakpoints.positions.join(marked.unique(), on="key", how="semi").select("req", end="tokens")
    ends_before = (
        at.select("req", "start_tokens").join(ends, on="req").filter(pl.col("end") <= pl.col("start_tokens"))
    )
    furthest = ends_before.group_by("req").agg(found_tokens=pl.col("end").max())
    return at.join(furthest, on="req", how="left").with_columns(pl.col("found_tokens").fill_null(0))


def _pruned_once(plan: Plan, chosen: pl.DataFrame) -> Plan:
    """Prune at one boundary of each run; the plan already lacks what went before it."""
    before = pl.col("prompt_tokens").shift(1).over("run_id")
    begins = plan.steps.select("run_id", first="turn", from_tokens=before.fill_null(0))
    placed = chosen.join(begins, on=["run_id", "first"], how="left").with_columns(
        from_tokens=pl.max_horizontal(pl.min_horizontal("from_tokens", "before_tokens"), "fixed_tokens")
    )
    off = later(plan.steps, chosen).select("req", more_tokens="error_tokens", fewer_tokens="error_tokens")
    return doubted(rewritten(plan, placed.select(REWRITES)), off)


def _results_of_tasks(blocks: pl.DataFrame) -> pl.DataFrame:
    """Return, for each turn in which a person writes again, what goes.

    That are the tool results since the last such turn that would stay: run_id, turn, first (the turn of the
    first one), cut_tokens and error_tokens (by how many they may be off).
    """
    messages = blocks.filter(kind="text", role="user", layer="messages").filter(pl.col("turn_in") > 0)
    bounds = messages.select("run_id", turn="turn_in").unique().sort("turn")
    results = blocks.filter((pl.col("kind") == "tool_result") & (pl.col("tokens") > NOTE_TOKENS)).sort(
        "turn_in"
    )
    joined = results.join_asof(
        bounds,
        left_on="turn_in",
        right_on="turn",
        by="run_id",
        strategy="forward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    stays = joined.filter(pl.col("turn").is_not_null() & (pl.col("turn_out") > pl.col("turn")))
    return stays.group_by("run_id", "turn", maintain_order=True).agg(
        first=pl.col("turn_in").min(),
        cut_tokens=(pl.col("tokens") - NOTE_TOKENS).sum(),
        error_tokens=pl.col("error_tokens").sum(),
    )
