"""What each block cost over all the turns that carried it, exact to the pico-dollar and in linear time.

A prompt is read from the cache up to some position, written to the cache up to another, and plain input from
there. The cost of its first x tokens is a sum of hinges w * max(x - b, 0), one at each of these positions,
where the price of a token changes by w. In an epoch a block keeps its place [s, e), and the hinges of turns
before it entered cancel from s on, because the prompt ended there. So its cost is G(e) - G(s), with
G(x) = x * sum(w) - sum(w * b) over the hinges below x: two running sums, no matter how many turns it rode.

The running sums go over all epochs at once. The steps of an epoch sum to zero, so the next one begins with
slope zero, and what is left in the second sum cancels in the difference.
"""

from typing import Final

import polars as pl

READ_TO: Final = pl.col("cache_read_tokens")
WRITE_1H_TO: Final = READ_TO + pl.col("cache_write_1h_tokens")
WRITE_TO: Final = WRITE_1H_TO + pl.col("cache_write_5m_tokens")
_PLACE_BITS: Final = 32


def positioned(placements: pl.DataFrame, order: list[str]) -> pl.DataFrame:
    """Add begin_token and end_token: where each placement stands in the prompts of its epoch.

    `order` are the columns that order the placements of one start. Rows come back in the order of prompts.
    """
    ordered = placements.sort("epoch", "start", *order)
    through = pl.col("tokens").cum_sum()
    begins = (pl.col("epoch") != pl.col("epoch").shift(1)).fill_null(True)
    before = pl.when(begins).then(through - pl.col("tokens")).forward_fill()
    return ordered.with_columns(end_token=through - before).with_columns(
        begin_token=pl.col("end_token") - pl.col("tokens")
    )


def costs(placed: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Add pico_usd, the input cost of a placement over its epoch, and entry_pico_usd, that of its first turn.

    Args:
        placed: from `positioned`; `start` is a row of the calls.
        calls: epoch, the token columns, prompt_tokens and unit prices `pico_*`, 0 where not to be billed.

    A first turn writes 100 tokens to the cache, a second reads them and sends 50 more as they are. Who came
    first costs 100 * 5 when it enters and 100 * 1 in the turn that carries it; the other 50 * 4:

    >>> calls = pl.DataFrame({
    ...     "epoch": 0,
    ...     "cache_read_tokens": [0, 100], "cache_write_1h_tokens": 0, "cache_write_5m_tokens": [100, 0],
    ...     "prompt_tokens": [100, 150],
    ...     "pico_cache_read": 1, "pico_input": 4, "pico_cache_write_5m": 5, "pico_cache_write_1h": 8,
    ... }).with_columns(pl.col(pl.Int32).cast(pl.Int64))
    >>> placed = positioned(
    ...     pl.DataFrame({"epoch": [0, 0], "start": [0, 1], "tokens": [100, 50], "id": [1, 2]}), ["id"]
    ... )
    >>> costs(placed, calls).select("tokens", "entry_pico_usd", "pico_usd").rows()
    [(100, 500, 600), (50, 200, 200)]
    """
    running = _running(calls)
    upto = _cost_upto(running, placed.select("epoch", at="end_token"))
    first = _cost_upto(running, placed.select("epoch", at=pl.lit(0, pl.Int64)))
    begins = (pl.col("epoch") != pl.col("epoch").shift(1)).fill_null(True)
    return (
        placed.with_columns(_upto=upto, _first=first, entry_pico_usd=_entry(placed, calls))
        .with_columns(
            pico_usd=pl.col("_upto") - pl.when(begins).then("_first").otherwise(pl.col("_upto").shift(1)),
        )
        .drop("_upto", "_first")
    )


def sent_tokens(placed: pl.DataFrame, calls: pl.DataFrame) -> pl.Series:
    """Return the tokens of each placement times the kept calls that sent it: from start to epoch's end.

    Args:
        placed: from `positioned`.
        calls: epoch (numbered from 0, without a gap) and kept.
    """
    kept = calls["kept"].cast(pl.Int64)
    through = kept.cum_sum()
    ends = calls.select("epoch", n=through).group_by("epoch").agg(pl.col("n").max()).sort("epoch")["n"]
    before = (through - kept).gather(placed["start"])
    return placed["tokens"] * (ends.gather(placed["epoch"]) - before)


def _running(calls: pl.DataFrame) -> pl.DataFrame:
    """Return the running sums of the hinges, by place: the epoch and the position in one number."""
    read, w1h, w5m, plain = (
        pl.col(f"pico_{m}") for m in ("cache_read", "cache_write_1h", "cache_write_5m", "input")
    )
    steps = [
        (pl.lit(0, pl.Int64), read),
        (READ_TO, w1h - read),
        (WRITE_1H_TO, w5m - w1h),
        (WRITE_TO, plain - w5m),
        (pl.col("prompt_tokens"), -plain),
    ]
    hinges = pl.concat([calls.select("epoch", at=at, step=change) for at, change in steps])
    ordered = hinges.filter(pl.col("step") != 0).with_columns(place=_place()).sort("place")
    return ordered.select(
        "place", slope=pl.col("step").cum_sum(), offset=(pl.col("step") * pl.col("at")).cum_sum()
    )


def _place() -> pl.Expr:
    return pl.col("epoch") * (1 << _PLACE_BITS) + pl.col("at")


def _cost_upto(running: pl.DataFrame, asked: pl.DataFrame) -> pl.Series:
    """Return G at places that are asked for in rising order."""
    at_places = asked.with_columns(place=_place()).join_asof(running, on="place", check_sortedness=False)
    return at_places.select((pl.col("at") * pl.col("slope") - pl.col("offset")).fill_null(0)).to_series()


def _entry(placed: pl.DataFrame, calls: pl.DataFrame) -> pl.Series:
    """Price the first turn of each placement: its overlap with what was read, written and sent plain."""
    first = calls.select(
        read_to=READ_TO,
        write_1h_to=WRITE_1H_TO,
        write_to=WRITE_TO,
        p_read="pico_cache_read",
        p_1h="pico_cache_write_1h",
        p_5m="pico_cache_write_5m",
        p_in="pico_input",
    ).select(pl.all().gather(placed["start"]))
    both = placed.select("begin_token", "end_token").hstack(first)
    zero = pl.lit(0, pl.Int64)
    bounds = [zero, pl.col("read_to"), pl.col("write_1h_to"), pl.col("write_to"), None]
    return both.select(
        pl.sum_horizontal(
            _overlap(bounds[i], bounds[i + 1]) * pl.col(price)
            for i, price in enumerate(("p_read", "p_1h", "p_5m", "p_in"))
        )
    ).to_series()


def _overlap(low: pl.Expr | None, high: pl.Expr | None) -> pl.Expr:
    end = pl.col("end_token") if high is None else pl.min_horizontal("end_token", high)
    return pl.max_horizontal(end - pl.max_horizontal("begin_token", low), 0)
