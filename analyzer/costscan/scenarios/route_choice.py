"""Routing, replayed: each way alone, and of each group the one that is cheapest, if any.

A call whose answer shows that the smaller model would not have been enough is made twice. What it costs there
is from a replay in which all calls of the way go there; what it costs on its own model, from one in which it
stays. As models share no cache, the two together are what happens.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Final, Self, TypeAlias

import polars as pl

from costscan.levers import routing
from costscan.levers.plan import Plan
from costscan.levers.replaying import Outcome, Replaying, replay, together, tried
from costscan.levers.routing.candidates import model_named
from costscan.scenarios.costing import CLASSES, Costs
from costscan.scenarios.uncertainty import SPREADS
from costscan.scenarios.workspace import Workspace

SCOPES: Final = (routing.TURNS, routing.RUNS)
Serve: TypeAlias = Callable[[Plan], Replaying[Outcome]]
_SUMS: Final = ("pico_usd", *CLASSES, *SPREADS)


@dataclass(frozen=True)
class Served:
    """A plan of which some calls went to other models.

    Attributes:
        moves: as `routing.MOVES`.
        plan: the plan with the calls that the other models were enough for, before other levers.
        outcome: its outcome with them.
        attempts: that of the plan with all of them: the others are paid, too. None where there are none.
    """

    moves: pl.DataFrame
    plan: Plan
    outcome: Outcome
    attempts: Outcome | None = None

    @property
    def total(self) -> Outcome:
        """The outcome, the runs of which pay for the attempts, too."""
        return replace(self.outcome, runs=self.runs) if self.attempts else self.outcome

    @cached_property
    def runs(self) -> pl.DataFrame:
        """The costs of the runs with all attempts."""
        return self.with_attempts(self.outcome.runs, self.attempts)

    def with_attempts(self, runs: pl.DataFrame, attempts: Outcome | None) -> pl.DataFrame:
        """Return the costs of runs with what attempts cost.

        Args:
            runs: the costs without them.
            attempts: all calls that moved; only those that are wrong count.
        """
        if attempts is None:
            return runs
        of_attempts = _costs_of(attempts, self.moves.filter("is_wrong"))
        names = (*_SUMS, "known_pico_usd")
        return runs.with_columns(pl.col(name) + of_attempts[name] for name in names)

    def attempt_costs(self, outcome: Outcome) -> pl.DataFrame:
        """Return what all calls that moved, and are not known to be wrong, cost there, by run."""
        return _costs_of(outcome, self.moves.filter(~pl.col("is_wrong")))

    @property
    def moved_pico(self) -> pl.DataFrame:
        """What the calls on other models cost there: run_id and moved_pico."""
        reqs = self.moves["req"].implode()
        turns = (self.attempts or self.outcome).turns
        moved = turns.filter(self.plan.steps["req"].is_in(reqs))
        return moved.group_by("run_id").agg(moved_pico=pl.col("pico_usd").sum())

    def choosing(self, part: str, ways: Sequence[Self], names: Sequence[str], before: Outcome) -> Self:
        """Return this with what a part of routing was set to, and what it was chosen from."""
        runs = self.plan.steps.select("req", "run_id").join(self.moves, on="req", how="inner")
        choice = runs.group_by("run_id").agg(setting=pl.col("to_model").mode().sort().first())
        plan = self.outcome.plan.choosing(
            part, choice, tried([one.runs for one in (before, *(way.total for way in ways))], names)
        )
        return replace(self, outcome=replace(self.outcome, plan=plan))


def _costs_of(outcome: Outcome, moves: pl.DataFrame) -> pl.DataFrame:
    """Return what some calls cost, by run, as `Costs.per_run`."""
    some = outcome.plan.steps["req"].is_in(moves["req"].implode())
    none_else = [pl.when(some).then(name).otherwise(0).alias(name) for name in _SUMS]
    return Costs.per_run(outcome.turns.with_columns(none_else))


def served_as(moves: pl.DataFrame, plans: Sequence[Plan], serve: Serve) -> Replaying[Served]:
    """Return plans that `Routes.routed` made, served."""
    served = yield from together([serve(plan) for plan in plans], plans[0].steps.height)
    return Served(moves, plans[0], *served)


class Routes:
    """Ways to route the calls of plans.

    Attributes:
        workspace: what they are made from.
        alone: by the scopes whose evidence counts, the logged plan routed as is cheapest.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.alone: dict[tuple[str, ...], Served] = {}
        self._ways: dict[str, Served] = {}

    def best_alone(self, scopes: tuple[str, ...] = SCOPES) -> Replaying[Served]:
        """Return the logged plan, routed as is cheapest by the evidence of some scopes."""
        if scopes not in self.alone:
            force = self.workspace.settings.routing.force
            if force is None:
                self.alone[scopes] = yield from self._cheapest(scopes)
            else:
                plan = self.workspace.plan
                moves = self.moves_to(plan, force)
                self.alone[scopes] = yield from self.served(self.workspace.logged, plan, moves, replay)
        return self.alone[scopes]

    def moves_to(self, plan: Plan, model: str) -> pl.DataFrame:
        """Return the moves of all calls of a plan to a model."""
        return routing.forced(plan, model_named(model), self.workspace.sizes)

    def beside(self, sent: Plan) -> Replaying[pl.DataFrame]:
        """Return the moves of a plan of other levers: those that are cheapest without them.

        Args:
            sent: the plan, before them.
        """
        force = self.workspace.settings.routing.force
        return self.moves_to(sent, force) if force else (yield from self.best_alone()).moves

    def served(self, before: Outcome, sent: Plan, moves: pl.DataFrame, serve: Serve) -> Replaying[Served]:
        """Return a plan with some moves.

        Args:
            before: its outcome with other levers, and without them.
            sent: the plan, before other levers.
            moves: as `routing.MOVES`.
            serve: replays it with other levers.
        """
        if moves.is_empty():
            return Served(moves, sent, before)
        return (yield from served_as(moves, self.routed(sent, moves), serve))

    def routed(self, plan: Plan, moves: pl.DataFrame) -> list[Plan]:
        """Return a plan without the moves that are wrong and, where there are such, one with all moves."""
        ws = self.workspace
        right = moves.filter(~pl.col("is_wrong"))
        parts = [right] if right.height == moves.height else [right, moves]
        return [routing.routed(plan, some, ws.sizes, ws.counts, ws.thoughts) for some in parts]

    def _cheapest(self, scopes: tuple[str, ...]) -> Replaying[Served]:
        """Return the logged plan with the way of each group that is cheapest, where that saves enough."""
        workspace = self.workspace
        logged = workspace.logged
        ways = [way for way in workspace.ways if way.scope in scopes]
        served = yield from self._each(ways)
        moves = self.of_winners([one.runs for one in served], [way.moves for way in ways])
        same = next((one for one in served if one.moves.equals(moves)), None)
        best = same or (yield from self.served(logged, workspace.plan, moves, replay))
        if len(scopes) > 1 or best.moves.is_empty():
            return best
        names = [way.name for way in ways]
        return best.choosing(f"routing/{scopes[0]}", served, names, logged)

    def _each(self, ways: Sequence[routing.Way]) -> Replaying[list[Served]]:
        """Return the logged plan with each of some ways."""
        new = [way for way in ways if way.name not in self._ways]
        routed = [self.routed(self.workspace.plan, way.moves) for way in new]
        outcomes = iter((yield [plan for plans in routed for plan in plans]))
        for way, plans in zip(new, routed, strict=True):
            self._ways[way.name] = Served(way.moves, plans[0], *islice(outcomes, len(plans)))
        return [self._ways[way.name] for way in ways]

    def of_winners(self, runs: Sequence[pl.DataFrame], moves: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """Return the moves of the cheapest way of each group; none where it saves little of it."""
        before = self.workspace.logged.runs
        costs = [each["known_pico_usd"].alias(str(n)) for n, each in enumerate([before, *runs])]
        sums = pl.DataFrame([before["group"], *costs]).select(pl.all().exclude("group").sum().over("group"))
        enough = pl.col("0") * (1 - routing.LEAST_SHARE)
        worth = pl.concat_list(pl.when(pl.col(c.name) <= enough).then(c.name) for c in costs)
        won = before.select("run_id").with_columns(way=sums.select(worth.list.arg_min()).to_series())
        each = [some.with_columns(way=pl.lit(n, pl.UInt32)) for n, some in enumerate(moves, 1)]
        if not each:
            return routing.MOVES.to_frame()
        of_run = self.workspace.plan.steps.select("req", "run_id").join(won, on="run_id", how="left")
        kept = pl.concat(each).join(of_run, on=["req", "way"], how="semi", maintain_order="left")
        return kept.sort("req").select(*routing.MOVES)


__all__ = ["SCOPES", "Routes", "Serve", "Served", "served_as"]
