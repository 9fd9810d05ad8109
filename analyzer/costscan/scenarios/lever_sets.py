"""Every set of levers, replayed jointly: trimmed, then routed, then batched, then cached.

Whether all of a set pays is for `together` to say.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import polars as pl

from costscan.levers import batching, trimming
from costscan.levers.plan import Plan
from costscan.scenarios.costing import cheapest
from costscan.scenarios.route_choice import Routes
from costscan.scenarios.workspace import Outcome, Workspace

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
        """Replay all sets, as many at a time as memory allows: those with the same prompts one by one."""
        on = set(self.levers)
        changes = "trimming" in on and self.trimmed_plan is not self.workspace.plan
        self.workspace.forget_trimming_inputs()
        trims = [False, True] if changes else [False]
        caches = [False, True] if "caching" in on else [False]
        if "routing" in on:
            # What all sets look at must not be worked out by two at a time.
            _ = self.routes.best_alone
        kinds = [(trim, cache) for cache in caches for trim in trims]
        with ThreadPoolExecutor(self.workspace.threads) as pool:
            for some in pool.map(lambda kind: self._family(trim=kind[0], cache=kind[1]), kinds):
                self.runs |= some
        if "trimming" in on and not changes:
            self.runs |= {some | {"trimming"}: runs for some, runs in self.runs.items()}

    def _family(self, *, trim: bool, cache: bool) -> dict[Levers, pl.DataFrame]:
        """Return the costs of the runs as they are, routed, batched, and both."""
        plan = self.trimmed_plan if trim else self.workspace.plan
        some = frozenset(name for name, is_on in (("trimming", trim), ("caching", cache)) if is_on)
        serve = self.workspace.cached if cache else self.workspace.replayed
        served = {frozenset[str](): (plan, serve(plan))}
        if "routing" in self.levers:
            before = served[frozenset()][1]
            way = (
                self.routes.beside(plan, before, serve, has_breakpoint=cache)
                if some
                else self.routes.best_alone
            )
            served[frozenset({"routing"})] = way.plan, way.outcome
        costs = {some | more: outcome.runs for more, (_, outcome) in served.items()}
        if "batching" in self.levers:
            halves = {more: self._batched(*before, serve) for more, before in served.items()}
            costs |= {some | more | {"batching"}: runs for more, runs in halves.items()}
        return costs

    def _batched(self, plan: Plan, before: Outcome, serve: Callable[[Plan], Outcome]) -> pl.DataFrame:
        """Return the costs with batching: half the price of the same tokens, packed where that is cheaper."""
        workspace = self.workspace
        if workspace.unwaited.is_empty():
            return before.runs
        half = self.batched(before.plan)
        ways = [Outcome(half, workspace.costs.repriced(half, before.turns)).runs]
        if not workspace.packs.is_empty():
            ways.append(serve(self.batched(batching.packed(plan, workspace.packs))).runs)
        return cheapest(ways)

    @cached_property
    def trimmed_plan(self) -> Plan:
        """The plan with the parts of trimming that are on, but for those known to change nothing alone."""
        return self.trimmed(
            [part for part in self.workspace.settings.trimming.parts if part not in self.idle]
        )

    def trimmed_by(self, part: str) -> Plan:
        """Return the plan with one part of trimming; it is not kept, only whether it is another one."""
        plan = self.trimmed([part])
        if plan is self.workspace.plan:
            self.idle.add(part)
        return plan

    def trimmed(self, parts: Sequence[str]) -> Plan:
        """Return the plan with some parts of trimming; the same plan where none of them changes anything."""
        workspace = self.workspace
        if not parts:
            return workspace.plan

        def classes(plan: Plan) -> pl.DataFrame:
            token_classes = workspace.analysis.agreement.classes if plan is workspace.plan else plan.classes()
            return token_classes.hstack(workspace.costs.units(plan))

        return trimming.trimmed(workspace.plan, workspace.trimming_inputs, parts, classes)

    def batched(self, plan: Plan) -> Plan:
        """Return the plan with what nobody waits for in batches."""
        return batching.batched(plan, self.workspace.unwaited["run_id"], self.workspace.batch_models)
