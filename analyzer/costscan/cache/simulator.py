"""The prompt cache as documented: which part of each prompt is read, written and sent plain.

A request is a list of positions in its prompt. At a marked position the cache is written; from each mark
the request looks back over up to 20 positions and finds those that an earlier one of the same model wrote.
The longest that is alive is read, what follows up to the last mark is written, the rest is plain input. An
entry lives for its TTL from the start of the request that wrote or last read it, and can be used once
the response that wrote it has ended.
Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching.

Where the documentation is silent: a hit refreshes every live entry in the windows of its request (or, with
`longest_only`, the one that is read alone), and an entry takes the TTL of the mark that was last on it.

Everything is a join or a running value over all touches of an entry in time; there is no loop over requests.
"""

from dataclasses import dataclass, replace
from typing import Self

import polars as pl

from costscan.cache_policy import LONG_US

_READY, _TOUCHED = 0, 1


def simulate(requests: pl.DataFrame, positions: pl.DataFrame, *, longest_only: bool = False) -> pl.DataFrame:
    """Say how the prompt of each request was billed.

    Args:
        requests: one row each: req (its number), domain (what never shares a cache: the model and such, as
            one number), at_us and ready_us (when it began and when its response had ended), prompt_tokens,
            min_tokens (shorter prefixes are not cached).
        positions: req, key (equal for equal prefixes), tokens (of the prefix up to it), ttl_us (null where it
            is no mark but within the lookback of one).
        longest_only: a hit refreshes the entry that is read, and no shorter one on its way.

    Returns:
        req, read_tokens, write_1h_tokens, write_5m_tokens, input_tokens, in the order of `requests`.
    """
    return replace(Timeline.of(requests, positions), longest_only=longest_only).billed()


@dataclass(frozen=True)
class Timeline:
    """Requests and all that happens to cache entries, in order: it can be replayed with other TTLs, too.

    Attributes:
        requests: as for `simulate`.
        breakpoints: req, tokens, ttl_us of the marked positions.
        events: per entry, in the order of time, its touches and when what they wrote can be used.
        times: the times of the events, each once and in order; `rank` of an event is its place there.
        longest_only: whether a hit refreshes only the entry that is read.
    """

    requests: pl.DataFrame
    breakpoints: pl.DataFrame
    events: pl.DataFrame
    times: pl.Series
    longest_only: bool = False

    @classmethod
    def of(cls, requests: pl.DataFrame, positions: pl.DataFrame) -> Self:
        """Order what happens; arguments as for `simulate`."""
        long_enough = positions.join(
            requests.select("req", "domain", "at_us", "ready_us", "min_tokens"), on="req", how="inner"
        ).filter(pl.col("tokens") >= pl.col("min_tokens"))
        touches = long_enough.with_columns(entry=pl.struct("domain", "key").hash())
        breakpoints = touches.filter(pl.col("ttl_us").is_not_null())
        readable = touches.join(breakpoints.select("entry").unique(), on="entry", how="semi")
        events = _events(readable)
        times = events["value_us"].unique().sort()
        rank = pl.Series("rank", times.search_sorted(events["value_us"])).cast(pl.Int64)
        return cls(requests, breakpoints.select("req", "tokens", "ttl_us"), events.with_columns(rank), times)

    def with_ttls(self, ttls: pl.DataFrame) -> Self:
        """Return the same with other TTLs for breakpoints of some requests: `ttls`, req and ttl_us."""
        breakpoints, events = (_relabelled(frame, ttls) for frame in (self.breakpoints, self.events))
        return replace(self, breakpoints=breakpoints, events=events)

    def billed(self) -> pl.DataFrame:
        """Say how the prompt of each request was billed, as `simulate` does."""
        read = self._alive().group_by("req").agg(read=pl.col("tokens").max())
        return _billed(self.requests, self.breakpoints, read)

    def _alive(self) -> pl.DataFrame:
        """Return req and tokens of the touches that found their entry alive."""
        # At first every touch of an entry that can be used counts; where one came too late, later ones may.
        written = pl.col("what") == _READY
        usable = written | (pl.col("made") >= pl.col("first")).fill_null(False)
        events = self.events.with_columns(refreshes=usable, late=pl.lit(False), lives_us="ttl_us")
        while True:
            if self.longest_only:
                made = written & pl.col("refreshes")
                events = events.with_columns(made=_made(made), lives_us=pl.when(made).then("ttl_us"))
            state = events.with_columns(before=_before(self.times)).select(**_judged())
            # A touch that found nothing refreshed nothing: without it later ones may find nothing either.
            refreshes = state["alive"] | (events["what"] == _READY)
            if self.longest_only:
                refreshes = _read_or_written(events, state["alive"])
            if (refreshes == events["refreshes"]).all() and (state["late"] == events["late"]).all():
                return events.filter(state["alive"]).select("req", "tokens")
            events = events.with_columns(refreshes=refreshes, late=state["late"])


