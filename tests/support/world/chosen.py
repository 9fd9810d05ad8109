"""Where costscan would send turns, scenario by scenario: what frames do not tell."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from costscan.cache_policy import LONG_US
from costscan.levers.plan import Plan
from costscan.levers.replaying import Outcome, Replaying
from costscan.scenarios.route_choice import Routes, Way
from costscan.scenarios.workspace import Workspace

ALONE, BESIDE = "alone", "beside"
Lives = dict[str, tuple[bool, bool]]
"""By run, whether its tools and system prompt live for an hour, and what follows; as they are where it has none."""


@dataclass
class Chosen:
    """What was chosen while scenarios were worked out.

    Attributes:
        routes: the scope (`turns`, `runs`, both, or `beside` other levers), and run_id, turn, model of all turns.
        lives: the lifetimes that were set.
    """

    routes: list[tuple[str, pl.DataFrame]] = field(default_factory=list)
    lives: list[Lives] = field(default_factory=list)


@contextmanager
def choices_told() -> Iterator[Chosen]:
    """Note the models of all turns, and lifetimes, whenever they are chosen."""
    told = Chosen()
    known, lived = (Routes.alone, Routes.beside), Workspace.with_ttls

    def living(self: Workspace, plan: Plan) -> Replaying[list[Outcome]]:
        ways = yield from lived(self, plan)
        told.lives.append(lives_of(ways[-1].plan))
        return ways

    def noting(way: Callable[..., Replaying[Way]], name: str) -> Callable[..., Replaying[Way]]:
        def noted(self: Routes, *args: Any, **more: Any) -> Replaying[Way]:
            found = yield from way(self, *args, **more)
            scope = "+".join(args) if name == ALONE else BESIDE
            told.routes.append((scope, found.plan.steps.select("run_id", "turn", "model")))
            return found

        return noted

    Routes.alone, Routes.beside = noting(known[0], ALONE), noting(known[1], BESIDE)  # type: ignore[method-assign]
    Workspace.with_ttls = living  # type: ignore[method-assign]
    try:
        yield told
    finally:
        Workspace.with_ttls = lived  # type: ignore[method-assign]
        Routes.alone, Routes.beside = known  # type: ignore[method-assign]


def lives_of(plan: Plan) -> Lives:
    """The lifetimes that a plan sets."""
    set_us = plan.ttls.join(plan.steps.select("req", "run_id"), on="req")
    rows = set_us.select("run_id", "prefix_ttl_us", "ttl_us").unique().rows()
    return {run: (prefix == LONG_US, behind == LONG_US) for run, prefix, behind in rows}


def moved(steps: pl.DataFrame, logged: pl.DataFrame) -> dict[tuple[str, int], str]:
    """The turns that are on another model than they were, with that model."""
    was = logged.select("run_id", "turn", was="model")
    both = steps.join(was, on=["run_id", "turn"], how="inner").filter(pl.col("model") != pl.col("was"))
    return {(run, turn): model for run, turn, model in both.select("run_id", "turn", "model").rows()}
