"""Caching: breakpoints where they pay, the right TTL, and prefixes that stay as they are.

Breakpoints stand at the end of the tools and the system prompt and, where later turns extend the prompts of a
task and agent type, at the end of each of them. Where more blocks came in than one looks back over, one more
stands between, so that a turn always finds the prompt it extends: the last one that its own model was sent,
also where turns of other models lie between. With them a turn reads all of that. A value that changes the
prefix from turn to turn moves behind the last breakpoint, with its tokens.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import polars as pl

from costscan.cache_policy import LONG, SHORT, SHORT_US
from costscan.levers.extended_prompts import back_home, is_extended
from costscan.levers.plan import MARKS, Plan, beside

TTL: Final = "caching/ttl"
TTL_WAYS: Final[Mapping[str, tuple[str, str]]] = {
    SHORT: (SHORT, SHORT),
    LONG: (LONG, LONG),
    "1h prefix": (LONG, SHORT),
}
"""By name, the TTLs of tools and system prompt, and of what follows: what a client may be set to."""


def with_stable_prefix(plan: Plan) -> Plan:
    """Move the values that vary behind the last mark, and keep the order of tools and keys."""
    return replace(plan, breakpoints=plan.stable)


def with_breakpoints(plan: Plan, *, stable: bool = False) -> Plan:
    """Mark the shared prefix and the end of every prompt that is extended, with the TTLs of its client.

    Args:
        plan: the plan.
        stable: the values that vary have moved behind the last mark.
    """
    own = back_home(beside(plan.steps, _ttls(plan)), "stable_" if stable else "")
    steps = _as_sent(own, stable=stable)
    ends = steps.filter(is_extended(steps, plan.groups)).select(
        "req", "key", tokens="last_tokens", ttl_us="end_ttl_us"
    )
    extended = steps.filter(pl.col("extends_key").is_not_null()).select(
        "req", key="extends_key", tokens="extends_tokens", ttl_us=pl.lit(None, pl.Int64)
    )
    shared = steps.filter(pl.col("shared_tokens") > 0).select(
        "req", key="shared_key", tokens="shared_tokens", ttl_us="shared_ttl_us"
    )
    sent = with_stable_prefix(plan) if stable else plan
    return sent.marked(pl.concat([frame.select(MARKS) for frame in (ends, extended, shared)]))


def _ttls(plan: Plan) -> pl.DataFrame:
    """Return req, shared_ttl_us and end_ttl_us: how long the client lets the prefix live, and what follows.

    That is what the breakpoints of the prompt say, or those of other prompts of its run; where there is
    none, and in transcripts, which show none, what was written.
    """
    own = plan.steps.select("req", "run_id", "shared_tokens", "ttl_us")
    breakpoints = plan.breakpoints.positions.filter(pl.col("ttl_us").is_not_null()).select(
        "req", "tokens", own_ttl_us="ttl_us"
    )
    both = breakpoints.join(own, on="req", how="inner")
    inside = pl.col("tokens") <= pl.col("shared_tokens")
    by_request = both.group_by("req").agg(
        shared_ttl_us=pl.col("own_ttl_us").filter(inside).max(),
        end_ttl_us=pl.col("own_ttl_us").filter(~inside).max(),
    )
    written = pl.col("ttl_us").fill_null(SHORT_US)
    ttls = own.join(by_request, on="req", how="left", maintain_order="left").select(
        "req",
        *(
            pl.coalesce(name, pl.col(name).max().over("run_id"), written)
            for name in ("shared_ttl_us", "end_ttl_us")
        ),
    )
    # The longer TTL has to stand first.
    return ttls.with_columns(end_ttl_us=pl.min_horizontal("end_ttl_us", "shared_ttl_us"))


def _as_sent(steps: pl.DataFrame, *, stable: bool) -> pl.DataFrame:
    """Return what is marked of each prompt: as it was sent, or without the values that vary."""
    if not stable:
        return steps.with_columns(last_tokens=pl.col("prompt_tokens"))
    names = ("key", "extends_key", "extends_tokens", "shared_key", "shared_tokens")
    return steps.with_columns(
        **{name: pl.col(f"stable_{name}") for name in names},
        last_tokens=pl.max_horizontal(pl.col("prompt_tokens") - pl.col("moved_tokens"), 0),
    )
