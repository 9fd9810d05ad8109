"""The parts of each lever, each alone."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

import polars as pl

from costscan.levers import batching, caching, routing
from costscan.levers.catalogue import TRIMMING
from costscan.scenarios.lever_sets import Sets
from costscan.scenarios.route_choice import SCOPES
from costscan.scenarios.workspace import Outcome, Workspace

Parts: TypeAlias = "Mapping[str, Callable[[], pl.DataFrame]]"
"""By scenario, what works out the costs of the runs."""


def caching_parts(workspace: Workspace) -> Parts:
    """Return each part of caching."""
    plan = workspace.plan
    return {
        "caching/fix-prefix": lambda: (
            workspace.replayed(caching.with_stable_prefix(plan)).runs
            if plan.varies
            else workspace.logged.runs
        ),
        "caching/breakpoints": lambda: workspace.replayed(caching.with_breakpoints(plan)).runs,
        "caching/ttl": lambda: workspace.ttls[2],
    }


def other_parts(sets: Sets, levers: Sequence[str]) -> Parts:
    """Return each part of the other levers that are on."""
    out: dict[str, Callable[[], pl.DataFrame]] = {}
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
    return out


def _trimmed(sets: Sets, part: str) -> pl.DataFrame:
    return sets.workspace.replayed(sets.trimmed_by(part)).runs


def _routed(sets: Sets, scope: str) -> pl.DataFrame:
    return sets.routes.alone(scope).outcome.runs


def _with_effort(workspace: Workspace, effort: str) -> pl.DataFrame:
    return workspace.replayed(routing.with_effort(workspace.plan, effort)).runs


def _batched(workspace: Workspace) -> pl.DataFrame:
    if workspace.unwaited.is_empty():
        return workspace.logged.runs
    halves = batching.batched(workspace.plan, workspace.unwaited["run_id"], workspace.batch_models)
    return Outcome(halves, workspace.costs.repriced(halves, workspace.logged.turns)).runs


def _packed(workspace: Workspace) -> pl.DataFrame:
    if workspace.unwaited.is_empty():
        return workspace.logged.runs
    return workspace.replayed(batching.packed(workspace.plan, workspace.packs)).runs


__all__ = ["Parts", "caching_parts", "other_parts"]
