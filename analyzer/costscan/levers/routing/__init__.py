"""Routing: calls and runs that a smaller model might serve go to it, by what is known before they are made.

Where the answer shows that the smaller model would not have been enough, the call is made again on the model
that served it, and both are paid.
"""

import polars as pl

from costscan.cache_policy import target_of
from costscan.levers.plan import Plan
from costscan.levers.routing.apply import family_of, routed
from costscan.levers.routing.cache_links import block_counts
from costscan.levers.routing.effort import with_effort
from costscan.levers.routing.eligible import fitting, options
from costscan.levers.routing.evidence import EVIDENCE, RUNS, TURNS, evidence_of, evidence_rules
from costscan.levers.routing.known import known_before
from costscan.levers.routing.retokenized import sizes
from costscan.levers.routing.thoughts import thoughts
from costscan.levers.routing.turn_work import turn_work
from costscan.levers.routing.ways import LEAST_SHARE, MOVES, Way, ways
from costscan.prices import AUDIO


def forced(plan: Plan, model: str, sizes: pl.DataFrame) -> pl.DataFrame:
    """Return `MOVES` of all turns of known models that are not on a model already, and that fit into it.

    Turns with audio stay: which other models take it is not known. So do those of models whose cache promises
    nothing: what another one would have read of their prompts cannot be told from what theirs did.
    """
    names = plan.steps["model"].unique()
    others = [name for name in names if name and _is_ruled(name) and name != model]
    has_audio = pl.col("asks").str.contains(AUDIO, literal=True).fill_null(value=False)
    all_turns = plan.steps.filter(pl.col("model").is_in(others), ~has_audio).with_columns(
        to_model=pl.lit(model), evidence=pl.lit(None, pl.String), is_wrong=pl.lit(value=False)
    )
    return fitting(all_turns.join(sizes, on="req", how="left", maintain_order="left")).select(*MOVES)


def _is_ruled(model: str) -> bool:
    """Whether tokens and cache of a model that served calls are known."""
    rules = target_of(model)
    return family_of(model) is not None and (rules is None or rules.is_promised)


__all__ = [
    "EVIDENCE",
    "LEAST_SHARE",
    "MOVES",
    "RUNS",
    "TURNS",
    "Way",
    "block_counts",
    "evidence_of",
    "evidence_rules",
    "forced",
    "known_before",
    "options",
    "routed",
    "sizes",
    "thoughts",
    "turn_work",
    "ways",
    "with_effort",
]
