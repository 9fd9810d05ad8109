"""What each run would have cost otherwise: every scenario is the logged run, replayed.

What a scenario saves is the difference of two replays, so that what the replay cannot explain of the bill
stays in both. A scenario is never dearer than the bill: where the replay says so, the run stays as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl

from costscan.frames import empty
from costscan.levers import caching
from costscan.levers.plan import Plan
from costscan.scenarios.cost import Costs
from costscan.scenarios.lifetimes import lifetimes
from costscan.scenarios.saved import billed, saved

if TYPE_CHECKING:
    from costscan.analysis import Analysis

CACHING: Final = "caching"


@dataclass(frozen=True)
class Priced:
    """The `scenarios` and the `lifetimes` frame."""

    scenarios: pl.DataFrame = field(default_factory=lambda: empty("scenarios"))
    lifetimes: pl.DataFrame = field(default_factory=lambda: empty("lifetimes"))


def price_scenarios(x: "Analysis", *, caching_enabled: bool = True) -> Priced:
    """Give as_billed, what each lever and each of its parts would have saved, and the cheaper lifetimes.

    Args:
        x: the analysis.
        caching_enabled: whether caching is to be priced.
    """
    if x.policy.steps.is_empty():
        return Priced()
    costs = Costs.of(x)
    if not caching_enabled:
        return Priced(billed(costs))
    plan = Plan.of(x.policy)
    before = costs.of_plan(plan)
    five, hour = (caching.with_lifetime(plan, ttl) for ttl in ("5m", "1h"))
    at_five, at_hour = costs.of_plan(five), costs.of_plan(hour)
    after = {
        **_parts(plan, costs),
        "caching/ttl": _cheaper(costs, (five, at_five), (hour, at_hour)),
        CACHING: _together(plan, costs),
    }
    frames = [billed(costs), *(saved(costs, before, turns, name) for name, turns in after.items())]
    return Priced(pl.concat(frames), lifetimes(costs, plan.steps, at_five, at_hour))


def _parts(plan: Plan, costs: Costs) -> Mapping[str, pl.DataFrame]:
    stable = caching.with_stable_prefix(plan) if _varies(plan) else plan
    return {
        "caching/fix-prefix": costs.of_plan(stable),
        "caching/breakpoints": costs.of_plan(caching.with_breakpoints(plan)),
    }


def _together(plan: Plan, costs: Costs) -> pl.DataFrame:
    varies = _varies(plan)
    five, hour = (caching.with_breakpoints(plan, ttl, stable=varies) for ttl in ("5m", "1h"))
    return _cheaper(costs, (five, costs.of_plan(five)), (hour, costs.of_plan(hour)))


def _varies(plan: Plan) -> bool:
    changed = plan.steps["key"] != plan.steps["stable_key"]
    return bool(changed.any()) or not plan.marks.equals(plan.stable_marks)


def _cheaper(costs: Costs, five: tuple[Plan, pl.DataFrame], hour: tuple[Plan, pl.DataFrame]) -> pl.DataFrame:
    """Give the costs where each run has the lifetime that is cheaper when all runs have it."""
    both = costs.per_run(five[1]).join(costs.per_run(hour[1]), on="run_id", suffix="_hour")
    runs = both.filter(pl.col("pico_usd_hour") < pl.col("pico_usd"))["run_id"]
    if runs.is_empty():
        return five[1]
    if len(runs) == both.height:
        return hour[1]
    return costs.of_plan(caching.mixed(five[0], hour[0], runs))


__all__ = ["Priced", "price_scenarios"]
