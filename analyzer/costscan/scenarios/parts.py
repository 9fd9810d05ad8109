"""The parts of each lever, each alone."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from costscan.levers import batching, caching, routing, trimming
from costscan.scenarios.bench import Bench, Outcome
from costscan.scenarios.sets import Sets

_SCOPES: Final = {"turns": ("turns",), "runs": ("runs",)}


def caching_parts(bench: Bench) -> tuple[Mapping[str, pl.DataFrame], pl.DataFrame, pl.DataFrame]:
    """Give the costs of the runs with each part of caching, and with five minutes and with an hour."""
    plan = bench.plan
    fixed = bench.replayed(caching.with_stable_prefix(plan)) if plan.varies else bench.logged
    five, hour, cheaper = bench.with_lifetimes(plan)
    parts = {
        "caching/fix-prefix": fixed.runs,
        "caching/breakpoints": bench.replayed(caching.with_breakpoints(plan)).runs,
        "caching/ttl": cheaper.runs,
    }
    return parts, five.runs, hour.runs


def other_parts(sets: Sets, levers: Sequence[str]) -> Mapping[str, pl.DataFrame]:
    """Give the costs of the runs with each part of the other levers that are on."""
    out: dict[str, pl.DataFrame] = {}
    bench = sets.bench
    if "trimming" in levers:
        for part in trimming.PARTS:
            out[f"trimming/{part}"] = bench.replayed(sets.trimmed_by(part)).runs
    if "routing" in levers and bench.settings.routing.force is None:
        for part, scopes in _SCOPES.items():
            moved = sets.routed(bench.plan, bench.logged, scopes)
            out[f"routing/{part}"] = bench.replayed(moved).runs if moved else bench.logged.runs
    if "routing" in levers and (effort := bench.settings.routing.effort) is not None:
        out["routing/effort"] = bench.replayed(routing.with_effort(bench.plan, effort)).runs
    if "batching" in levers and bench.unwaited.is_empty():
        out |= dict.fromkeys(("batching/async", "batching/pack-items"), bench.logged.runs)
    elif "batching" in levers:
        halves = batching.batched(bench.plan, bench.unwaited["run_id"], bench.batch_models)
        same = bench.costs.repriced(halves, bench.logged.turns)
        out["batching/async"] = Outcome(halves, same).runs
        out["batching/pack-items"] = bench.replayed(batching.packed(bench.plan, bench.packs)).runs
    return out
