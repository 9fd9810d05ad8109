"""The parts of each lever, each alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import polars as pl

from costscan.levers import batching, caching, routing
from costscan.levers.catalogue import TRIMMING
from costscan.levers.explicit_cache import EXPLICIT_CACHE, explicitly_cached
from costscan.levers.plan import Plan
from costscan.levers.replaying import Outcome, Replaying, ready, replay
from costscan.scenarios.lever_sets import Sets
from costscan.scenarios.route_choice import SCOPES
from costscan.scenarios.workspace import Workspace

Parts: TypeAlias = dict[str, Callable[[], Replaying[Sequence[Outcome]]]]
"""By scenario, what works out the ways that were tried; the last one is its outcome."""


def caching_parts(workspace: Workspace) -> Parts:
    """Return each part of caching; that of the TTL has the ways of `Workspace.with_ttls`."""
    plan = workspace.plan
    return {
        "caching/fix-prefix": partial(
            _replayed, lambda: caching.with_stable_prefix(plan) if plan.varies else plan
        ),
        "caching/breakpoints": partial(_replayed, partial(caching.with_breakpoints, plan)),
        caching.TTL: partial(workspace.with_ttls, plan),
        EXPLICIT_CACHE: partial(_explicit, workspace),
    }


def other_parts(sets: Sets, levers: Sequence[str]) -> Parts:
    """Return each part of the other levers that are on."""
    out: dict[str, Callable[[], Replaying[Outcome]]] = {}
    settings = sets.workspace.settings
    if "trimming" in levers:
        out |= {f"trimming/{part}": partial(_trimmed, sets, part) for part in TRIMMING.part_names}
    if "routing" in levers and settings.routing.force is None:
        out |= {f"routing/{scope}": partial(_routed, sets, scope) for scope in SCOPES}
    if "routing" in levers and (effort := settings.routing.effort) is not None:
        out["routing/effort"] = partial(_with_effort, sets.workspace, effort)
    if "batching" in levers:
        out["batching/async"] = partial(_batched, sets.workspace)
        out["batching/pack-items"] = partial(_packed, sets.workspace)
    return {name: partial(_alone, make) for name, make in out.items()}


def told(
    workspace: Workspace, make: Callable[[], Replaying[Sequence[Outcome]]]
) -> Replaying[Sequence[Outcome]]:
    """Return what is told of a part: the sums of its outcomes. Turns are held as long as they are needed."""
    outcomes = yield from make()
    return [one if one is workspace.logged else one.summed for one in outcomes]


def _explicit(workspace: Workspace) -> Replaying[Sequence[Outcome]]:
    """Return what happened, and what it would have cost with a cache that clients make."""
    logged = workspace.logged
    if not workspace.is_billed_only:
        return ready([logged])
    storage = workspace.settings.caching.storage_usd_per_mtok_hour
    saved = explicitly_cached(workspace.plan, logged.turns, storage)
    runs = logged.runs.join(saved, on="run_id", how="left", maintain_order="left")
    cost = ((pl.col(name) - pl.col("saved_pico")).alias(name) for name in ("pico_usd", "known_pico_usd"))
    return ready([logged, replace(logged, runs=runs.with_columns(cost).select(logged.runs.columns))])


def _alone(make: Callable[[], Replaying[Outcome]]) -> Replaying[Sequence[Outcome]]:
    return [(yield from make())]


def _replayed(make: Callable[[], Plan]) -> Replaying[Sequence[Outcome]]:
    return (yield [make()])


def _trimmed(sets: Sets, part: str) -> Replaying[Outcome]:
    plan = yield from sets.trimmed_by(part)
    return (yield from replay(plan))


def _routed(sets: Sets, scope: str) -> Replaying[Outcome]:
    return (yield from sets.routes.best_alone((scope,))).total


def _with_effort(workspace: Workspace, effort: str) -> Replaying[Outcome]:
    return replay(routing.with_effort(workspace.plan, effort))


def _batched(workspace: Workspace) -> Replaying[Outcome]:
    if workspace.unwaited.is_empty():
        return ready(workspace.logged)
    halves = batching.batched(workspace.plan, workspace.unwaited["run_id"], workspace.batch_models)
    return ready(workspace.repriced(halves, workspace.logged))


def _packed(workspace: Workspace) -> Replaying[Outcome]:
    is_empty = workspace.unwaited.is_empty()
    return replay(workspace.plan if is_empty else batching.packed(workspace.plan, workspace.packs))


__all__ = ["Parts", "caching_parts", "other_parts", "told"]
