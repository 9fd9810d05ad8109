"""What each run would have cost otherwise: every scenario is the logged run, replayed.

What a scenario saves is the difference of two replays, so that what the replay cannot explain of the bill
stays in both. A scenario is never dearer than the bill: where the replay says so, the run stays as it was.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl

from costscan.frames import empty
from costscan.levers import caching
from costscan.levers.plan import Plan
from costscan.scenarios.cost import Costs, cheapest
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
    before = costs.of_classes(x.agreement.classes)
    five, hour = (costs.of_plan(plan.living(ttl)) for ttl in ("5m", "1h"))
    marked = caching.with_breakpoints(plan)
    after = {
        "caching/fix-prefix": costs.of_plan(caching.with_stable_prefix(plan)) if plan.varies else before,
        "caching/breakpoints": costs.of_plan(marked),
        "caching/ttl": _cheaper(costs, plan, five, hour),
        CACHING: _together(costs, plan, marked),
    }
    frames = [billed(costs), *(saved(costs, before, runs, name) for name, runs in after.items())]
    return Priced(pl.concat(frames), lifetimes(costs, plan.steps, five, hour))


def _together(costs: Costs, plan: Plan, marked: Plan) -> pl.DataFrame:
    """Give the costs of the runs with all parts of caching."""
    stable = caching.with_breakpoints(plan, stable=True) if plan.varies else marked
    five, hour = (costs.of_plan(stable.living(ttl)) for ttl in ("5m", "1h"))
    return _cheaper(costs, stable, five, hour)


def _cheaper(costs: Costs, plan: Plan, five: pl.DataFrame, hour: pl.DataFrame) -> pl.DataFrame:
    """Give the costs with the cheaper lifetime: that of each run, or one for all that share a prefix.

    A run may be cheaper with five minutes and yet be the one whose hour saves the others a write.
    """
    both = five.join(hour, on="run_id", suffix="_hour")
    runs = both.filter(pl.col("pico_usd_hour") < pl.col("pico_usd"))["run_id"]
    if runs.is_empty():
        return five
    if len(runs) == both.height:
        return hour
    mixed = costs.of_plan(plan.living("5m").mixed(plan.living("1h"), runs))
    return cheapest([mixed, five, hour])


__all__ = ["Priced", "price_scenarios"]
