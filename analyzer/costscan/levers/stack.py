"""Many plans replayed side by side, in one pass of the simulator."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import polars as pl

from costscan.cache.requests import POSITIONS, REQUESTS
from costscan.cache.simulator import Timeline
from costscan.levers.asks import billed_with, counted
from costscan.levers.plan import Plan


@dataclass(frozen=True)
class Stack:
    """Plans whose caches do not touch: request `req` of the plan `k` of `n` is `req * n + k` here.

    Attributes:
        plans: the plans.
        timeline: what happens to the cache entries of all of them.
    """

    plans: Sequence[Plan]
    timeline: Timeline

    @classmethod
    def of(cls, plans: Sequence[Plan]) -> Self:
        """Put plans side by side."""
        sent = [billed_with(plan.breakpoints.requests, _with_ttls(plan), plan.asks) for plan in plans]
        requests, positions = (
            pl.concat([_numbered(part, schema, k, len(plans)) for k, part in enumerate(parts)])
            for schema, parts in zip((REQUESTS, POSITIONS), zip(*sent, strict=True), strict=True)
        )
        return cls(plans, Timeline.of(*pl.collect_all([requests, positions])))

    def classes(self, *, longest_only: bool = False) -> pl.DataFrame:
        """Replay.

        Args:
            longest_only: a hit refreshes only the entry that is read.

        Returns:
            req, read_tokens, write_1h_tokens, write_5m_tokens, input_tokens of the steps of each plan, one
            plan after another.
        """
        n = len(self.plans)
        billed = self.timeline.billed(longest_only=longest_only).lazy()
        if not all(plan.asks.is_empty() for plan in self.plans):
            billed = counted(billed, n)
        steps = pl.concat(
            plan.steps.lazy().select("req", nth=pl.col("req") * n + k) for k, plan in enumerate(self.plans)
        )
        joined = steps.join(billed, left_on="nth", right_on="req", how="left", maintain_order="left")
        return joined.drop("nth").collect()


def _with_ttls(plan: Plan) -> pl.LazyFrame:
    """Return the positions of a plan with the TTLs that its breakpoints get."""
    positions = plan.breakpoints.positions.lazy()
    if plan.ttls.is_empty():
        return positions
    shared = plan.steps.lazy().select("req", "shared_tokens", "stable_shared_tokens")
    others = plan.ttls.lazy().rename({"ttl_us": "other_us", "prefix_ttl_us": "prefix_us"})
    ends = pl.max_horizontal("shared_tokens", "stable_shared_tokens")
    other = pl.when(pl.col("tokens") <= ends).then("prefix_us").otherwise("other_us")
    ttl_us = pl.when(pl.col("ttl_us").is_not_null()).then(pl.coalesce(other, "ttl_us"))
    joined = positions.join(others.join(shared, on="req"), on="req", how="left", maintain_order="left")
    return joined.with_columns(ttl_us=ttl_us).select(*POSITIONS)


def _numbered(frame: pl.LazyFrame, schema: pl.Schema, k: int, n: int) -> pl.LazyFrame:
    """Return requests or positions of the plan `k` of `n`; what has another domain shares no cache."""
    domain = (pl.struct("domain", k=pl.lit(k)).hash() // 2).cast(pl.Int64)
    apart = {"req": pl.col("req") * n + k, **({"domain": domain} if "domain" in schema else {})}
    return frame.select(*schema).with_columns(**apart) if n > 1 else frame.select(*schema)


__all__ = ["Stack"]
