"""Drop the tool results of a task whenever the next one begins, for groups of sessions in which that pays.

A task begins where a person writes again. What stood behind the first result that goes is written to the
cache anew.
"""

from typing import Final

import polars as pl

from costscan.levers.plan import Plan
from costscan.levers.replaying import Replaying, winners
from costscan.levers.rewriting import REWRITES, later, rewritten
from costscan.levers.some_runs import narrowed, rejoined
from costscan.levers.trimming.prefix_end import fixed_blocks, with_prefix
from costscan.levers.uncertainty import doubted

NOTE_TOKENS: Final = 30
"""What stands in place of each result."""
_MOST: Final = 40
"""Only so many boundaries of a run are looked at, the first ones."""


def pruned(plan: Plan, blocks: pl.DataFrame, runs: pl.DataFrame) -> Replaying[Plan]:
    """Prune the interactive runs of the groups in which that is cheaper; the same plan where there are none.

    Args:
        plan: the plan.
        blocks: run_id, turn_in, turn_out, layer, role, kind, tokens.
        runs: run_id, interactive.
    """
    every = pruned_in(plan, blocks, runs)
    if every is plan:
        return plan
    before, after = yield [plan, every]
    ways = winners([before.runs, after.runs])
    pays = before.runs.select("run_id", pays=ways == 1).filter("pays")
    return pruned_in(plan, blocks, runs.join(pays, on="run_id", how="semi"))


def pruned_in(plan: Plan, blocks: pl.DataFrame, runs: pl.DataFrame) -> Plan:
    """Prune some runs, if they are interactive, wherever a person writes again.

    Args:
        plan: the plan.
        blocks: as for `pruned`.
        runs: the runs.
    """
    dropped = _results_of_tasks(blocks.join(runs.filter("interactive"), on="run_id", how="semi"))
    if dropped.is_empty():
        return plan
    turns = with_prefix(plan.steps, fixed_blocks(plan.steps, blocks))
    at = dropped.join(turns, on=["run_id", "turn"], how="inner").sort("run_id", "turn")
    nth = at.with_columns(nth=pl.int_range(pl.len()).over("run_id")).filter(pl.col("nth") < _MOST)
    done: list[Plan] = []
    for step in nth["nth"].unique().sort():
        chosen = nth.filter(nth=step)
        plan, others = narrowed(plan, chosen["run_id"])
        done += others
        plan = _pruned_once(plan, chosen)
    return rejoined([plan, *done])


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