def _made(is_write: pl.Expr) -> pl.Expr:
    """Return the row of the last write of the entry before each event."""
    return pl.when(is_write).then(pl.int_range(pl.len(), dtype=pl.Int64)).forward_fill()


def _read_or_written(events: pl.DataFrame, alive: pl.Series) -> pl.Series:
    """Say which events refresh an entry where a hit refreshes only the longest."""
    touches = events.select("req", "tokens", "what").with_columns(alive=alive)
    read = pl.col("tokens").filter("alive").max().over("req").fill_null(0)
    longer, same = pl.col("tokens") > read, pl.col("alive") & (pl.col("tokens") == read)
    return touches.select(pl.when(pl.col("what") == _READY).then(longer).otherwise(same)).to_series()


def _relabelled(frame: pl.DataFrame, ttls: pl.DataFrame) -> pl.DataFrame:
    other = ttls.select("req", other="ttl_us")
    both = frame.join(other, on="req", how="left", maintain_order="left")
    marked = pl.col("ttl_us").is_not_null()
    return both.with_columns(ttl_us=pl.when(marked).then(pl.coalesce("other", "ttl_us"))).drop("other")


def _billed(requests: pl.DataFrame, breakpoints: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
    joined = requests.select("req", "prompt_tokens").join(read, on="req", how="left", maintain_order="left")
    hits = joined.select("req", pl.col("read").fill_null(0))
    beyond = breakpoints.join(hits, on="req", how="left").filter(pl.col("tokens") > pl.col("read"))
    ends = beyond.group_by("req").agg(
        last=pl.col("tokens").max(), hour=pl.col("tokens").filter(pl.col("ttl_us") == LONG_US).max()
    )
    zero = pl.lit(0, pl.Int64)
    return (
        hits.join(ends, on="req", how="left", maintain_order="left")
        .with_columns(hour=pl.max_horizontal("hour", "read"), last=pl.max_horizontal("last", "hour", "read"))
        .select(
            "req",
            read_tokens="read",
            write_1h_tokens=pl.col("hour") - pl.col("read"),
            write_5m_tokens=pl.col("last") - pl.col("hour"),
            input_tokens=pl.max_horizontal(requests["prompt_tokens"] - pl.col("last"), zero),
        )
    )


def _events(touches: pl.DataFrame) -> pl.DataFrame:
    """Return, per entry in the order of time, its touches and when what they wrote can be used."""
    written = touches.filter(pl.col("ttl_us").is_not_null()).select(
        "entry",
        "req",
        "tokens",
        # A request cannot read what it writes itself, however short it is.
        when_us=pl.max_horizontal("ready_us", pl.col("at_us") + 1),
        value_us="at_us",
        ttl_us="ttl_us",
        what=pl.lit(_READY, pl.Int8),
    )
    touched = touches.select(
        "entry",
        "req",
        "tokens",
        when_us="at_us",
        value_us="at_us",
        ttl_us=pl.lit(None, pl.Int64),
        what=pl.lit(_TOUCHED, pl.Int8),
    )
    ordered = pl.concat([written, touched]).sort("entry", "when_us", "what", "req")
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    begins = (pl.col("entry") != pl.col("entry").shift(1)).fill_null(True)
    made = _made(pl.col("what") == _READY)
    first = pl.when(begins).then(row).forward_fill()
    return ordered.select(
        "req", "tokens", "value_us", "ttl_us", "what", begins=begins, first=first, made=made
    )


def _before(times: pl.Series) -> pl.Expr:
    """Return when the entry had last been written or read before each event, in the same life.

    A life begins with its entry and after each late touch. Lives follow one another, so one running maximum
    over (number of the life, rank of the time) is that of each life.
    """
    life = (pl.col("begins") | pl.col("late").shift(1).fill_null(False)).cast(pl.Int64).cum_sum()
    last_refresh = (
        pl.when("refreshes").then(life * len(times) + pl.col("rank")).cum_max().forward_fill().shift(1)
    )
    mine = last_refresh >= life * len(times)
    return pl.when(mine).then(pl.lit(times).gather(last_refresh % len(times)))


def _judged() -> dict[str, pl.Expr]:
    """Say of each event whether its entry was alive, and whether it came too late."""
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    touched = pl.col("what") == _TOUCHED
    ttl_us = pl.col("lives_us").forward_fill()
    late = (touched & (pl.col("value_us") - pl.col("before") > ttl_us)).fill_null(False)
    failed = pl.when(late).then(row).forward_fill().fill_null(-1)
    alive = touched & (pl.col("made") >= pl.col("first")) & (pl.col("made") > failed)
    return {"alive": alive.fill_null(False), "late": late}
