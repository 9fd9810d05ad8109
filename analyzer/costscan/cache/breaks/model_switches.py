"""Switches to another model in the middle of a run: what the cold cache cost, and what the model saved."""

from decimal import Decimal
from typing import Final

import polars as pl

from costscan.cache.breaks.cost import as_read
from costscan.cache_policy import LONG, LONG_US, SHORT_US
from costscan.prices import turn_usd, unit_prices
from costscan.schema.frames import USD
from costscan.schema.tables.cache import MODEL_SWITCHES

_PLACE: Final = ["run_id", "turn"]
_SWITCH: Final = ["run_id", "first_turn"]
_ZERO: Final = pl.lit(0).cast(USD)


def model_switches(
    turns: pl.DataFrame, breaks: pl.DataFrame, use: pl.DataFrame, table: pl.DataFrame, discount: Decimal
) -> pl.DataFrame:
    """Return the `model_switches` frame.

    What a switch saved is counted as if the new model had had the context in its cache, with the tokens as it
    counted them: the tokens that the first turn lost are read. So what is saved and what is lost add up.
    After a pause that the cache does not outlive, a switch loses nothing: the model before would begin cold
    too.

    Args:
        turns: the logged turns.
        breaks: the `prefix_breaks` frame.
        use: run_id, turn, ttl: the TTL of what each turn has cached.
        table: the prices.
        discount: the share of the list price that is paid.
    """
    after = _after_switches(turns)
    if after.is_empty():
        return pl.DataFrame(schema=MODEL_SWITCHES.schema)
    lost = _lost(breaks, after, use)
    switched = after.join(lost, on=_PLACE, how="left", maintain_order="left").with_columns(
        usd_lost=pl.when(pl.col("tokens_lost").is_null()).then(_ZERO).otherwise("usd_lost")
    )
    saved = switched.select(*_SWITCH, usd=_saved(switched, table, discount))
    spans = switched.group_by(_SWITCH, maintain_order=True).agg(
        turn_end=pl.col("turn").last(),
        from_model=pl.col("from_model").first(),
        to_model=pl.col("model").first(),
        usd_lost=pl.col("usd_lost").first(),
    )
    sums = saved.group_by(_SWITCH).agg(
        usd_saved=pl.when(pl.col("usd").null_count() == 0).then(pl.col("usd").sum()).cast(USD)
    )
    switches = spans.join(sums, on=_SWITCH, how="left", maintain_order="left").rename({"first_turn": "turn"})
    return switches.with_columns(usd_lost_back=_lost_back()).select(*MODEL_SWITCHES.columns)


def _after_switches(turns: pl.DataFrame) -> pl.DataFrame:
    """Return the turns after the first switch of their run, with first_turn and the model before that turn.

    What follows a refusal is left out: another model took over because that one would not answer.
    """
    named = turns.sort(_PLACE).with_columns(
        before=pl.col("model").shift(1).over("run_id"),
        before_raw=pl.col("model_raw").shift(1).over("run_id"),
        was_refused=(pl.col("stop_reason").shift(1).over("run_id") == "refusal").fill_null(value=False),
    )
    begins = (pl.col("model") != pl.col("before")).fill_null(value=False)

    def first(name: str) -> pl.Expr:
        return pl.when(begins).then(name).forward_fill().over("run_id")

    return named.with_columns(
        first_turn=first("turn"),
        from_model=first("before"),
        from_model_raw=first("before_raw"),
        is_forced=first("was_refused"),
    ).filter(pl.col("first_turn").is_not_null() & ~pl.col("is_forced"))


def _lost(breaks: pl.DataFrame, turns: pl.DataFrame, use: pl.DataFrame) -> pl.DataFrame:
    """Return tokens_lost and usd_lost of the turns that found no cache but would have on the model before."""
    paused = turns.select(*_PLACE, "gap_s").join(use, on=_PLACE, how="left")
    lives_s = pl.when(pl.col("ttl") == LONG).then(LONG_US).otherwise(SHORT_US) / 1e6
    cold = paused.filter(pl.col("gap_s") > lives_s)
    switched = breaks.filter(pl.col("cause") == "model-switched").join(cold, on=_PLACE, how="anti")
    is_priced = pl.col("usd_lost").null_count() == 0
    return switched.group_by(_PLACE).agg(
        pl.col("tokens_lost").sum(), usd_lost=pl.when(is_priced).then(pl.col("usd_lost").sum())
    )


def _saved(switched: pl.DataFrame, table: pl.DataFrame, discount: Decimal) -> pl.Series:
    """Return what each turn would have cost more on the model before, both with a warm cache."""
    is_first = pl.col("turn") == pl.col("first_turn")
    warm = as_read(switched.with_columns(tokens_lost=pl.when(is_first).then("tokens_lost").fill_null(0)))
    other = warm.with_columns(model="from_model", model_raw="from_model_raw")
    usd = [turn_usd(way, unit_prices(way, table, discount=discount))["usd"] for way in (other, warm)]
    return (usd[0] - usd[1]).cast(USD)


def _lost_back() -> pl.Expr:
    """Return what the next switch lost where it leads back; 0 where the run did not go back."""

    def following(name: str) -> pl.Expr:
        return pl.col(name).shift(-1).over("run_id", order_by="turn")

    goes_back = (following("to_model") == pl.col("from_model")).fill_null(value=False)
    return pl.when(goes_back).then(following("usd_lost")).otherwise(_ZERO)


__all__ = ["model_switches"]
