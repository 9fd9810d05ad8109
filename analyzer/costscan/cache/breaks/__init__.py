"""Where a prefix could have been read from the cache and was not: the place, the cause, and what was lost."""

from typing import Final

import polars as pl

from costscan.cache.breaks.cause import UNEXPLAINED, with_cause
from costscan.cache.breaks.cost import usd_lost
from costscan.cache.breaks.lost_tokens import with_readable
from costscan.cache.loss_places import LossPlaces
from costscan.cache.requests import LoggedRequests
from costscan.prices import UNITS_OF
from costscan.reading.prompt_diff.normalize import ORDERS, VALUES
from costscan.schema.frames import PROMPT
from costscan.schema.tables.cache import PREFIX_BREAKS

VARYING: Final = sorted(VALUES | ORDERS)
"""The causes that leave what the prompt says as it is."""
_PLACE: Final = ["run_id", "turn"]


def prefix_breaks(
    places: LossPlaces,
    unit: pl.DataFrame,
    logged_requests: LoggedRequests,
    departures: pl.DataFrame,
    grown: pl.DataFrame,
) -> pl.DataFrame:
    """Return the `prefix_breaks` frame.

    Args:
        places: all turns, with their costs, and where in their conversations they stand.
        unit: their unit prices.
        logged_requests: how the logged turns used the cache.
        departures: where prompts in the log depart from those before, from `replay.departures`.
        grown: run_id, turn, carried_tokens: how much of each prompt had been sent before.
    """
    named = places.turns.select(*_PLACE, "model", "effort", "stop_reason", *UNITS_OF.values())
    with_usage = named.hstack(unit).with_columns(prompt_tokens=PROMPT)
    with_usage = with_usage.join(
        grown.select(*_PLACE, "carried_tokens"), on=_PLACE, how="left", maintain_order="left"
    )
    steps = logged_requests.steps.drop("prompt_tokens").join(
        with_usage, on=_PLACE, how="inner", maintain_order="left"
    )
    lost = with_cause(with_readable(steps, departures), logged_requests.positions, departures)
    lost = places.named(lost, "cause", UNEXPLAINED)
    priced = lost.with_columns(usd_lost=usd_lost(lost, unit.columns))
    return pl.concat([_of_texts(departures, priced), _of_usage(priced)]).sort(_PLACE, maintain_order=True)


def _of_texts(departures: pl.DataFrame, lost: pl.DataFrame) -> pl.DataFrame:
    """Return the places where texts differ; the first of a turn has what the turn lost by it."""
    by_text = lost.filter(pl.col("cause") == "text").select(*_PLACE, "tokens_lost", "usd_lost")
    texts = departures.join(by_text, on=_PLACE, how="left", maintain_order="left")
    # Two runs with other words or tools are two tasks, and no break.
    texts = texts.filter(pl.col("against").is_null() | pl.col("cause").is_in(VARYING))
    counts = pl.col("is_first") & pl.col("tokens_lost").is_not_null()
    return texts.with_columns(
        tokens_lost=pl.when(counts).then("tokens_lost").otherwise(0),
        usd_lost=pl.when(counts).then("usd_lost").otherwise(0).cast(PREFIX_BREAKS.schema["usd_lost"]),
    ).select(*PREFIX_BREAKS.columns)


def _of_usage(lost: pl.DataFrame) -> pl.DataFrame:
    """Return what was lost for other reasons than a text in the log."""
    return lost.filter(pl.col("cause").is_not_null() & (pl.col("cause") != "text")).select(
        *_PLACE,
        "layer",
        "path",
        char_offset=pl.lit(None, pl.Int64),
        token_offset=pl.col("cache_read_tokens"),
        cause="cause",
        before=pl.col("was").fill_null(""),
        after=pl.col("now").fill_null(""),
        tokens_lost="tokens_lost",
        usd_lost="usd_lost",
    )


__all__ = ["prefix_breaks"]
