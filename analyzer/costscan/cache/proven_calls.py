"""Calls that no line of the log tells and its cache reads prove, and entries that lived longer than foreseen.

A cache is written only by a call that marks the place. So where a turn read more than anything in the log had
written, a call outside the log had written it: a side call of the client that begins with the conversation (a
suggestion for the next prompt, a summary of the answer), a request that was sent twice, or another session
with the same beginning.
"""

from dataclasses import replace
from typing import Final

import polars as pl

from costscan.cache.prefix_chains import N_EARLIER
from costscan.cache.requests import POSITIONS, PROVEN, REQUESTS, LoggedRequests

SIDE_CALL: Final = "side-call"
HIDDEN_CALL: Final = "hidden-call"
SHARED_OUTSIDE: Final = "shared-outside"
OUTLIVED: Final = "outlived"
NOT_YET: Final = "not-yet-readable"
IN_RUN: Final = (SIDE_CALL, HIDDEN_CALL)
"""Calls that continue the conversation of the run, so that they are of its cost."""
SECONDS_BEFORE: Final = 60
"""An entry that is older can be read."""
_END_TOKENS: Final = 8
"""An answer stands in the next prompt with a few tokens more or fewer than were billed for it."""


def proven(logged_requests: LoggedRequests, turns: pl.DataFrame, foreseen: pl.DataFrame) -> pl.DataFrame:
    """Return the `PROVEN` turns: those whose own reads tell what was not foreseen.

    side-call: what was read ends with the answer before, or somewhere in it where the log does not tell how
    long it was; hidden-call: it ends behind that; shared-outside: it is a prefix that other sessions kept
    alive; outlived: an entry of the run itself, read after its TTL; not-yet-readable: the newest entry
    was not found seconds after it was written, and the read ends with an older one.

    Args:
        logged_requests: from `logged`.
        turns: the logged turns, with cache_read_tokens, output_tokens and usage_from.
        foreseen: from `simulate`.
    """
    place = ["run_id", "turn"]
    billed = turns.select(*place, "cache_read_tokens", "output_tokens", "usage_from")
    both = (
        logged_requests.steps.join(billed, on=place, how="inner", maintain_order="left")
        .join(
            foreseen.select("req", foreseen_tokens="read_tokens"),
            on="req",
            how="inner",
            maintain_order="left",
        )
        .join(
            _answers(logged_requests.steps, billed),
            left_on="extends_key",
            right_on="key",
            how="left",
            maintain_order="left",
        )
    )
    more = pl.col("cache_read_tokens") > pl.col("foreseen_tokens")
    less = pl.col("cache_read_tokens") < pl.col("foreseen_tokens")
    not_yet = pl.col("not_yet")
    compared = both.with_columns(not_yet=less & _not_yet())
    given = compared.filter(more | not_yet).join(
        logged_requests.given, on=place, how="anti", maintain_order="left"
    )
    return given.select(
        "req",
        kind=pl.when(not_yet).then(pl.lit(NOT_YET)).otherwise(_kind()),
        read_tokens="cache_read_tokens",
        from_key=pl.when(not_yet).then(_earlier_key()).otherwise("before_key"),
        from_tokens="before_tokens",
        at_us="at_us",
        domain="domain",
        ttl_us="ttl_us",
    ).select(*PROVEN)


def _not_yet() -> pl.Expr:
    earlier = pl.col("earlier_tokens").list.contains(pl.col("cache_read_tokens"))
    since_us = pl.col("at_us") - pl.col("at_us").shift(1).over("run_id")
    young = (since_us <= SECONDS_BEFORE * 1_000_000) & pl.col("before_key").is_not_null()
    return ~pl.col("is_shown") & (earlier & young).fill_null(value=False)


def _earlier_key() -> pl.Expr:
    """Return the key of the older prompt that a read ends with."""
    read, ends, keys = (pl.col(name) for name in ("cache_read_tokens", "earlier_tokens", "earlier_keys"))
    return pl.coalesce(pl.when(ends.list.get(n) == read).then(keys.list.get(n)) for n in range(N_EARLIER))


