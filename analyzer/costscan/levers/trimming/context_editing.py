"""Clear old tool results whenever a prompt passes a threshold: one for each task and agent type.

The newest results stay. From the first one that goes, nothing is found in the cache; later requests find what
the first one without them wrote.

Source: https://platform.claude.com/docs/en/build-with-claude/context-editing (`clear_tool_uses_20250919`)
"""

from typing import Final

import polars as pl

from costscan.levers.plan import Plan, with_context
from costscan.levers.replaying import Replaying
from costscan.levers.rewriting import REWRITES, later, rewritten
from costscan.levers.some_runs import narrowed, rejoined
from costscan.levers.trimming.inputs import TrimmingInputs
from costscan.levers.trimming.prefix_end import fixed_blocks, with_prefix
from costscan.levers.trimming.thresholds import at_best
from costscan.levers.uncertainty import doubted

PART: Final = "trimming/context-editing"
KEPT: Final = 3
"""So many results stay, the newest: `keep`, by its default."""
LEAST_SHARE: Final = 0.1
"""So much of the threshold has to go, or nothing does (`clear_at_least`): each time the cache is written."""
NOTE_TOKENS: Final = 30
"""What stands in place of each result."""
_TURNS_AT_A_TIME: Final = 4
_CONTEXT: Final = ["run_id", "context"]
_MOST: Final = 40
"""No context is cleared more often."""


def cleared(plan: Plan, blocks: pl.DataFrame, inputs: TrimmingInputs) -> Replaying[Plan]:
    """Clear with the threshold that is set, or that is cheapest for each group of runs.

    It is the same plan where that changes nothing.

    Args:
        plan: the plan.
        blocks: run_id, block, turn_in, turn_out, layer, kind, call_id, tokens, error_tokens.
        inputs: with the threshold that is set.
    """
    return at_best(plan, PART, lambda at: cleared_at(plan, blocks, at), inputs.clear_at_tokens)


def cleared_at(plan: Plan, blocks: pl.DataFrame, threshold: pl.Expr) -> Plan:
    """Clear whenever a prompt would pass a threshold.

    Args:
        plan: the plan.
        blocks: as for `cleared`.
        threshold: that of each run; null where it has none.
    """
    left = _results(blocks).join(
        _contexts(plan), on=["run_id", "turn_in"], how="inner", maintain_order="left"
    )
    gone = left.clear().with_columns(turn=pl.lit(0, pl.Int64))
    fixed, done = fixed_blocks(plan.steps, blocks), list[Plan]()
    for _ in range(_MOST):
        going = _going(plan, fixed, left, gone, threshold)
        if going.is_empty():
            break
        runs = going["run_id"].unique()
        plan, others = narrowed(plan, runs)
        done += others
        plan = _without(plan, fixed, going, gone)
        left = left.filter(pl.col("run_id").is_in(runs.implode())).join(
            going, on=["run_id", "block"], how="anti", maintain_order="left"
        )
        gone = pl.concat([gone, going.select(gone.columns)])
    return rejoined([plan, *done])


def _results(blocks: pl.DataFrame) -> pl.DataFrame:
    """Return each tool result with the pictures and documents inside it, if it is longer than its note."""
    inside = pl.col("kind").is_in(("image", "document")) & pl.col("call_id").is_not_null()
    some = blocks.filter((pl.col("kind") == "tool_result") | inside)
    call = pl.coalesce("call_id", pl.col("block").cast(pl.String))
    whole = some.group_by("run_id", "turn_in", "turn_out", call=call, maintain_order=True).agg(
        pl.col("block").first(), pl.col("tokens", "error_tokens").sum()
    )
    return whole.drop("call").filter(pl.col("tokens") > NOTE_TOKENS)


def _contexts(plan: Plan) -> pl.DataFrame:
    """Return in which context of its run a block came."""
    return with_context(plan.steps).select("run_id", "context", turn_in="turn")


def _going(
    plan: Plan, fixed: pl.DataFrame, left: pl.DataFrame, gone: pl.DataFrame, threshold: pl.Expr
) -> pl.DataFrame:
    """Return the results that go, with the turn at which they do: the next one of each context that passes.

    Args:
        plan: the plan without those that went.
        fixed: what stands before the messages.
        left: the results that are left, with their context.
        gone: those that went, with the turn at which they did.
        threshold: that of each run.
    """
    last = gone.group_by("run_id", "context").agg(last=pl.col("turn").max())
    turns = with_prefix(plan.steps, fixed).join(
        last, on=["run_id", "context"], how="left", maintain_order="left"
    )
    passes = (pl.col("turn") > pl.col("last").fill_null(-1)) & (pl.col("prompt_tokens") > threshold)
    passing = turns.filter(passes, pl.col("before_tokens").is_not_null()).select(
        *_CONTEXT, "turn", least=LEAST_SHARE * threshold
    )
    return _first_enough(_may_do(passing, left), left)


