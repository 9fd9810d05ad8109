"""Every set of levers, replayed jointly: trimmed, then routed, then batched, then cached.

Whether all of a set pays is for `together` to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import polars as pl

from costscan.levers import batching, trimming
from costscan.levers.plan import Plan
from costscan.levers.replaying import Outcome, Replaying, ready, replay, together
from costscan.levers.routing.ways import MOVES
from costscan.scenarios.costing import cheapest
from costscan.scenarios.route_choice import Routes, Serve, Served
from costscan.scenarios.workspace import Workspace

Levers = frozenset[str]


def all_sets(levers: Sequence[str]) -> list[Levers]:
    """Return all sets of levers but the empty one, smaller ones first."""
    return [frozenset(some) for n in range(1, len(levers) + 1) for some in combinations(levers, n)]


@dataclass
class Sets:
    """The sets of levers, each replayed once.

    Attributes:
        workspace: what they are made from.
        levers: those that are on.
        routes: the ways to route turns.
        idle: the parts of trimming that are left out: those that are known to change nothing.
        runs: by set, the costs of the runs with all its levers, whether that pays or not.
    """

    workspace: Workspace
    levers: Sequence[str]
    routes: Routes
    idle: set[str] = field(default_factory=set)
    runs: dict[Levers, pl.DataFrame] = field(default_factory=dict)

    def replay(self) -> None:
        """Replay all sets, as many at a time as memory allows."""
        workspace, on = self.workspace, set(self.levers)
        plan = workspace.plan
        trimmed = workspace.done([self._trimmed_plan()])[0] if "trimming" in on else plan
        workspace.forget_trimming_inputs()
        plans = {frozenset[str](): plan} | ({frozenset({"trimming"}): trimmed} if trimmed is not plan else {})
        if "routing" in on:
            # All sets look at it.
            workspace.done([self.routes.best_alone()])
        caches = [False, True] if "caching" in on else [False]
        families = [self._family(some, plan, cache=cache) for cache in caches for some, plan in plans.items()]
        for family in workspace.done(families):
            self.runs |= family
        if "trimming" in on and trimmed is plan:
            self.runs |= {some | {"trimming"}: runs for some, runs in self.runs.items()}

    def _family(self, some: Levers, plan: Plan, *, cache: bool) -> Replaying[dict[Levers, pl.DataFrame]]:
        """Return the costs of the runs as they are, routed, batched, and both."""
        some |= {"caching"} if cache else set()
        serve = self.workspace.cached if cache else replay
        routing = frozenset({"routing"})
        ways = {frozenset[str](): self._ways(MOVES.to_frame(), plan, [serve(plan)], serve)}
        if "routing" in self.levers and not some:
            best = yield from self.routes.best_alone()
            known = [ready(one) for one in (best.outcome, best.attempts) if one]
            ways[routing] = self._ways(best.moves, best.plan, known, serve)
        elif "routing" in self.levers and (moves := (yield from self.routes.beside(plan))).height:
            plans = self.routes.routed(plan, moves)
            ways[routing] = self._ways(moves, plans[0], [serve(one) for one in plans], serve)
        done = dict(zip(ways, (yield from together(list(ways.values()), plan.steps.height)), strict=True))
        if "routing" in self.levers:
            done.setdefault(routing, done[frozenset()])
        return {some | way | more: runs for way, found in done.items() for more, runs in found.items()}

    def _ways(
        self, moves: pl.DataFrame, plan: Plan, works: Sequence[Replaying[Outcome]], serve: Serve
    ) -> Replaying[dict[Levers, pl.DataFrame]]:
        """Return the costs of a plan with some moves, as it is and batched.

        Args:
            moves: as `routing.MOVES`.
            plan: the plan with them, before other levers.
            works: what gives its outcome and, where some moves are wrong, that of a plan with all of them.
            serve: replays with the other levers.
        """
        packed = []
        if "batching" in self.levers and not self.workspace.packs.is_empty():
            packed.append(serve(self.batched(batching.packed(plan, self.workspace.packs))))
        outcomes = yield from together([*works, *packed], plan.steps.height)
        way = Served(moves, plan, *outcomes[: len(works)])
        costs = {frozenset[str](): way.runs}
        if "batching" in self.levers:
            costs[frozenset({"batching"})] = self._batched(way, outcomes[len(works) :])
        return costs

    def _batched(self, way: Served, packed: Sequence[Outcome]) -> pl.DataFrame:
        """Return the costs with batching: half the price of the same tokens, packed where that is cheaper."""
        if self.workspace.unwaited.is_empty():
            return way.runs
        attempts = way.attempts and self._halved(way.attempts)
        ways = [self._halved(way.outcome), *packed]
        return cheapest([way.with_attempts(one.runs, attempts) for one in ways])

    def _halved(self, outcome: Outcome) -> Outcome:
        return self.workspace.repriced(self.batched(outcome.plan), outcome)

    def _trimmed_plan(self) -> Replaying[Plan]:
        """Return the plan with the parts of trimming that are on and change anything alone."""
        parts = self.workspace.settings.trimming.parts
        return self.trimmed([part for part in parts if part not in self.idle])

    def trimmed_by(self, part: str) -> Replaying[Plan]:
        """Return the plan with one part of trimming; it is not kept, only whether it is another one."""
        plan = yield from self.trimmed([part])
        if plan is self.workspace.plan:
            self.idle.add(part)
        return plan

    def trimmed(self, parts: Sequence[str]) -> Replaying[Plan]:
        """Return the plan with some parts of trimming; the same plan where none of them changes anything."""
        return trimming.trimmed(self.workspace.plan, self.workspace.trimming_inputs, parts)

    def batched(self, plan: Plan) -> Plan:
        """Return the plan with what nobody waits for in batches."""
        return batching.batched(plan, self.workspace.unwaited["run_id"], self.workspace.batch_models)
