"""Trimming: what need not be in the prompts, by part; each part gives a shorter plan.

Most parts shorten blocks when they enter, so that all prompts that carry them are shorter and cached prefixes
stay what they are. Two rewrite the history at a turn: from there on nothing of the old history is found.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import polars as pl

from costscan.levers.plan import Plan
from costscan.levers.replaying import Replaying
from costscan.levers.shortening import renamed, shortened
from costscan.levers.trimming.cap_tool_results import PART as CAPPED
from costscan.levers.trimming.cap_tool_results import Capped, capped, capped_at, with_fetches
from costscan.levers.trimming.compact_history import compacted, compacted_at
from costscan.levers.trimming.context_editing import cleared, cleared_at
from costscan.levers.trimming.cuts import per_turn, without_tool_use
from costscan.levers.trimming.defer_unused_tools import other_tools, unused_tools
from costscan.levers.trimming.drop_repeated_results import repeated_results
from costscan.levers.trimming.inputs import TrimmingInputs
from costscan.levers.trimming.prune_at_task_boundary import pruned, pruned_in
from costscan.levers.trimming.resize_images import large_images
from costscan.levers.trimming.thresholds import of_runs
from costscan.levers.uncertainty import doubted

SHORTENING: Final[Mapping[str, Callable[[TrimmingInputs], pl.DataFrame]]] = MappingProxyType({
    "defer-unused-tools": lambda inputs: unused_tools(inputs.blocks, inputs.tool_calls, inputs.runs),
    "drop-repeated-results": lambda inputs: repeated_results(inputs.blocks),
    "resize-images": lambda inputs: large_images(inputs.blocks),
})  # fmt: skip
"""How parts shorten blocks: `per_turn.CUT_BLOCKS`."""
CAP: Final = "cap-tool-results"
PRUNE: Final = "prune-at-task-boundary"
CLEAR: Final = "context-editing"
COMPACT: Final = "compact-history"
REWRITING: Final = (PRUNE, CLEAR, COMPACT)
"""The parts that rewrite the history, in the order in which they are applied."""


@dataclass(frozen=True)
class Made:
    """Parts of trimming as they are set.

    Attributes:
        caps: tool and cap_tokens.
        runs: by part, the runs that it is made in.
        thresholds: by part, the prompt tokens of runs at which it is made.
    """

    caps: pl.DataFrame
    runs: Mapping[str, Collection[str]]
    thresholds: Mapping[str, dict[str, int]]


def trimmed(plan: Plan, inputs: TrimmingInputs, parts: Sequence[str]) -> Replaying[Plan]:
    """Return the plan with some parts of trimming; the same plan where none of them changes anything.

    Where the history is rewritten is weighed with what a replay says of the plan before.

    Args:
        plan: the plan.
        inputs: what the prompts hold.
        parts: their names.
    """
    caps = capped(inputs) if CAP in parts else None
    cuts = [cut for name, of in SHORTENING.items() if name in parts if (cut := of(inputs)).height]
    short, left = _cut_short(plan, inputs, caps, cuts)
    if PRUNE in parts:
        short = yield from pruned(short, left, inputs.runs)
    if CLEAR in parts:
        short = yield from cleared(short, left, inputs)
    if COMPACT in parts:
        short = yield from compacted(short, left, inputs)
    return short


def trimmed_as(plan: Plan, inputs: TrimmingInputs, made: Made) -> Plan:
    """Return the plan with parts of trimming as they are set, each where it is made."""
    caps = capped_at(inputs, made.caps) if made.caps.height else None
    each = (
        of(inputs).filter(pl.col("run_id").is_in(list(made.runs[name])))
        for name, of in SHORTENING.items()
        if name in made.runs
    )
    short, left = _cut_short(plan, inputs, caps, [cut for cut in each if cut.height])
    if PRUNE in made.runs:
        runs = inputs.runs.filter(pl.col("run_id").is_in(list(made.runs[PRUNE])))
        short = pruned_in(short, left, runs)
    if CLEAR in made.thresholds:
        short = cleared_at(short, left, of_runs(made.thresholds[CLEAR]))
    if COMPACT in made.thresholds:
        short = compacted_at(short, left, inputs, of_runs(made.thresholds[COMPACT]))
    return short


def _cut_short(
    plan: Plan, inputs: TrimmingInputs, caps: Capped | None, cuts: Sequence[pl.DataFrame]
) -> tuple[Plan, pl.DataFrame]:
    """Return the plan with shorter blocks, and the blocks with the tokens that are left of them."""
    every = [*([caps.cuts] if caps is not None and caps.cuts.height else []), *cuts]
    short = _shorter(plan, inputs, pl.concat(every)) if every else plan
    if caps is not None and caps.cuts.height:
        short = with_fetches(short, caps.fetched).choosing(CAPPED, caps.caps, caps.tried)
    return short, _left(inputs.blocks, every)


def _shorter(plan: Plan, inputs: TrimmingInputs, cuts: pl.DataFrame) -> Plan:
    # What two parts take out of one block is the larger of the two.
    largest = cuts.sort("tokens", descending=True).unique(
        ["run_id", "block"], keep="first", maintain_order=True
    )
    salts = other_tools(plan.steps, inputs.blocks, largest.filter("is_fixed"))
    cut = per_turn(plan.steps, largest)
    off = cut.select("req", more_tokens="error_tokens", fewer_tokens="error_tokens")
    short = doubted(shortened(plan, cut), off)
    return renamed(short, salts) if salts.height else short


def _left(blocks: pl.DataFrame, cuts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the blocks with the tokens that are left of them."""
    if not cuts:
        return blocks
    out = pl.concat(cuts).group_by("run_id", "block").agg(cut=pl.col("tokens").max())
    joined = blocks.join(out, on=["run_id", "block"], how="left", maintain_order="left")
    return joined.with_columns(tokens=pl.col("tokens") - pl.col("cut").fill_null(0)).drop("cut")


__all__ = ["Made", "TrimmingInputs", "trimmed", "trimmed_as", "without_tool_use"]
