"""Where costscan would send turns, scenario by scenario: what frames do not tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import polars as pl

from costscan.cache_policy import LONG_US
from costscan.levers.plan import Plan
from costscan.levers.replaying import Outcome, Replaying
from costscan.scenarios.route_choice import SCOPES, Routes, Served
from costscan.scenarios.workspace import Workspace

BESIDE = "beside"
MOVED = ("run_id", "turn", "to_model", "is_wrong")
Lives = dict[str, tuple[bool, bool]]
"""By run, whether its tools and system prompt live for an hour, and what follows; as they are where it has none."""


@dataclass
class Chosen:
    """What was chosen while scenarios were worked out.

    Attributes:
        routes: the scope (`turns`, `runs`, both, or `beside` other levers), and the calls that move, as `MOVED`.
        lives: the lifetimes that were set.
    """

    routes: list[tuple[str, pl.DataFrame]] = field(default_factory=list)
    lives: list[Lives] = field(default_factory=list)


@contextmanager
def choices_told() -> Iterator[Chosen]:
    """Note the models of all turns, and lifetimes, whenever they are chosen."""
    told = Chosen()
    known, lived = (Routes.best_alone, Routes.beside), Workspace.with_ttls

    def living(self: Workspace, plan: Plan) -> Replaying[list[Outcome]]:
        ways = yield from lived(self, plan)
        told.lives.append(lives_of(ways[-1].plan))
        return ways

    def note(self: Routes, scope: str, moves: pl.DataFrame) -> None:
        steps = self.workspace.plan.steps.select("req", "run_id", "turn")
        told.routes.append((scope, steps.join(moves, on="req").select(MOVED)))

    def best_alone(self: Routes, scopes: tuple[str, ...] = SCOPES) -> Replaying[Served]:
        found = yield from known[0](self, scopes)
        note(self, "+".join(scopes), found.moves)
        return found

    def beside(self: Routes, sent: Plan) -> Replaying[pl.DataFrame]:
        moves = yield from known[1](self, sent)
        note(self, BESIDE, moves)
        return moves

    Routes.best_alone = best_alone  # type: ignore[method-assign]
    Routes.beside = beside  # type: ignore[method-assign]
    Workspace.with_ttls = living  # type: ignore[method-assign]
    try:
        yield told
    finally:
        Workspace.with_ttls = lived  # type: ignore[method-assign]
        Routes.best_alone, Routes.beside = known  # type: ignore[method-assign]


def lives_of(plan: Plan) -> Lives:
    """The lifetimes that a plan sets."""
    set_us = plan.ttls.join(plan.steps.select("req", "run_id"), on="req")
    rows = set_us.select("run_id", "prefix_ttl_us", "ttl_us").unique().rows()
    return {run: (prefix == LONG_US, behind == LONG_US) for run, prefix, behind in rows}


def moved(moves: pl.DataFrame) -> dict[tuple[str, int], tuple[str, bool]]:
    """The calls that move: by run and turn, to which model, and whether they are made again on their own."""
    return {(run, turn): (model, wrong) for run, turn, model, wrong in moves.select(MOVED).rows()}
