"""What each block cost over all the turns that carried it, exact to the pico-dollar and in linear time.

A prompt is read from the cache up to some position, written to the cache up to another, and plain input from
there. The cost of its first x tokens is a sum of hinges w * max(x - b, 0), one at each of these positions,
where the price of a token changes by w. In an epoch a block keeps its place [s, e), and the hinges of turns
before it entered cancel from s on, because the prompt ended there. So its cost is G(e) - G(s), with
G(x) = x * sum(w) - sum(w * b) over the hinges below x: two running sums, no matter how many turns it rode.
"""

from typing import Final

import polars as pl

_EPOCH: Final = ["copy", "epoch"]
READ_TO: Final = pl.col("cache_read_tokens")
WRITE_1H_TO: Final = READ_TO + pl.col("cache_write_1h_tokens")
WRITE_TO: Final = WRITE_1H_TO + pl.col("cache_write_5m_tokens")


def positioned(placements: pl.DataFrame, order: list[str]) -> pl.DataFrame:
    """Add begin_token and end_token: where each placement stands in the prompts of its epoch."""
    ends = pl.col("tokens").cum_sum().over(_EPOCH)
    return placements.sort(*_EPOCH, "start", *order).with_columns(end_token=ends).with_columns(
        begin_token=pl.col("end_token") - pl.col("tokens"))


def costs(placed: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Add pico_usd, the input cost of each placement over its epoch, and entry_pico_usd, that of its first turn.

    Args:
        placed: from `positioned`.
        calls: copy, epoch, seq, the token columns and the unit prices `pico_*`, 0 where not to be billed.
    """
    sums = _sums_at(placed, _hinges(calls))
    return _entry(sums, calls)


def _hinges(calls: pl.DataFrame) -> pl.DataFrame:
    read, w1h, w5m, plain = (
        pl.col(f"pico_{m}") for m in ("cache_read", "cache_write_1h", "cache_write_5m", "input")
    )
    steps = [
        (pl.lit(0, pl.Int64), read), (READ_TO, w1h - read), (WRITE_1H_TO, w5m - w1h), (WRITE_TO, plain - w5m),
        (pl.col("prompt_tokens"), -plain),
    ]
    return pl.concat([
        calls.select(*_EPOCH, at.alias("at"), change.alias("step")) for at, change in steps
    ]).filter(pl.col("step") != 0).group_by(*_EPOCH, "at").agg(pl.col("step").sum())


def _sums_at(placed: pl.DataFrame, hinges: pl.DataFrame) -> pl.DataFrame:
    placed = placed.with_row_index("row")
    asked = pl.concat([
        placed.select(*_EPOCH, pl.col("begin_token").alias("at"), "row", sign=pl.lit(-1, pl.Int64)),
        placed.select(*_EPOCH, pl.col("end_token").alias("at"), "row", sign=pl.lit(1, pl.Int64)),
    ])
    running = hinges.sort(*_EPOCH, "at").with_columns(
        slope=pl.col("step").cum_sum().over(_EPOCH),
        offset=(pl.col("step") * pl.col("at")).cum_sum().over(_EPOCH),
    ).drop("step").sort("at")
    found = asked.sort("at").join_asof(running, on="at", by=_EPOCH, check_sortedness=False).with_columns(
        cost=(pl.col("at") * pl.col("slope") - pl.col("offset")).fill_null(0) * pl.col("sign"),
    )
    cost = found.group_by("row").agg(pl.col("cost").sum().alias("pico_usd"))
    return placed.join(cost, on="row", how="left", maintain_order="left").drop("row")


def _entry(placed: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Price the first turn of each placement: its overlap with what was read, written and sent plain."""
    first = calls.select(
        "copy", pl.col("seq").alias("start"), read_to=READ_TO, write_1h_to=WRITE_1H_TO, write_to=WRITE_TO,
        p_read="pico_cache_read", p_1h="pico_cache_write_1h", p_5m="pico_cache_write_5m", p_in="pico_input",
    )
    joined = placed.join(first, on=["copy", "start"], how="left", maintain_order="left")
    bounds = [pl.lit(0, pl.Int64), pl.col("read_to"), pl.col("write_1h_to"), pl.col("write_to"), None]
    prices = ("p_read", "p_1h", "p_5m", "p_in")
    cost = pl.sum_horizontal(
        _overlap(low, high) * pl.col(price)
        for low, high, price in zip(bounds[:-1], bounds[1:], prices, strict=True)
        if low is not None
    )
    return joined.with_columns(entry_pico_usd=cost).drop(
        "read_to", "write_1h_to", "write_to", *prices)


def _overlap(low: pl.Expr, high: pl.Expr | None) -> pl.Expr:
    end = pl.col("end_token") if high is None else pl.min_horizontal("end_token", high)
    return pl.max_horizontal(end - pl.max_horizontal("begin_token", low), 0)
