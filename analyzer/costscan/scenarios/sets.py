"""Every set of levers, replayed jointly: trimmed, then routed, then batched, then cached.

A lever that does not pay for some runs is not taken there, so that a set never costs more than a part of it.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import polars as pl

from costscan.levers import batching, routing, trimming
from costscan.levers.plan import Plan
from costscan.levers.routing.targets import model_named
from costscan.scenarios.bench import Bench, Outcome
from costscan.scenarios.cost import cheapest

Levers = frozenset[str]


def all_sets(levers: Sequence[str]) -> list[Levers]:
    """Give all sets of levers but the empty one, smaller ones first."""
    return [frozenset(some) for n in range(1, len(levers) + 1) for some in combinations(levers, n)]


@dataclass
class Sets:
    """The sets of levers, each replayed once.

    Attributes:
        bench: what they are made from.
        levers: those that are on.
        idle: the parts of trimming that are left out: those that are known to change nothing.
    """

    bench: Bench
    levers: Sequence[str]
    idle: set[str] = field(default_factory=set)
    _runs: dict[Levers, pl.DataFrame] = field(default_factory=dict)
    _best: dict[Levers, pl.DataFrame] = field(default_factory=dict)
    _models: pl.Series | None = None

    @property
    def routed_models(self) -> pl.Series:
        """The model of each turn with routing alone."""
        return self.bench.plan.steps["model"] if self._models is None else self._models

    def best(self, levers: Levers) -> pl.DataFrame:
        """Give the costs of the runs with a set of levers, or with the part of it that is cheaper."""
        if levers not in self._best:
            self._best[levers] = self._cheapest(levers) if levers else self._runs[levers]
        return self._best[levers]

    def _cheapest(self, levers: Levers) -> pl.DataFrame:
        own = self._runs[levers]
        fewer = [levers - {lever} for lever in sorted(levers)]
        for same in fewer:
            if own is self._runs[same]:
                return self.best(same)
        forced = self.bench.settings.routing.force is not None
        fewer = [some for some in fewer if not forced or "routing" not in levers - some]
        return cheapest([own, *(self.best(some) for some in fewer)])

    def replay(self) -> None:
        """Replay all sets, as many at a time as memory allows: those with the same prompts one by one."""
        on = set(self.levers)
        changes = "trimming" in on and self.trimmed_plan is not self.bench.plan
        self.bench.forget_held()
        trims = [False, True] if changes else [False]
        caches = [False, True] if "caching" in on else [False]
        kinds = [(trim, cache) for cache in caches for trim in trims]
        with ThreadPoolExecutor(self.bench.threads) as pool:
            for some in pool.map(lambda kind: self._family(trim=kind[0], cache=kind[1]), kinds):
                self._runs |= some
        if "trimming" in on and not changes:
            self._runs |= {some | {"trimming"}: runs for some, runs in self._runs.items()}

    def _family(self, *, trim: bool, cache: bool) -> dict[Levers, pl.DataFrame]:
        """Give the costs of the runs as they are, routed, batched, and both."""
        plan = self.trimmed_plan if trim else self.bench.plan
        some = frozenset(name for name, is_on in (("trimming", trim), ("caching", cache)) if is_on)
        serve = self.bench.cached if cache else self.bench.replayed
        served = {frozenset[str](): (plan, serve(plan))}
        if "routing" in self.levers:
            moved = self.routed(plan, served[frozenset()][1], is_marked=cache)
            served[frozenset({"routing"})] = (moved, serve(moved)) if moved else served[frozenset()]
            if moved and not some:
                self._models = moved.steps["model"]
        told = {some | more: outcome.runs for more, (_, outcome) in served.items()}
        if "batching" in self.levers:
            halves = {more: self._batched(*before, serve) for more, before in served.items()}
            told |= {some | more | {"batching"}: runs for more, runs in halves.items()}
        return told

    def _batched(self, plan: Plan, before: Outcome, serve: Callable[[Plan], Outcome]) -> pl.DataFrame:
        """Give the costs with batching: half the price of the same tokens, unless items are packed."""
        bench = self.bench
        if bench.unwaited.is_empty():
            return before.runs
        if bench.packs.is_empty():
            half = self.batched(before.plan)
            return Outcome(half, bench.costs.repriced(half, before.turns)).runs
        return serve(self.batched(batching.packed(plan, bench.packs))).runs

    @cached_property
    def trimmed_plan(self) -> Plan:
        """The plan with the parts of trimming that are on, but for those known to change nothing alone."""
        return self.trimmed([part for part in self.bench.settings.trimming.parts if part not in self.idle])

    def trimmed_by(self, part: str) -> Plan:
        """Give the plan with one part of trimming; it is not kept, only whether it is another one."""
        plan = self.trimmed([part])
        if plan is self.bench.plan:
            self.idle.add(part)
        return plan

    def trimmed(self, parts: Sequence[str]) -> Plan:
        """Give the plan with some parts of trimming; the same plan where none of them changes anything."""
        bench = self.bench
        if not parts:
            return bench.plan

        def classes(plan: Plan) -> pl.DataFrame:
            found = bench.x.agreement.classes if plan is bench.plan else plan.classes()
            return found.hstack(bench.costs.units(plan))

        return trimming.trimmed(bench.plan, bench.held, parts, classes)

    def routed(
        self,
        plan: Plan,
        before: Outcome,
        scopes: tuple[str, ...] = ("turns", "runs"),
        *,
        is_marked: bool = False,
    ) -> Plan | None:
        """Give the plan with turns on other models; None where none of them moves."""
        bench = self.bench
        if (force := bench.settings.routing.force) is not None:
            moves = routing.forced(plan, model_named(force), bench.sizes)
        else:
            moves = routing.chosen(plan, before.turns, bench.known, scopes, is_marked=is_marked)
        return routing.routed(plan, moves, bench.sizes, bench.counts) if moves.height else None

    def batched(self, plan: Plan) -> Plan:
        """Give the plan with what nobody waits for in batches."""
        return batching.batched(plan, self.bench.unwaited["run_id"], self.bench.batch_models)
