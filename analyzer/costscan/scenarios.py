"""What each run would have cost otherwise: every scenario is the logged run, replayed.

A scenario is never dearer than the bill: where the replay says so, the run stays as it was. What it saves is
the difference of two replays, so that what the replay cannot explain of the bill stays in both.
"""

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from costscan.analysis import Analysis
from costscan.frames import USD
from costscan.levers import caching
from costscan.plan import Plan

CACHING: Final = "caching"
_COLUMNS: Final[Mapping[str, Any]] = {
    "run_id": pl.String,
    "scenario": pl.String,
    "usd": USD,
    "saved_usd": USD,
}
SCENARIOS: Final = pl.Schema(_COLUMNS)


def price_scenarios(x: Analysis) -> pl.DataFrame:
    """Give, per run and scenario: usd and saved_usd; null where a price of the run is unknown."""
    plan = Plan.of(x)
    if plan.steps.is_empty():
        return pl.DataFrame(schema=SCENARIOS)
    as_it_was = _per_run(plan)
    plans = _caching(plan)
    return pl.concat([_saved(plan, as_it_was, _per_run(other), name) for name, other in plans.items()])


def _caching(plan: Plan) -> Mapping[str, Plan]:
    marked = caching.with_breakpoints(plan)
    return {
        "caching/breakpoints": marked,
        "caching/ttl": _cheaper(plan, caching.with_lifetime(plan, "5m"), caching.with_lifetime(plan, "1h")),
        CACHING: _cheaper(plan, caching.with_breakpoints(plan, "5m"), caching.with_breakpoints(plan, "1h")),
    }


def _cheaper(plan: Plan, five: Plan, hour: Plan) -> Plan:
    """Choose for each run the lifetime that is cheaper when all runs have it."""
    both = _per_run(five).join(_per_run(hour), on="run_id", suffix="_hour")
    runs = both.filter(pl.col("usd_hour") < pl.col("usd"))["run_id"]
    return caching.mixed(five, hour, runs) if plan.steps.height else plan


def _per_run(plan: Plan) -> pl.DataFrame:
    """Replay a plan and sum the cost of each run; null where one of its turns has no price."""
    costs = plan.steps.select("run_id").with_columns(usd=plan.usd())
    whole = pl.when(pl.col("usd").null_count() == 0).then(pl.col("usd").sum())
    return costs.group_by("run_id", maintain_order=True).agg(usd=whole)


def _saved(plan: Plan, before: pl.DataFrame, after: pl.DataFrame, name: str) -> pl.DataFrame:
    billed = plan.steps.group_by("run_id", maintain_order=True).agg(
        billed=pl.when(pl.col("usd").null_count() == 0).then(pl.col("usd").sum())
    )
    both = billed.join(before, on="run_id").join(after, on="run_id", suffix="_after")
    zero = pl.lit(0).cast(USD)
    saved = pl.max_horizontal(pl.col("usd") - pl.col("usd_after"), zero)
    saved = pl.when(pl.col("billed").is_not_null()).then(pl.min_horizontal(saved, "billed"))
    return both.select(
        "run_id",
        scenario=pl.lit(name),
        usd=(pl.col("billed") - saved).cast(USD),
        saved_usd=saved.cast(USD),
    )