def _may_do(passing: pl.DataFrame, left: pl.DataFrame) -> pl.DataFrame:
    """Return the turns at which enough might go, were none of the results kept that a context holds then."""
    size = pl.col("tokens") - NOTE_TOKENS
    came = left.select(*_CONTEXT, turn="turn_in", held=size)
    went = left.select(*_CONTEXT, turn="turn_out", held=-size)
    changes = pl.concat([came, went]).group_by(*_CONTEXT, "turn").agg(pl.col("held").sum())
    held = changes.sort("turn").with_columns(pl.col("held").cum_sum().over(_CONTEXT))
    return (
        passing.sort("turn")
        .join_asof(held, on="turn", by=_CONTEXT, check_sortedness=False)
        .filter(pl.col("held") >= pl.col("least"))
        .drop("held")
    )


def _first_enough(passing: pl.DataFrame, left: pl.DataFrame) -> pl.DataFrame:
    """Return the results that go at the first turn of each context at which enough do.

    A long context has as many turns as results, which cannot all be held against one another: some turns of
    each at a time, and more of those in which none was found.

    Args:
        passing: run_id, context, turn in order, least; with turns at which not enough goes.
        left: as for `_going`.
    """
    found: list[pl.DataFrame] = [_old(passing.clear(), left)]
    rest = passing.with_columns(nth=pl.int_range(pl.len()).over(_CONTEXT))
    upto = _TURNS_AT_A_TIME
    while rest.height:
        some = rest.filter(pl.col("nth") < upto)
        found.append(_old(some.drop("nth"), left))
        rest = rest.filter(pl.col("nth") >= upto).join(found[-1], on=_CONTEXT, how="anti")
        upto *= 4
    return pl.concat(found)


def _old(passing: pl.DataFrame, left: pl.DataFrame) -> pl.DataFrame:
    """Return the results that go at the first of these turns of each context at which enough do."""
    held = passing.join(left, on=_CONTEXT, how="inner", maintain_order="left_right").filter(
        pl.col("turn_in") <= pl.col("turn"), pl.col("turn_out") > pl.col("turn")
    )
    place = [*_CONTEXT, "turn"]
    newest = pl.struct("turn_in", "block").rank("ordinal", descending=True).over(place)
    old = held.with_columns(newest=newest).filter(pl.col("newest") > KEPT)
    enough = (pl.col("tokens") - NOTE_TOKENS).sum().over(place) >= pl.col("least")
    first = pl.col("turn") == pl.col("turn").min().over(_CONTEXT)
    return old.filter(enough).filter(first)


def _without(plan: Plan, fixed: pl.DataFrame, going: pl.DataFrame, gone: pl.DataFrame) -> Plan:
    """Return a plan without results that go at a turn of each context."""
    place = ["run_id", "context", "turn"]
    sums = going.group_by(place).agg(
        first=pl.col("turn_in").min(),
        cut_tokens=(pl.col("tokens") - NOTE_TOKENS).sum(),
        error_tokens=pl.col("error_tokens").sum(),
    )
    starts = with_prefix(plan.steps, fixed).select(
        "run_id", "context", "fixed_tokens", first="turn", start_tokens="before_tokens"
    )
    at = sums.join(starts, on=["run_id", "context", "first"], how="inner")
    # A prompt before the last clearing was longer than what is left of it: by what went before this result.
    went = at.select(*place, "first").join(gone, on=["run_id", "context"], suffix="_gone")
    before = went.filter(pl.col("turn_in") < pl.col("first"), pl.col("first") < pl.col("turn_gone"))
    less = before.group_by(place).agg(less=(pl.col("tokens") - NOTE_TOKENS).sum())
    start = pl.col("start_tokens").fill_null(0) - pl.col("less").fill_null(0)
    rewrites = at.join(less, on=place, how="left").with_columns(
        from_tokens=pl.max_horizontal(start, "fixed_tokens")
    )
    since = rewrites.select("run_id", "turn", more_tokens="error_tokens", fewer_tokens="error_tokens")
    off = later(plan.steps, since).select("req", "more_tokens", "fewer_tokens")
    return doubted(rewritten(plan, rewrites.select(REWRITES)), off)


__all__ = ["KEPT", "LEAST_SHARE", "PART", "cleared", "cleared_at"]
