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

from dataclasses import dataclass
from typing import Final, Self

import polars as pl

from costscan.cache_policy import LONG_US

_READY, _TOUCHED = 0, 1
_WRITTEN: Final = pl.col("what") == _READY


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
    return Timeline.of(requests, positions).billed(longest_only=longest_only)


@dataclass(frozen=True)
class Timeline:
    """Requests and all that happens to cache entries, in order.

    Attributes:
        requests: as for `simulate`.
        breakpoints: req, tokens, ttl_us of the marked positions.
        events: per entry, in the order of time, its touches and when what they wrote can be used.
        times: the times of the events, each once and in order; `rank` of an event is its place there.
    """

    requests: pl.DataFrame
    breakpoints: pl.DataFrame
    events: pl.DataFrame
    times: pl.Series

    @classmethod
    def of(cls, requests: pl.DataFrame, positions: pl.DataFrame) -> Self:
        """Order what happens; arguments as for `simulate`."""
        of_requests = requests.lazy().select("req", "domain", "at_us", "ready_us", "min_tokens")
        long_enough = (
            positions.lazy()
            .join(of_requests, on="req", how="inner")
            .filter(pl.col("tokens") >= pl.col("min_tokens"))
            .with_columns(entry=pl.struct("domain", "key").hash())
        )
        touches = long_enough.collect().lazy()
        breakpoints = touches.filter(pl.col("ttl_us").is_not_null())
        readable = touches.join(breakpoints.select("entry").unique(), on="entry", how="semi")
        marked, happened = pl.collect_all(
            [breakpoints.select("req", "tokens", "ttl_us"), _happened(readable)]
        )
        events = _events(happened)
        times = events.select(pl.col("value_us").unique().sort()).to_series()
        return cls(requests, marked, events, times)

    def billed(self, *, longest_only: bool = False) -> pl.DataFrame:
        """Say how the prompt of each request was billed, as `simulate` does."""
        read = self._alive(longest_only=longest_only).group_by("req").agg(read=pl.col("tokens").max())
        return _billed(self.requests.lazy(), self.breakpoints.lazy(), read).collect()

    def _alive(self, *, longest_only: bool) -> pl.LazyFrame:
        """Return req and tokens of the touches that found their entry alive."""
        # At first every touch of an entry that can be used counts; where one came too late, later ones may.
        usable = _WRITTEN | (pl.col("made") >= pl.col("first")).fill_null(False)
        events = self.events.lazy().with_columns(refreshes=usable, late=pl.lit(False))
        while True:
            judged = _judged(events, self.times, longest_only=longest_only).collect()
            if judged.is_empty() or judged["is_settled"][0]:
                return judged.lazy().filter("alive").select("req", "tokens")
            events = judged.lazy().select(*self.events.columns, refreshes="refreshes_then", late="late_then")


def _judged(events: pl.LazyFrame, times: pl.Series, *, longest_only: bool) -> pl.LazyFrame:
    """Say of each event whether its entry was alive and whether it came too late.

    Returns:
        the events with alive, late_then, refreshes_then (a touch that found nothing refreshed nothing:
        without it later ones may find nothing either), and is_settled: whether none of this is news.
    """
    if longest_only:
        made = _WRITTEN & pl.col("refreshes")
        events = events.with_columns(made=_made(made), lives_us=pl.when(made).then("ttl_us"))
    else:
        events = events.with_columns(lives_us="ttl_us")
    refreshes = _read_or_written() if longest_only else pl.col("alive") | _WRITTEN
    settled = (pl.col("refreshes_then") == pl.col("refreshes")) & (pl.col("late_then") == pl.col("late"))
    return (
        events.with_columns(before=_before(times))
        .with_columns(late_then=_late())
        .with_columns(alive=_alive())
        .with_columns(refreshes_then=refreshes)
        .with_columns(is_settled=settled.all())
    )


def _made(is_write: pl.Expr) -> pl.Expr:
    """Return the row of the last write of the entry before each event."""
    return pl.when(is_write).then(pl.int_range(pl.len(), dtype=pl.Int64)).forward_fill()


def _read_or_written() -> pl.Expr:
    """Say which events refresh an entry where a hit refreshes only the longest."""
    read = pl.col("tokens").filter("alive").max().over("req").fill_null(0)
    longer, same = pl.col("tokens") > read, pl.col("alive") & (pl.col("tokens") == read)
    return pl.when(_WRITTEN).then(longer).otherwise(same)


def _billed(requests: pl.LazyFrame, breakpoints: pl.LazyFrame, read: pl.LazyFrame) -> pl.LazyFrame:
    hits = (
        requests.select("req", "prompt_tokens")
        .join(read, on="req", how="left", maintain_order="left")
        .with_columns(pl.col("read").fill_null(0))
    )
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
            input_tokens=pl.max_horizontal(pl.col("prompt_tokens") - pl.col("last"), zero),
        )
    )


def _happened(touches: pl.LazyFrame) -> pl.LazyFrame:
    """Return all touches of entries and when what they wrote can be used."""
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
    return pl.concat([written, touched])


def _events(happened: pl.DataFrame) -> pl.DataFrame:
    """Return what happened, entry by entry in the order of time."""
    # Sorting the numbers of rows alone takes half as long as sorting the rows.
    order = pl.arg_sort_by("entry", pl.col("when_us") * 2 + pl.col("what"), "req")
    ordered = happened[happened.select(order).to_series()]
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    begins = (pl.col("entry") != pl.col("entry").shift(1)).fill_null(True)
    return ordered.select(
        *("req", "tokens", "value_us", "ttl_us", "what"),
        rank=pl.col("value_us").rank("dense").cast(pl.Int64) - 1,
        begins=begins,
        first=pl.when(begins).then(row).forward_fill(),
        made=_made(_WRITTEN),
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


def _late() -> pl.Expr:
    """Say whether a touch came after its entry had expired."""
    ttl_us = pl.col("lives_us").forward_fill()
    return ((pl.col("what") == _TOUCHED) & (pl.col("value_us") - pl.col("before") > ttl_us)).fill_null(False)


def _alive() -> pl.Expr:
    """Say whether a touch found its entry: written in it, and not expired since."""
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    failed = pl.when("late_then").then(row).forward_fill().fill_null(-1)
    found = (pl.col("made") >= pl.col("first")) & (pl.col("made") > failed)
    return ((pl.col("what") == _TOUCHED) & found).fill_null(False)
