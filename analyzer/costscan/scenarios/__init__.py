"""What each run would have cost otherwise: every scenario is the logged run, replayed.

What a scenario saves is the difference of two replays, so that what the replay cannot explain of the bill
stays in both. A scenario is never dearer than the bill: where the replay says so, the run stays as it was.
"""

from concurrent.futures import ThreadPoolExecutor
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
_AT_A_TIME: Final = 2
_MOST_AT_ONCE: Final = 150_000
"""Logs of more turns are replayed one plan at a time: each holds what happens to all cache entries."""


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
    # The steps of a replay are too small to be split; two replays at a time take both cores.
    with ThreadPoolExecutor(_AT_A_TIME if plan.steps.height <= _MOST_AT_ONCE else 1) as threads:
        as_marked = threads.submit(_with_lifetimes, costs, plan)
        newly_marked = threads.submit(_with_breakpoints, costs, plan)
        five, hour, cheaper = as_marked.result()
        breakpoints, together = newly_marked.result()
    after = {
        "caching/fix-prefix": costs.of_plan(caching.with_stable_prefix(plan)) if plan.varies else before,
        "caching/breakpoints": breakpoints,
        "caching/ttl": cheaper,
        CACHING: together,
    }
    frames = [billed(costs), *(saved(costs, before, runs, name) for name, runs in after.items())]
    return Priced(pl.concat(frames), lifetimes(costs, plan.steps, five, hour))


def _with_breakpoints(costs: Costs, plan: Plan) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the costs of the runs with other markers alone, and with all parts of caching."""
    marked = caching.with_breakpoints(plan)
    stable = caching.with_breakpoints(plan, stable=True) if plan.varies else marked
    return costs.of_plan(marked), _with_lifetimes(costs, stable)[2]


def _with_lifetimes(costs: Costs, plan: Plan) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Give the costs with five minutes, with an hour, and with the cheaper one.

    That is the cheaper one of each run, or one for all that share a prefix: a run may be cheaper with five
    minutes and yet be the one whose hour saves the others a write.
    """
    five, hour = (costs.of_plan(plan.living(ttl)) for ttl in ("5m", "1h"))
    cheaper = _cheaper(costs, plan, five, hour)
    plan.marks.forget()
    return five, hour, cheaper


def _cheaper(costs: Costs, plan: Plan, five: pl.DataFrame, hour: pl.DataFrame) -> pl.DataFrame:
    both = five.join(hour, on="run_id", suffix="_hour")
    runs = both.filter(pl.col("pico_usd_hour") < pl.col("pico_usd"))["run_id"]
    if runs.is_empty():
        return five
    if len(runs) == both.height:
        return hour
    mixed = costs.of_plan(plan.living("5m").mixed(plan.living("1h"), runs))
    return cheapest([mixed, five, hour])


__all__ = ["Priced", "price_scenarios"]
