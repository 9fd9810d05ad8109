"""Calls that no line of the log tells and its cache reads prove, and entries that lived longer than foreseen.

A cache is written only by a call that marks the place. So where a turn read more than anything in the log had
written, a call outside the log had written it: a side call of the client that begins with the conversation (a
suggestion for the next prompt, a summary of the answer), a request that was sent twice, or another session
with the same beginning.
"""

from dataclasses import replace
from typing import Final

import polars as pl

from costscan.replay.logged import POSITIONS, PROVEN, REQUESTS, Logged

SIDE_CALL: Final = "side-call"
HIDDEN_CALL: Final = "hidden-call"
SHARED_OUTSIDE: Final = "shared-outside"
OUTLIVED: Final = "outlived"
IN_RUN: Final = (SIDE_CALL, HIDDEN_CALL)
"""Calls that continue the conversation of the run, so that they are of its cost."""
_END_TOKENS: Final = 8
"""An answer stands in the next prompt with a few tokens more or fewer than were billed for it."""


def proven(policy: Logged, turns: pl.DataFrame, foreseen: pl.DataFrame) -> pl.DataFrame:
    """Return the `PROVEN` calls.

    side-call: what was read ends with the answer before, or somewhere in it where the log does not tell how
    long it was; hidden-call: it ends behind that; shared-outside: it is a prefix that other sessions kept
    alive; outlived: an entry of the run itself, read after its lifetime.

    Args:
        policy: from `logged`.
        turns: the logged turns, with cache_read_tokens, output_tokens and usage_from.
        foreseen: from `simulate`.
    """
    place = ["run_id", "turn"]
    billed = turns.select(*place, "cache_read_tokens", "output_tokens", "usage_from")
    both = (
        policy.steps.join(billed, on=place, how="inner", maintain_order="left")
        .join(
            foreseen.select("req", foreseen_tokens="read_tokens"),
            on="req",
            how="inner",
            maintain_order="left",
        )
        .join(
            _answers(policy.steps, billed),
            left_on="extends_key",
            right_on="key",
            how="left",
            maintain_order="left",
        )
    )
    more = both.filter(pl.col("cache_read_tokens") > pl.col("foreseen_tokens"))
    given = more.join(policy.given, on=place, how="anti", maintain_order="left")
    return given.select(
        "req",
        kind=_kind(),
        read_tokens="cache_read_tokens",
        from_key="before_key",
        from_tokens="before_tokens",
        at_us="at_us",
        domain="domain",
        ttl_us="ttl_us",
    ).select(*PROVEN)


def _answers(steps: pl.DataFrame, billed: pl.DataFrame) -> pl.DataFrame:
    """Say where the answer to each prompt ends: key, asked_tokens, answered_tokens (null where not known)."""
    both = steps.join(billed, on=["run_id", "turn"], how="inner")
    told = pl.when(pl.col("usage_from") == "reported").then(pl.col("output_tokens"))
    ends = both.select("key", asked_tokens="prompt_tokens", answered_tokens=pl.col("prompt_tokens") + told)
    return ends.unique("key", keep="first")


def _kind() -> pl.Expr:
    read, before = pl.col("cache_read_tokens"), pl.col("before_tokens")
    most = pl.coalesce(pl.col("answered_tokens") + _END_TOKENS, "prompt_tokens")
    asked = pl.coalesce("asked_tokens", "before_tokens")
    return (
        pl.when((read == before).fill_null(value=False))
        .then(pl.lit(OUTLIVED))
        .when(((read > asked - _END_TOKENS) & (read > before) & (read <= most)).fill_null(value=False))
        .then(pl.lit(SIDE_CALL))
        .when((read > before).fill_null(value=False))
        .then(pl.lit(HIDDEN_CALL))
        .otherwise(pl.lit(SHARED_OUTSIDE))
    )


def with_proven(policy: Logged, found: pl.DataFrame) -> Logged:
    """Return the policy with a request just before each turn that reads what that request had written."""
    if found.is_empty():
        return policy
    first = min(int(policy.requests["req"].min() or 0), 0) - 1  # type: ignore[arg-type]
    called = found.with_columns(
        req_of="req",
        req=first - pl.int_range(pl.len(), dtype=pl.Int64),
        at_us=pl.col("at_us") - 1,
        key=(pl.struct(pl.lit("proven"), "req").hash() // 2).cast(pl.Int64),
    )
    requests = called.select(
        "req",
        "domain",
        "at_us",
        ready_us="at_us",
        prompt_tokens="read_tokens",
        min_tokens=pl.lit(0, pl.Int64),
    )
    unmarked = pl.lit(None, pl.Int64)
    goes_on = called.filter(pl.col("kind").is_in(IN_RUN))
    positions = pl.concat([
        called.select("req", "key", tokens="read_tokens", ttl_us="ttl_us"),
        goes_on.select("req", key="from_key", tokens="from_tokens", ttl_us=unmarked),
        called.select(req="req_of", key="key", tokens="read_tokens", ttl_us=unmarked),
    ]).select(*POSITIONS)  # fmt: skip
    return replace(
        policy,
        requests=pl.concat([policy.requests, requests.select(*REQUESTS)]),
        positions=pl.concat([policy.positions, positions]),
        stable_positions=pl.concat([policy.stable_positions, positions]),
        proven=found,
    )
