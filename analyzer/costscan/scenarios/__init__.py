"""What each run would have cost otherwise: every scenario is the logged run, replayed.

What a scenario saves is the difference of two replays, so that what the replay cannot explain of the bill
stays in both. A scenario is never dearer than the bill: where the replay says so, the run stays as it was.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import polars as pl

from costscan.frames import SCENARIOS
from costscan.levers import caching
from costscan.levers.plan import Plan
from costscan.scenarios.cost import Costs
from costscan.scenarios.saved import billed, saved

if TYPE_CHECKING:
    from costscan.analysis import Analysis

CACHING: Final = "caching"


def price_scenarios(x: "Analysis", *, caching_enabled: bool = True) -> pl.DataFrame:
    """Give the `scenarios` frame: as_billed, and what each lever and each of its parts would have saved.

    Args:
        x: the analysis.
        caching_enabled: whether caching is to be priced.
    """
    if x.policy.steps.is_empty():
        return pl.DataFrame(schema=SCENARIOS)
    costs = Costs.of(x)
    frames = [billed(costs)]
    if caching_enabled:
        before = costs.of_plan(Plan.of(x.policy))
        frames += [saved(costs, before, after, name) for name, after in _caching(x, costs).items()]
    return pl.concat(frames)


def _caching(x: "Analysis", costs: Costs) -> Mapping[str, pl.DataFrame]:
    """Give the costs of the steps under caching and each of its parts."""
    plan = Plan.of(x.policy)
    varies = not plan.marks.equals(plan.stable_marks) or _varies(plan)
    marked = [caching.with_breakpoints(plan, ttl, stable=varies) for ttl in ("5m", "1h")]
    relabelled = [caching.with_lifetime(plan, ttl) for ttl in ("5m", "1h")]
    stable = caching.with_stable_prefix(plan) if varies else plan
    return {
        "caching/fix-prefix": costs.of_plan(stable),
        "caching/breakpoints": costs.of_plan(caching.with_breakpoints(plan)),
        "caching/ttl": _cheaper(costs, *relabelled),
        CACHING: _cheaper(costs, *marked),
    }


def _varies(plan: Plan) -> bool:
    return bool((plan.steps["key"] != plan.steps["stable_key"]).any())


def _cheaper(costs: Costs, five: Plan, hour: Plan) -> pl.DataFrame:
    """Give the costs where each run has the lifetime that is cheaper when all runs have it."""
    of_five, of_hour = costs.of_plan(five), costs.of_plan(hour)
    both = costs.per_run(of_five).join(costs.per_run(of_hour), on="run_id", suffix="_hour")
    runs = both.filter(pl.col("pico_usd_hour") < pl.col("pico_usd"))["run_id"]
    if runs.is_empty():
        return of_five
    if len(runs) == both.height:
        return of_hour
    return costs.of_plan(caching.mixed(five, hour, runs))


__all__ = ["price_scenarios"]
