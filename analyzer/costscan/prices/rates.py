"""One price with its conditions, and the frame made of many."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

import polars as pl

from costscan.meters import MODALITY_METERS, PRICED, SEARCHES
from costscan.schema.tables.runs import PRICES

_PICO: Final = 10**12

Prices = Mapping[str, Fraction]
"""USD per million units by meter; an absent meter has no known price."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What one model costs in one tier, speed and prompt size from `valid_from` until before `valid_to`."""

    provider: str
    model: str
    tier: str
    speed: str
    over_prompt_tokens: int
    valid_from: date | None
    valid_to: date | None
    usd_per_mtok: Prices
    source: str


def scaled(prices: Prices, times: Fraction, output_times: Fraction | None = None) -> dict[str, Fraction]:
    """Return the token prices multiplied by `times` (output by `output_times`); the search fee stays."""
    written = ["output", *(meter.name for meter in MODALITY_METERS if meter.within == "output")]
    factor = dict.fromkeys(PRICED, times) | dict.fromkeys(written, output_times or times)
    factor[SEARCHES.name] = Fraction(1)
    return {meter: usd * factor[meter] for meter, usd in prices.items()}


def joined(rates: Iterable[Rate]) -> list[Rate]:
    """Return the rates in order, those of touching periods made one where nothing but the period differs."""
    merged: list[Rate] = []
    for rate in sorted(rates, key=_order):
        last = merged[-1] if merged else None
        if (
            last
            and last.valid_to == rate.valid_from
            and replace(rate, valid_from=last.valid_from) == replace(last, valid_to=rate.valid_to)
        ):
            merged[-1] = replace(last, valid_to=rate.valid_to)
        else:
            merged.append(rate)
    return merged


def to_frame(rates: Iterable[Rate]) -> pl.DataFrame:
    """Return the rates as a `prices` frame, one row per meter; of a search USD per million searches."""
    rows = [
        (
            rate.provider, rate.model, rate.tier, rate.speed, meter, to_usd(rate.usd_per_mtok[meter]),
            rate.over_prompt_tokens, _midnight(rate.valid_from), _midnight(rate.valid_to), rate.source,
        )
        for rate in rates
        for meter in PRICED
        if meter in rate.usd_per_mtok
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=PRICES.schema, orient="row")


def to_usd(amount: Fraction) -> Decimal:
    """Return the amount in USD with 12 decimals, a remainder rounded half to even."""
    return Decimal(round(amount * _PICO)).scaleb(-12)


def _order(rate: Rate) -> tuple[str, str, str, str, int, date]:
    key = (rate.provider, rate.model, rate.tier, rate.speed, rate.over_prompt_tokens)
    return (*key, rate.valid_from or date.min)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)
