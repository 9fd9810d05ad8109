"""Routing, replayed: with the evidence of turns, of runs and of both, whichever is cheapest.

Where to switch is worked out run by run; what runs share is known only to the replay of all of them.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

import polars as pl

from costscan.levers import routing
from costscan.levers.plan import Plan
from costscan.levers.replaying import Outcome, Replaying, replay, winners
from costscan.levers.routing.candidates import model_named
from costscan.scenarios.workspace import Workspace

SCOPES: Final = ("turns", "runs")
Serve: TypeAlias = Callable[[Plan], Replaying[Outcome]]


class Way(NamedTuple):
    """Turns that move (`routing.CHOICE`), the plan with them on other models, and its replay."""

    moves: pl.DataFrame
    plan: Plan
    outcome: Outcome


class Routes:
    """Ways to route the turns of plans."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._ways: dict[tuple[str, ...], Way] = {}
        self._best_alone: Way | None = None
        self.models: dict[tuple[str, ...], pl.Series] = {}
        """By the scopes whose evidence counts, the model of each logged turn."""
        self.moved_pico: dict[tuple[str, ...], pl.DataFrame] = {}
        """By the same: run_id and moved_pico, what the turns on other models cost there."""

    def moves(
        self, plan: Plan, before: Outcome, scopes: tuple[str, ...] = SCOPES, *, has_breakpoint: bool = False
    ) -> pl.DataFrame:
        """Return the turns of a plan that move, as `routing.CHOICE`."""
        workspace = self.workspace
        if (force := workspace.settings.routing.force) is not None:
            return routing.forced(plan, model_named(force), workspace.sizes)
        return routing.chosen(
            plan, before.turns, workspace.routing_inputs, scopes, has_breakpoint=has_breakpoint
        )

    def alone(self, *scopes: str) -> Replaying[Way]:
        """Return the logged plan, routed by the evidence of some scopes."""
        if scopes not in self._ways:
            plan, logged = self.workspace.plan, self.workspace.logged
            moves = self.moves(plan, logged, scopes)
            self._ways[scopes] = yield from self._way(plan, logged, moves, replay)
            self._note(scopes, self._ways[scopes])
        return self._ways[scopes]

    def best_alone(self) -> Replaying[Way]:
        """Return the logged plan, routed in the way that is cheapest, group by group."""
        if self._best_alone is None:
            workspace = self.workspace
            every = [SCOPES, *((scope,) for scope in SCOPES)]
            tried = every if workspace.settings.routing.force is None else every[:1]
            ways = []
            for scopes in tried:
                ways += [(yield from self.alone(*scopes))]
            self._best_alone = yield from self._best(workspace.plan, workspace.logged, ways, replay)
            self._ways.clear()
            self._note(SCOPES, self._best_alone)
        return self._best_alone

    def _note(self, scopes: tuple[str, ...], way: Way) -> None:
        self.models[scopes] = way.plan.steps["model"]
        moved = way.outcome.turns.filter(way.plan.steps["model"] != self.workspace.plan.steps["model"])
        self.moved_pico[scopes] = moved.group_by("run_id").agg(moved_pico=pl.col("pico_usd").sum())

    def beside(self, plan: Plan, before: Outcome, serve: Serve, *, has_breakpoint: bool) -> Replaying[Way]:
        """Return a plan of other levers, routed as pays best there, or as pays best without them."""
        moves = self.moves(plan, before, has_breakpoint=has_breakpoint)
        ways = [(yield from self._way(plan, before, moves, serve))]
        if self.workspace.settings.routing.force is None:
            others = (yield from self.best_alone()).moves
            if not others.equals(moves):
                ways.append((yield from self._way(plan, before, others, serve)))
        return (yield from self._best(plan, before, ways, serve))

    def _way(self, plan: Plan, before: Outcome, moves: pl.DataFrame, serve: Serve) -> Replaying[Way]:
        if moves.is_empty():
            return Way(moves, plan, before)
        routed = routing.routed(
            plan, moves, self.workspace.sizes, self.workspace.counts, self.workspace.thoughts
        )
        return Way(moves, routed, (yield from serve(routed)))

    def _best(self, plan: Plan, before: Outcome, ways: Sequence[Way], serve: Serve) -> Replaying[Way]:
        """Return the way that moves the turns of each run as the cheapest one does."""
        if self.workspace.settings.routing.force is None:
            ways = [*ways, Way(routing.CHOICE.to_frame(), plan, before)]
        distinct = [way for n, way in enumerate(ways) if not any(way.moves.equals(w.moves) for w in ways[:n])]
        if len(distinct) == 1:
            return distinct[0]
        runs = distinct[0].outcome.runs
        won = runs.select("run_id", way=winners([way.outcome.runs for way in distinct]))
        if won["way"].n_unique() == 1:
            return distinct[int(won["way"][0])]
        each = pl.concat(way.moves.with_columns(way=pl.lit(n, pl.Int64)) for n, way in enumerate(distinct))
        of_run = plan.steps.select("req", "run_id").join(won, on="run_id", maintain_order="left")
        mixed = each.join(of_run, on=["req", "way"], how="semi", maintain_order="left").sort("req")
        return (yield from self._way(plan, before, mixed.select(*routing.CHOICE), serve))


__all__ = ["SCOPES", "Routes", "Way"]
