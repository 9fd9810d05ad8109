"""By how much a turn may cost more or less than was foreseen: not all that it is made of was billed."""

from typing import Final

import polars as pl

from costscan.cache.automatic import MAY_READ
from costscan.levers.plan import DOUBTS, PREFIX_ERROR, SPREAD
from costscan.meters import CACHED_TOKENS, PROMPT_METERS, PROMPT_TOKENS
from costscan.prices import cost_of

SPREADS: Final = ("more_pico_usd", "less_pico_usd")
"""By how much the cost of a turn may be more or less than what was foreseen."""
_SHARED: Final = ("shared_tokens", "stable_shared_tokens")
_OF_STEPS: Final = (*SPREAD, *DOUBTS, PREFIX_ERROR)
UNSURE: Final = (*_OF_STEPS, *_SHARED)
"""What of the steps of a plan says how sure their cost is."""


def spread(turns: pl.LazyFrame, steps: pl.DataFrame, *, may_read: bool = False) -> pl.LazyFrame:
    """Return turns with `SPREADS`, 0 where all is sure or the cost is unknown.

    Args:
        turns: run (its number), token classes, unit prices, pico_usd and `UNSURE`.
        steps: the steps of their plan, in the same order.
        may_read: whether `MAY_READ` is among the turns.
    """
    if not may_read and not any(steps.select(pl.col(_OF_STEPS).max()).row(0)):
        return turns.with_columns(pl.lit(0, pl.Int64).alias(name) for name in SPREADS)
    is_priced = pl.col("pico_usd").is_not_null()
    ends = zip(SPREADS, (_more(), _less() + _read() if may_read else _less()), strict=True)
    return turns.with_columns(
        pl.when(is_priced).then(end.round().cast(pl.Int64)).otherwise(0).alias(name) for name, end in ends
    )


def with_other(turns: pl.DataFrame, other: pl.Series) -> pl.DataFrame:
    """Return turns with another outcome that is as likely in their `SPREADS`, run by run.

    Args:
        turns: run, pico_usd and `SPREADS`.
        other: the other pico_usd of each turn.
    """
    more = (pl.col("_other") - pl.col("pico_usd")).fill_null(0).sum().over("run")
    is_first = pl.col("run") != pl.col("run").shift(1, fill_value=-1)
    ends = zip(SPREADS, (more, -more), strict=True)
    both = turns.lazy().with_columns(other.alias("_other")).with_columns(
        (pl.col(name) + pl.when(is_first).then(end.clip(lower_bound=0)).otherwise(0)).alias(name)
        for name, end in ends
    )  # fmt: skip
    return both.drop("_other").collect()


def _unit(meter: str) -> pl.Expr:
    return pl.col(f"pico_{meter}").fill_null(0)


def _prompt() -> pl.Expr:
    return pl.sum_horizontal(cost_of(m).fill_null(0) for m in PROMPT_METERS)


def _sized() -> pl.Expr:
    """Price the share of all tokens by which another tokenizer may be off."""
    return (_prompt() + cost_of("output").fill_null(0)) * pl.col("size_spread")


def _more() -> pl.Expr:
    grown = cost_of("output").fill_null(0) * pl.col("output_growth")
    again = pl.max_horizontal(_unit("cache_write_5m") - _unit("cache_read"), 0)
    lost = pl.col("cache_read_tokens") * pl.col("missed_reads") * again
    written = pl.col("more_output_tokens") * _unit("output")
    return _sized() + grown + lost + _of_prompt("more_tokens") + written + _of_prefix()


def _less() -> pl.Expr:
    written = pl.col("fewer_output_tokens") * _unit("output")
    return _sized() + _of_prompt("fewer_tokens") + written + _of_prefix()


def _read() -> pl.Expr:
    """Price what a cache that promises nothing may read: by how much it would cost less.

    By the share that prompts may be shorter, that is less, too.
    """
    read = pl.coalesce("pico_cache_read", _unit("input"))
    saved = pl.col(MAY_READ) * pl.max_horizontal(_unit("input") - read, 0)
    return saved * (1 - pl.col("size_spread"))


def _of_prompt(tokens: str) -> pl.Expr:
    """Price tokens of the prompts: new ones as what is new, the others as the mean of the prompt."""
    carried = pl.min_horizontal(tokens, pl.col(tokens).shift(1).over("run").fill_null(0))
    sent = pl.max_horizontal(pl.sum_horizontal(PROMPT_TOKENS), 1)
    return carried * _prompt() / sent + (pl.col(tokens) - carried) * _new()


def _new() -> pl.Expr:
    return (
        pl.when(pl.col("cache_write_1h_tokens") > 0)
        .then(_unit("cache_write_1h"))
        .when(pl.col("cache_write_5m_tokens") > 0)
        .then(_unit("cache_write_5m"))
        .otherwise(_unit("input"))
    )


def _of_prefix() -> pl.Expr:
    """Price what is not sure of the length of a prefix, where a turn reads or writes up to its end only.

    Tokens that are not before that end are behind it, and cost what is there.
    """
    cached = pl.sum_horizontal(CACHED_TOKENS)
    reads, writes = (pl.any_horizontal(end == pl.col(name) for name in _SHARED) & (end > 0)
                     for end in (pl.col("cache_read_tokens"), cached))  # fmt: skip
    between = (
        pl.when(reads)
        .then(_new() - _unit("cache_read"))
        .when(writes & (pl.col("input_tokens") > 0))
        .then(_new() - _unit("input"))
        .otherwise(0)
    )
    return pl.col(PREFIX_ERROR) * between.abs()


__all__ = ["SPREADS", "UNSURE", "spread", "with_other"]
