"""Caching: marks where they pay, the right lifetime, and prefixes that stay as they are.

Marks stand at the end of the tools and the system prompt, and at the end of each prompt that a later turn
extends; with them a turn reads all that the turn before it sent. A value that changes the prefix from turn to
turn moves behind the last mark, with its tokens.
"""

from typing import Final

import polars as pl

from costscan.plan import Plan
from costscan.replay.simulate import LIFETIMES_US

PARTS: Final = ("fix-prefix", "breakpoints", "ttl")
COLUMNS: Final = ("req", "key", "tokens", "ttl_us")


def with_breakpoints(plan: Plan, ttl: str | None = None) -> Plan:
    """Mark the shared prefix and the end of every prompt that is extended.

    Args:
        plan: the plan.
        ttl: the lifetime of all marks; by default that which each run wrote with.
    """
    steps = _with_lifetime(plan.steps, ttl)
    chained = pl.col("is_extended") | pl.col("extends_key").is_not_null()
    unmarked = pl.lit(None, pl.Int64)
    ends = steps.filter(chained).select("req", "key", tokens="prompt_tokens", ttl_us="ttl_us")
    extended = steps.filter(pl.col("extends_key").is_not_null()).select(
        "req", key="extends_key", tokens="extends_tokens", ttl_us=unmarked
    )
    shared = steps.filter(pl.col("shared_tokens") > 0).select(
        "req", key="shared_key", tokens="shared_tokens", ttl_us="ttl_us"
    )
    return plan.marked(pl.concat([ends, extended, shared, _outside(plan)]).select(COLUMNS))


def with_lifetime(plan: Plan, ttl: str) -> Plan:
    """Give all marks of the plan another lifetime; where nothing is marked, nothing changes."""
    marked = pl.col("ttl_us").is_not_null() & (pl.col("req") >= 0)
    return plan.marked(
        plan.marks.with_columns(ttl_us=pl.when(marked).then(LIFETIMES_US[ttl]).otherwise("ttl_us"))
    )


def mixed(plan: Plan, hour: Plan, runs: pl.Series) -> Plan:
    """Give the marks of `hour` to some runs, and those of `plan` to the others."""
    reqs = plan.steps.filter(pl.col("run_id").is_in(runs.implode()))["req"]
    chosen = pl.col("req").is_in(reqs.implode())
    return plan.marked(pl.concat([plan.marks.filter(~chosen), hour.marks.filter(chosen)]))


def _with_lifetime(steps: pl.DataFrame, ttl: str | None) -> pl.DataFrame:
    if ttl is None:
        return steps.with_columns(pl.col("ttl_us").fill_null(LIFETIMES_US["5m"]))
    return steps.with_columns(ttl_us=pl.lit(LIFETIMES_US[ttl], pl.Int64))


def _outside(plan: Plan) -> pl.DataFrame:
    return plan.marks.filter(pl.col("req") < 0).select(COLUMNS)
