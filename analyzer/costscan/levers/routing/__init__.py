"""Routing: turns and runs that a smaller model could have served go to it, where the switch pays."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import polars as pl

from costscan.levers.plan import Plan
from costscan.levers.routing.apply import family_of, routed
from costscan.levers.routing.cache_links import block_counts
from costscan.levers.routing.cheapest_path import Stretch, best, cost_of, most_to_save, stretch_of
from costscan.levers.routing.effort import with_effort
from costscan.levers.routing.eligible import fitting, options
from costscan.levers.routing.evidence import EVIDENCE, evidence_of
from costscan.levers.routing.retokenized import sizes
from costscan.levers.routing.segments import OWN, stretches, turns_of
from costscan.levers.routing.thoughts import thoughts
from costscan.levers.routing.turn_work import turn_work

CHOICE: Final = pl.Schema({"req": pl.Int64, "to_model": pl.String})
_AT_A_TIME: Final = 30_000
CROWD: Final = 3
"""Of so many runs that may move and share a prefix, one writes it on the new model for the others."""
LEAST_SHARE: Final = 0.1
"""Another model has to be tried out first: a run that would cost less by a smaller share stays as it is."""


@dataclass(frozen=True)
class RoutingInputs:
    """What routing decides on.

    Attributes:
        evidence: as `EVIDENCE`.
        sizes: what the other family of tokenizers makes of the prompts.
        counts: how many blocks the prompts hold, from `block_counts`.
        usd_on: gives day, model and usd (of a token of plain input) on some days.
        units: gives the unit prices of steps.
        decided: remembers what was decided of a run at certain costs.
    """

    evidence: pl.DataFrame
    sizes: pl.DataFrame
    counts: pl.DataFrame
    usd_on: Callable[[pl.Series], pl.DataFrame]
    units: Callable[[pl.DataFrame], pl.DataFrame]
    decided: dict[Any, list[int]] = field(default_factory=dict)


def chosen(
    plan: Plan, priced: pl.DataFrame, inputs: RoutingInputs, scopes: tuple[str, ...], *, has_breakpoint: bool
) -> pl.DataFrame:
    """Return the turns to move, as `CHOICE`.

    Args:
        plan: the plan.
        priced: the token classes and unit prices of its turns.
        inputs: what routing decides on.
        scopes: whose evidence counts: that of turns, that of runs.
        has_breakpoint: they will stand where a turn finds what its model was sent last, however far back.
    """
    evidence = inputs.evidence.filter(pl.col("scope").is_in(scopes))
    may = options(plan.steps, evidence, inputs.sizes, inputs.usd_on)
    if may.is_empty():
        return pl.DataFrame(schema=CHOICE)
    moves = pl.concat(
        _decided(stretches(some, may, inputs.sizes, inputs.units), inputs.decided)
        for some in _in_parts(plan.steps, priced, may, inputs, has_breakpoint=has_breakpoint)
    )
    spread = plan.steps.select("req").join_asof(
        moves, left_on="req", right_on="from_req", check_sortedness=False
    )
    return spread.filter(pl.col("req") <= pl.col("to_req")).select(*CHOICE)


def _in_parts(
    steps: pl.DataFrame,
    priced: pl.DataFrame,
    may: pl.DataFrame,
    inputs: RoutingInputs,
    *,
    has_breakpoint: bool,
) -> Iterator[pl.DataFrame]:
    """Yield what stretches are made from, some runs with options at a time: each turn takes a row a model."""
    counts = inputs.counts.with_columns(block_end=0) if has_breakpoint else inputs.counts
    runs = steps.join(may, on="req", how="semi")["run_id"].unique()
    turns = turns_of(steps, priced, runs).join(counts, on="req", how="left", maintain_order="left")
    part = pl.col("row").first().over("run_id") // _AT_A_TIME
    for some in turns.with_row_index("row").with_columns(part=part).partition_by("part", maintain_order=True):
        yield some.drop("part", "row")


def _decided(turn_stretches: pl.DataFrame, decided: dict[Any, list[int]]) -> pl.DataFrame:
    """Return from_req, to_req and to_model of the stretches that move; `decided` remembers runs."""
    rows: list[tuple[int, int, str]] = []
    for run_id, run in groupby(turn_stretches.iter_rows(named=True), key=itemgetter("run_id")):
        parts = list(run)
        shares = parts[0]["crowd"] >= CROWD
        costs = tuple(
            (row["from_req"], *row["models"], *row["usable"], *row["warm"], *row["cold"]) for row in parts
        )
        key = (run_id, shares, hash(costs))
        if key not in decided:
            decided[key] = _worthwhile([stretch_of(row) for row in parts], shares=shares)
        moves = zip(parts, decided[key], strict=True)
        rows += [(r["from_req"], r["to_req"], r["models"][m]) for r, m in moves if r["models"][m] != OWN]
    schema = {"from_req": pl.Int64, "to_req": pl.Int64, "to_model": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _worthwhile(run: Sequence[Stretch], *, shares: bool) -> list[int]:
    """Return the models of the stretches of a run; those that served it where others would save little."""
    own = cost_of(run, [0] * len(run), shares=shares)
    if most_to_save(run, shares=shares) < LEAST_SHARE * own:
        return [0] * len(run)
    models = best(run, shares=shares)
    saves = own - cost_of(run, models, shares=shares)
    return models if saves >= LEAST_SHARE * own else [0] * len(run)


def forced(plan: Plan, model: str, sizes: pl.DataFrame) -> pl.DataFrame:
    """Return `CHOICE` of all turns of Claude models that are not on a model already, and that fit into it."""
    names = plan.steps["model"].unique()
    claude = [name for name in names if family_of(name) is not None and name != model]
    all_turns = plan.steps.filter(pl.col("model").is_in(claude)).with_columns(to_model=pl.lit(model))
    return fitting(all_turns.join(sizes, on="req", how="left", maintain_order="left")).select(*CHOICE)


__all__ = [
    "EVIDENCE",
    "RoutingInputs",
    "block_counts",
    "chosen",
    "evidence_of",
    "forced",
    "routed",
    "sizes",
    "thoughts",
    "turn_work",
    "with_effort",
]
