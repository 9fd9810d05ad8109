"""The logged runs as the simulator takes them: requests, and what was marked in them."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

import polars as pl

from costscan.cache.automatic import AutomaticCaches, positions_of_prompts, ttl_us_of
from costscan.cache_policy import LONG_US, SHORT_US, target_of
from costscan.meters import PROMPT_TOKENS
from costscan.models import model_info
from costscan.schema.frames import PROMPT

REQUESTS: Final = pl.Schema(
    dict.fromkeys(("req", "domain", "at_us", "ready_us", "prompt_tokens", "min_tokens"), pl.Int64)
)
POSITIONS: Final = pl.Schema(dict.fromkeys(("req", "key", "tokens", "ttl_us"), pl.Int64))
PROVEN: Final = pl.Schema(
    {
        "req": pl.Int64,
        "kind": pl.String,
        **dict.fromkeys(("read_tokens", "from_key", "from_tokens", "at_us", "domain", "ttl_us"), pl.Int64),
    }
)
"""One row per turn that read more than foreseen: how much, and from which prompt in the log that goes on."""
DEFAULT_MIN_TOKENS: Final = 1024
_PLACE: Final = ["run_id", "turn"]
TURN_COLUMNS: Final = (
    *_PLACE,
    "at",
    "duration_s",
    "provider",
    "model",
    "speed",
    *PROMPT_TOKENS,
)
"""What `logged` takes of turns."""


@dataclass(frozen=True)
class LoggedRequests:
    """What the simulator takes of the logged turns.

    Attributes:
        turns: run_id, turn, req of the turns that stand in the log.
        steps: all that is known of them: requests and chains side by side, with ttl_us.
        requests: one each, and one more for each prefix that calls outside the log had cached (numbered
            below zero).
        positions: what was marked, or can be found, in them.
        stable_positions: the same, as they would be without values that vary.
        given: the turns that begin with what calls outside the log had cached.
        shared: run_id, turn, shared_tokens of the turns whose prompts begin like those of other runs.
        proven: `PROVEN`, what the cache reads prove beyond that; empty until it was looked for.
        longest_only: whether a hit refreshes only the entry that is read, as the log shows.
        automatic: what caches without breakpoints read of what they could; empty until it was fitted.
    """

    turns: pl.DataFrame
    steps: pl.DataFrame
    requests: pl.DataFrame
    positions: pl.DataFrame
    stable_positions: pl.DataFrame
    given: pl.DataFrame
    shared: pl.DataFrame
    proven: pl.DataFrame
    longest_only: bool = False
    automatic: AutomaticCaches = field(default_factory=AutomaticCaches)


def logged(
    turns: pl.DataFrame, chains: pl.DataFrame, windows: pl.DataFrame, departures: pl.DataFrame
) -> LoggedRequests:
    """Return the logged requests of all runs.

    Args:
        turns: the `TURN_COLUMNS` of the logged turns, sorted by run and turn.
        chains: from `chains.chains`; of all turns.
        windows: run_id, turn, and the columns of `WINDOWS` of turns whose prompts are in the log.
        departures: where these depart from those before.
    """
    numbered = with_minimums(turns.with_row_index("req").with_columns(pl.col("req").cast(pl.Int64)))
    requests = _requests(numbered)
    steps = _with_shared(requests.join(chains, on=_PLACE, how="inner", maintain_order="left")).join(
        _ttls(numbered), on="req", how="left", maintain_order="left"
    )
    windows = pl.concat([windows, positions_of_prompts(steps, departures)])
    inferred = steps.filter("uses").join(windows.select(_PLACE).unique(), on=_PLACE, how="anti")
    outside = _outside(inferred)
    in_prompts = windows.join(requests.select(*_PLACE, "req"), on=_PLACE, how="inner")
    read = read_outside(in_prompts, steps, numbered, -1 - outside.height)
    in_prompts = pl.concat([in_prompts, read.select(in_prompts.columns)])
    marked = [*_positions(inferred), _of_outside(outside)]
    stable = in_prompts.with_columns(key="stable_key", tokens="stable_tokens").drop_nulls("key")
    in_prompts = in_prompts.drop_nulls("key")
    return LoggedRequests(
        turns=requests.select(*_PLACE, "req"),
        steps=steps,
        requests=pl.concat([frame.select(*REQUESTS) for frame in (requests, outside, read)]),
        positions=pl.concat([*marked, in_prompts.select(*POSITIONS)]),
        stable_positions=pl.concat([*marked, stable.select(*POSITIONS)]),
        given=pl.concat([frame.select(_PLACE) for frame in (outside.filter("is_first"), read)]),
        shared=inferred.filter(pl.col("shared_tokens") > 0).select(*_PLACE, "shared_tokens"),
        proven=pl.DataFrame(schema=PROVEN),
    )


def _of_outside(outside: pl.DataFrame) -> pl.DataFrame:
    return outside.select("req", key="shared_key", tokens="shared_tokens", ttl_us="ttl_us").select(*POSITIONS)


def _requests(turns: pl.DataFrame) -> pl.DataFrame:
    """Return the requests of the turns, with run_id and turn; those of a run follow one another."""
    at = pl.col("at").dt.epoch("us")
    # Turns without a time follow at once; of two at the same moment the later turn is later.
    at_us = pl.coalesce(at, at.forward_fill().over("run_id"), pl.lit(0)).cum_max().over("run_id") + pl.col(
        "turn"
    )
    took = (pl.col("duration_s").fill_null(0) * 1e6).cast(pl.Int64)
    timed = turns.with_columns(at_us=at_us, took_us=pl.max_horizontal(took, 0))
    following = pl.col("at_us").shift(-1).over("run_id")
    return timed.select(
        *_PLACE,
        "req",
        "at_us",
        "min_tokens",
        domain=(pl.struct("provider", "model", "speed").hash() // 2).cast(pl.Int64),
        ready_us=pl.min_horizontal(pl.col("at_us") + pl.col("took_us"), following),
        prompt_tokens=PROMPT,
    )


def with_minimums(turns: pl.DataFrame) -> pl.DataFrame:
    """Add min_tokens to turns with model and at: the shortest prefix that each model cached on that day."""
    turns = turns.with_columns(day=pl.col("at").dt.date())
    each = turns.select("model", "day").unique()
    minimums = [_min_tokens(model, day) for model, day in each.iter_rows()]
    least = pl.Series("min_tokens", [DEFAULT_MIN_TOKENS if n is None else n for n in minimums], pl.Int64)
    joined = turns.join(
        each.with_columns(least), on=["model", "day"], how="left", nulls_equal=True, maintain_order="left"
    )
    return joined.drop("day")


def _min_tokens(model: str | None, day: date | None) -> int | None:
    if policy := target_of(model):
        return policy.min_tokens
    info = model_info(model)
    return info.min_cacheable_tokens_at(day) if info else None


def _ttls(turns: pl.DataFrame) -> pl.DataFrame:
    """Return the TTL each turn wrote with; where it wrote nothing, that of the turn before."""
    hour, five = pl.col("cache_write_1h_tokens"), pl.col("cache_write_5m_tokens")
    written_ttl_us = pl.when(hour > five).then(LONG_US).when(five > 0).then(SHORT_US)
    near = (
        written_ttl_us.forward_fill().over("run_id").fill_null(written_ttl_us.backward_fill().over("run_id"))
    )
    return turns.select("req", ttl_us=pl.coalesce(ttl_us_of(turns["model"]), near, SHORT_US).cast(pl.Int64))


def _with_shared(inferred: pl.DataFrame) -> pl.DataFrame:
    """Return runs that began with nothing cached the shared prefix of the nearest run on their model.

    `inferred` is in the order of req, which is that of runs and their turns.
    """
    one = ["domain", "is_agent"]
    named = inferred.select(
        "req", "domain", "at_us", "shared_tokens", "is_first", is_agent=pl.col("run_id").str.contains("/")
    )
    sharing = named.filter(pl.col("is_first") & (pl.col("shared_tokens") > 0))
    near = (
        named.sort("at_us")
        .join_asof(
            sharing.select(*one, "at_us", near_tokens="shared_tokens").sort("at_us"),
            on="at_us",
            by=one,
            strategy="nearest",
            check_sortedness=False,
        )
        .sort("req")
    )
    first = pl.col("near_tokens").first().over("run_id")
    fits = (pl.col("shared_tokens") == 0) & (first <= pl.col("end_tokens").first().over("run_id"))
    # Its first turn read none of it: only later ones, after a compaction, may.
    fits &= ~pl.col("is_first")
    shared = pl.when(fits).then(first).otherwise("shared_tokens")
    return (
        inferred.with_columns(near["near_tokens"])
        .with_columns(shared_tokens=shared, shared_key=pl.when(fits).then(-first).otherwise("shared_key"))
        .drop("near_tokens")
    )


def _positions(inferred: pl.DataFrame) -> list[pl.DataFrame]:
    no_ttl = pl.lit(None, pl.Int64)
    shared = inferred.filter(pl.col("shared_tokens") > 0)
    before = inferred.filter(pl.col("before_key").is_not_null())
    return [
        inferred.select("req", "key", tokens="end_tokens", ttl_us="ttl_us"),
        before.select("req", key="before_key", tokens="before_tokens", ttl_us=no_ttl),
        shared.select("req", key="shared_key", tokens="shared_tokens", ttl_us="ttl_us"),
    ]


def _outside(inferred: pl.DataFrame) -> pl.DataFrame:
    """Return a request, just before the first turn that reads it, for each shared prefix cached elsewhere."""
    shared = inferred.filter(pl.col("shared_tokens") > 0).sort("domain", "shared_tokens", "at_us")
    one = ["domain", "shared_tokens"]
    gap = pl.col("at_us") - pl.col("at_us").shift(1).over(one)
    cold = gap.is_null() | (gap > pl.col("ttl_us").shift(1).over(one))
    cold_reads = shared.filter(cold & pl.col("is_first"))
    return cold_reads.with_columns(
        req=-1 - pl.int_range(pl.len(), dtype=pl.Int64),
        at_us=pl.col("at_us") - 1,
        ready_us=pl.col("at_us") - 1,
        prompt_tokens="shared_tokens",
        min_tokens=pl.lit(0, pl.Int64),
    )


def read_outside(
    windows: pl.DataFrame, steps: pl.DataFrame, turns: pl.DataFrame, first_req: int
) -> pl.DataFrame:
    """Return a request for each prefix that the first prompt of a run read and nothing logged had written.

    Args:
        windows: what was marked, or can be found, in prompts in the log, with req.
        steps: the requests of the turns, with ttl_us.
        turns: the turns by req, with cache_read_tokens.
        first_req: the number of the first such request; the next ones count down.

    Returns:
        `windows` with one marked position of each request, and the columns of requests.
    """
    timed = windows.drop("ttl_us").join(
        steps.select("req", "domain", "at_us", "is_first", "ttl_us"), on="req", how="inner"
    )
    read = timed.join(turns.select("req", "cache_read_tokens"), on="req", how="inner").filter(
        "is_first", pl.col("tokens") == pl.col("cache_read_tokens")
    )
    breakpoints = windows.filter(pl.col("ttl_us").is_not_null()).select("req", "key")
    wrote = timed.join(breakpoints, on=["req", "key"], how="semi").select(
        "domain", "key", by="req", by_us="at_us"
    )
    written = read.join(wrote, on=["domain", "key"], how="inner").filter(
        (pl.col("by") != pl.col("req")) & (pl.col("by_us") <= pl.col("at_us"))
    )
    unwritten = (
        read.join(written, on=["req", "key"], how="anti")
        .sort("at_us", "req")
        .unique(["domain", "key"], keep="first", maintain_order=True)
        .unique("req", keep="first", maintain_order=True)
    )
    before = pl.col("at_us") - 1
    return unwritten.with_columns(
        req=first_req - pl.int_range(pl.len(), dtype=pl.Int64),
        at_us=before,
        ready_us=before,
        prompt_tokens="tokens",
        min_tokens=pl.lit(0, pl.Int64),
    )
