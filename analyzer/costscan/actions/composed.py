"""The runs with some settings made: trimmed, then routed, then batched, then cached."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TypeVar

import polars as pl

from costscan.actions import setting as kinds
from costscan.actions.escalations import with_escalations
from costscan.actions.setting import Setting
from costscan.levers import batching, caching
from costscan.levers.caching import TTL_WAYS
from costscan.levers.plan import Breakpoints, Plan
from costscan.levers.replaying import SEVERAL_TURNS, Outcome, Replaying, replay, together
from costscan.levers.routing.ways import MOVES
from costscan.levers.trimming import Made, trimmed_as
from costscan.scenarios.route_choice import Routes, Served
from costscan.scenarios.workspace import Workspace

T = TypeVar("T")
_CAPS = pl.Schema({"tool": pl.String, "cap_tokens": pl.Int64})


class Composer:
    """Plans with some settings; what two sets of settings have in common is worked out once.

    `routes` is the frame of the calls that routing gives to other models.
    """

    def __init__(self, workspace: Workspace, routes: pl.DataFrame) -> None:
        self.workspace = workspace
        self._calls = routes
        self._known: dict[frozenset[Setting], pl.DataFrame] = {}
        self._trimmed_plans: dict[frozenset[Setting], Plan] = {}
        self._routed_plans: dict[frozenset[Setting], list[Plan]] = {}

    def runs_with(self, settings: Sequence[Setting]) -> Replaying[pl.DataFrame]:
        """Return the costs of the logged runs with some settings; those of the same ones are known then."""
        same = frozenset(settings)
        if same not in self._known:
            self._known[same] = (yield from self.outcome_of(settings)).runs
        return self._known[same]

    def outcome_of(self, settings: Sequence[Setting]) -> Replaying[Outcome]:
        """Replay the logged runs with some settings."""
        trims = frozenset(one for one in settings if one.part.startswith("trimming/"))
        routes = frozenset(one for one in settings if one.part in kinds.ROUTES)
        plan = self._remembered(self._trimmed_plans, trims, lambda: self._trimmed(settings))

        def serve(plan: Plan) -> Replaying[Outcome]:
            return replay(_cached(_batched(self.workspace, plan, settings), settings))

        moves = self._moves(plan, routes)
        if moves.is_empty():
            return (yield from serve(plan))
        plans = self._remembered(
            self._routed_plans, trims | routes, lambda: Routes(self.workspace).routed(plan, moves)
        )
        measured = {run: one.measured for one in routes if one.measured for run in one.runs}
        stays = [serve(plan)] if measured else []
        outcomes = yield from together([*map(serve, plans), *stays], plan.steps.height)
        served = Served(moves, plans[0], *outcomes[: len(plans)])
        return with_escalations(served, outcomes[-1], measured) if measured else served.total

    def _remembered(
        self, made: dict[frozenset[Setting], T], some: frozenset[Setting], make: Callable[[], T]
    ) -> T:
        """Return what was made of the same settings, else make it; of a big log only the last is held."""
        if some not in made:
            if self.workspace.plan.steps.height > SEVERAL_TURNS:
                made.clear()
            made[some] = make()
        return made[some]

    def _moves(self, plan: Plan, routes: Collection[Setting]) -> pl.DataFrame:
        """Return the calls that some settings give to other models, as `routing.MOVES`.

        Where a trial measured how many of them are made again, the log does not say which.
        """
        runs = {run for one in routes for run in one.runs}
        measured = [run for one in routes if one.measured for run in one.runs]
        is_open = pl.col("is_wrong") & ~pl.col("run_id").is_in(measured)
        some = self._calls.filter(pl.col("run_id").is_in(list(runs))).with_columns(is_wrong=is_open)
        steps = plan.steps.select("req", "run_id", "turn")
        return steps.join(some, on=["run_id", "turn"], how="inner", maintain_order="left").select(*MOVES)

    def _trimmed(self, settings: Sequence[Setting]) -> Plan:
        return trimmed_as(self.workspace.plan, self.workspace.trimming_inputs, _trims(settings))


def _trims(settings: Sequence[Setting]) -> Made:
    caps = [(one.tool, int(one.value or 0)) for one in settings if one.part == kinds.CAP]
    runs: dict[str, set[str]] = {}
    thresholds: dict[str, dict[str, int]] = {}
    for one in settings:
        lever, _, part = one.part.partition("/")
        if one.part in {kinds.CLEAR, kinds.COMPACT}:
            thresholds.setdefault(part, {}).update(dict.fromkeys(one.runs, int(one.value or 0)))
        elif lever == "trimming" and one.part != kinds.CAP:
            runs.setdefault(part, set()).update(one.runs)
    return Made(pl.DataFrame(caps, schema=_CAPS, orient="row"), runs, thresholds)


def _batched(workspace: Workspace, plan: Plan, settings: Sequence[Setting]) -> Plan:
    packed = _runs(settings, kinds.PACK)
    if packed:
        plan = batching.packed(plan, workspace.packs.filter(pl.col("run_id").is_in(packed)))
    runs = _runs(settings, kinds.ASYNC)
    return batching.batched(plan, pl.Series(runs, dtype=pl.String), workspace.batch_models) if runs else plan


def _cached(plan: Plan, settings: Sequence[Setting]) -> Plan:
    fixed, marked = (set(_runs(settings, part)) for part in (kinds.FIX_PREFIX, kinds.BREAKPOINTS))
    sent = plan
    if fixed - marked:
        sent = _mixed(sent, caching.with_stable_prefix(plan), fixed - marked)
    for runs, is_fixed in ((marked - fixed, False), (marked & fixed, True)):
        if runs:
            sent = _mixed(sent, caching.with_breakpoints(plan, stable=is_fixed), runs)
    ttls = {run: one.value for one in settings if one.part == kinds.TTL for run in one.runs}
    return _with_ttls(sent, ttls)


def _mixed(plan: Plan, other: Plan, runs: set[str]) -> Plan:
    """Return a plan in which some runs mark what they mark in another one."""
    reqs = pl.col("req").is_in(_reqs(plan, runs))
    mine = plan.breakpoints.positions.filter(~reqs)
    theirs = other.breakpoints.positions.filter(reqs | (pl.col("req") < 0)).select(mine.columns)
    positions = pl.concat([mine, theirs]).unique(maintain_order=True)
    return replace(plan, breakpoints=Breakpoints(other.breakpoints.requests, positions))


def _with_ttls(plan: Plan, ttls: dict[str, str | None]) -> Plan:
    if not ttls:
        return plan
    names = list(TTL_WAYS)
    ways = [plan.with_ttl(behind, prefix) for prefix, behind in TTL_WAYS.values()]
    rows = [(run, names.index(str(name))) for run, name in ttls.items()]
    runs = pl.DataFrame(rows, schema={"run_id": pl.String, "way": pl.Int64}, orient="row")
    return plan.mixed(ways, runs)


def _runs(settings: Sequence[Setting], part: str) -> list[str]:
    return sorted({run for one in settings if one.part == part for run in one.runs})


def _reqs(plan: Plan, runs: frozenset[str] | set[str]) -> list[int]:
    return plan.steps.filter(pl.col("run_id").is_in(list(runs)))["req"].to_list()


__all__ = ["Composer"]