def _answers(steps: pl.DataFrame, billed: pl.DataFrame) -> pl.DataFrame:
    """Say where the answer to each prompt ends: key, asked_tokens, answered_tokens (null where not known)."""
    both = steps.join(billed, on=["run_id", "turn"], how="inner")
    reported_tokens = pl.when(pl.col("usage_from") == "reported").then(pl.col("output_tokens"))
    ends = both.select(
        "key", asked_tokens="prompt_tokens", answered_tokens=pl.col("prompt_tokens") + reported_tokens
    )
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


def from_outside(
    logged_requests: LoggedRequests, turns: pl.DataFrame, foreseen: pl.DataFrame
) -> pl.DataFrame:
    """Return the `PROVEN` turns whose caches have no breakpoints: those that read where nothing could be.

    What they read was held of requests outside the log, or of the steps of one call that a provider makes.

    Args:
        logged_requests: from `logged`.
        turns: the turns of models with such a cache, with cache_read_tokens.
        foreseen: from `simulate`.
    """
    read = turns.select("run_id", "turn", "cache_read_tokens")
    both = logged_requests.steps.join(read, on=["run_id", "turn"], how="inner").join(
        foreseen.select("req", could="read_tokens"), on="req", how="inner"
    )
    nothing = pl.lit(None, pl.Int64)
    return both.filter(pl.col("could") == 0, pl.col("cache_read_tokens") > 0).select(
        *("req", pl.lit(SHARED_OUTSIDE).alias("kind"), pl.col("cache_read_tokens").alias("read_tokens")),
        *(nothing.alias("from_key"), nothing.alias("from_tokens"), "at_us", "domain", "ttl_us"),
    ).select(*PROVEN)  # fmt: skip


def with_proven(logged_requests: LoggedRequests, proven_turns: pl.DataFrame) -> LoggedRequests:
    """Return the logged requests and, just before each proven turn, one that wrote what the turn reads."""
    if proven_turns.is_empty():
        return logged_requests
    first = min(int(logged_requests.requests["req"].min() or 0), 0) - 1  # type: ignore[arg-type]
    late = proven_turns.filter(kind=NOT_YET)
    called = proven_turns.filter(pl.col("kind") != NOT_YET).with_columns(
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
    no_ttl = pl.lit(None, pl.Int64)
    goes_on = called.filter(pl.col("kind").is_in(IN_RUN))
    positions = pl.concat([
        called.select("req", "key", tokens="read_tokens", ttl_us="ttl_us"),
        goes_on.select("req", key="from_key", tokens="from_tokens", ttl_us=no_ttl),
        called.select(req="req_of", key="key", tokens="read_tokens", ttl_us=no_ttl),
    ]).select(*POSITIONS)  # fmt: skip
    older = late.select("req", key="from_key", tokens="read_tokens", ttl_us=no_ttl).select(*POSITIONS)
    given = pl.concat([positions, older])
    newest = logged_requests.steps.join(late, on="req", how="semi").select("req", key="before_key")
    return replace(
        logged_requests,
        steps=_going_on(logged_requests.steps, late),
        requests=pl.concat([logged_requests.requests, requests.select(*REQUESTS)]),
        positions=_without(logged_requests.positions, newest, given),
        stable_positions=_without(logged_requests.stable_positions, newest, given),
        proven=proven_turns,
    )


def _without(positions: pl.DataFrame, newest: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """Return the positions without those that could not be found yet, and with what is given."""
    return pl.concat([positions.join(newest, on=["req", "key"], how="anti", maintain_order="left"), given])


def _going_on(steps: pl.DataFrame, late: pl.DataFrame) -> pl.DataFrame:
    """Let turns that could not yet read the newest prompt extend the older one that they read."""
    other = steps.select("req").join(
        late.select("req", key="from_key", tokens="read_tokens"), on="req", how="left", maintain_order="left"
    )
    names = [
        (f"{of}_{what}", what) for of in ("before", "extends", "stable_extends") for what in ("key", "tokens")
    ]
    return steps.with_columns(pl.coalesce(other[what], pl.col(name)).alias(name) for name, what in names)
