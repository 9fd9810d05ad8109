"""Some runs of a plan, worked on apart from the others, which stay what they are.

A lever that goes over contexts again and again has fewer to change each time.
"""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from costscan.levers.plan import Breakpoints, Plan

_FEW = 0.5
"""Plans are taken apart where no more than such a share of their turns is left to be changed."""


def narrowed(plan: Plan, runs: pl.Series) -> tuple[Plan, list[Plan]]:
    """Return a plan with the runs that are still to be changed alone, and the plan of the others.

    Where these are many, the plan stays as it is: to take it apart costs more than to carry them along.

    Args:
        plan: the plan.
        runs: the ids of the runs that are still to be changed.
    """
    mine = plan.steps["run_id"].is_in(runs.implode())
    if mine.sum() > _FEW * plan.steps.height:
        return plan, []
    reqs = plan.steps["req"].filter(mine)
    return _part(plan, reqs, is_in=True), [_part(plan, reqs, is_in=False)]


def rejoined(parts: Sequence[Plan]) -> Plan:
    """Return plans of some runs each as one plan of all of them."""
    first = parts[0]
    if len(parts) == 1:
        return first
    sent = _rejoined([part.breakpoints for part in parts])
    is_same = all(part.stable is part.breakpoints for part in parts)
    return replace(
        first,
        steps=pl.concat([part.steps for part in parts]).sort("req"),
        breakpoints=sent,
        stable=sent if is_same else _rejoined([part.stable for part in parts]),
        ttls=pl.concat([part.ttls for part in parts]),
        asks=pl.concat([part.asks for part in parts]),
        is_repriced=any(part.is_repriced for part in parts),
    )


def _rejoined(parts: Sequence[Breakpoints]) -> Breakpoints:
    return Breakpoints(
        pl.concat([part.requests for part in parts]), pl.concat([part.positions for part in parts])
    )


def _part(plan: Plan, reqs: pl.Series, *, is_in: bool) -> Plan:
    """Return a plan with some requests alone, or without them; those of no turn are with the others."""
    own = pl.col("req").is_in(reqs.implode())
    chosen = own if is_in else ~own

    def of(breakpoints: Breakpoints) -> Breakpoints:
        return Breakpoints(breakpoints.requests.filter(chosen), breakpoints.positions.filter(chosen))

    sent = of(plan.breakpoints)
    return replace(
        plan,
        steps=plan.steps.filter(chosen),
        breakpoints=sent,
        stable=sent if plan.stable is plan.breakpoints else of(plan.stable),
        ttls=plan.ttls.filter(chosen),
        asks=plan.asks.filter(chosen),
    )


__all__ = ["narrowed", "rejoined"]
