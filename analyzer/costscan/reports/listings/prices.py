"""The price list as text or JSON."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import polars as pl
from rich.text import Text

from costscan.errors import CostscanError, near
from costscan.meters import ALL_METERS, METERS, MODALITY_METERS, SEARCHES, Meter
from costscan.prices import as_of, identify, price_table
from costscan.reports.text.console import printed, width_of
from costscan.reports.text.json import plain
from costscan.reports.text.numbers import UNKNOWN
from costscan.reports.text.sanitize import inert, wrapped
from costscan.reports.text.table import Column, table
from costscan.settings.keys import Settings

_CACHED: Final = [meter.name for meter in ALL_METERS if meter.is_cached]
_GIVE: Final = {**{name: n for n, name in enumerate(_CACHED, 2)}, SEARCHES.name: 2 + len(_CACHED)}
"""Which prices are left out first where it is narrow: searches, then those that follow from that of input."""
_LETTERS, _CENTS = 26, 2


def show(model: str | None, settings: Settings, *, as_json: bool) -> None:
    """Print what every model costs today, or all dated prices of one.

    Raises:
        CostscanError: no price of such a model is known.
    """
    prices = price_table(settings.prices.models or None)
    rows = _today(prices) if model is None else _of_model(prices, model)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(plain(rows)), indent=1).decode() + "\n")
        return
    basis = as_of()
    writes = " and ".join(meter.heading for meter in ALL_METERS if meter.is_written)
    note = f"List prices as of {basis['as_of']}, USD per million tokens; {writes} are cache writes"
    marks = {source: _mark(n) for n, source in enumerate(sorted({s for row in rows["source"] for s in row}))}
    width = width_of(sys.stdout)
    lines = table(_columns(rows, marks, dated=model is not None), width)
    legend = [line for source, mark in marks.items() for line in _legend(mark, source, width)]
    printed([*(Text(line, style="dim") for line in wrapped(note, width)), *lines, "", *legend])


def _legend(mark: str, source: str, width: int) -> list[str]:
    """Return what a mark stands for, its further lines below its first."""
    first, *more = wrapped(inert(source), width - 2 - len(mark) - 2)
    return [f"  {mark}  {first}", *(" " * (len(mark) + 4) + line for line in more)]


def _today(prices: pl.DataFrame) -> pl.DataFrame:
    """Return one row per model: its standard price of a short prompt now."""
    now = pl.lit(datetime.now(UTC))
    holds = (pl.col("valid_from").is_null() | (pl.col("valid_from") <= now)) & (
        pl.col("valid_to").is_null() | (pl.col("valid_to") > now)
    )
    plain_price = (
        (pl.col("tier") == "standard") & (pl.col("speed") == "standard") & (pl.col("over_prompt_tokens") == 0)
    )
    return _wide(prices.filter(holds & plain_price), ["provider", "model"]).sort("provider", "model")


def _of_model(prices: pl.DataFrame, model: str) -> pl.DataFrame:
    ref = identify(model)
    name = ref.model if ref else model
    rows = prices.filter(pl.col("model") == name)
    if rows.is_empty():
        raise CostscanError(
            f"{model}: no price of this model is known",
            near(name, sorted(prices["model"].unique()), otherwise="costscan prices lists them all"),
        )
    order = ["tier", "speed", "over_prompt_tokens", "valid_from"]
    index = ["provider", "model", *order, "valid_to"]
    standard_first = [pl.col("tier") != "standard", pl.col("speed") != "standard"]
    return _wide(rows, index).sort(*standard_first, *order, nulls_last=False)


def _wide(rows: pl.DataFrame, index: list[str]) -> pl.DataFrame:
    """Return a row per combination of `index`, with a column per meter and all the sources.

    Audio and images have columns where any of the rows has such a price.
    """
    listed = set(rows["meter"])
    meters = [*METERS, *(meter.name for meter in MODALITY_METERS if meter.name in listed)]
    return rows.group_by(index, maintain_order=True).agg(
        *(pl.col("usd_per_mtok").filter(pl.col("meter") == meter).first().alias(meter) for meter in meters),
        source=pl.col("source").unique().sort(),
    )


def _columns(rows: pl.DataFrame, marks: Mapping[str, str], *, dated: bool) -> list[Column]:
    shown = [
        Column(m.heading, [_price(m, value) for value in rows[m.name]], give=_GIVE.get(m.name, 0))
        for m in (*ALL_METERS, *(meter for meter in MODALITY_METERS if dated and meter.name in rows.columns))
    ]
    sources = Column("source", ["".join(marks[s] for s in row) for row in rows["source"]], left=True)
    if not dated:
        names = Column("model", [inert(name) for name in rows["model"]], name=True, style="bold")
        return [names, *shown, sources]
    return [
        Column("from", [_day(value, "always") for value in rows["valid_from"]], left=True),
        Column("until", [_day(value, "now on") for value in rows["valid_to"]], left=True, give=1),
        Column("tier", [_kind(row) for row in rows.iter_rows(named=True)], name=True),
        *shown,
        sources,
    ]


def _mark(number: int) -> str:
    return chr(ord("a") + number) if number < _LETTERS else f"({number})"


def _price(meter: Meter, value: Decimal | None) -> str:
    """Return a price with two decimals or as many as it has."""
    if value is None:
        return UNKNOWN
    amount = value / 1_000_000 if meter is SEARCHES else value
    exact = amount.normalize()
    return f"{exact:f}" if -int(exact.as_tuple().exponent) > _CENTS else f"{exact:.2f}"


def _kind(row: dict[str, Any]) -> str:
    words = [row["tier"], *(["fast"] if row["speed"] == "fast" else [])]
    over = row["over_prompt_tokens"]
    return " ".join(words) + (f", over {over // 1000}k" if over else "")


def _day(value: datetime | None, otherwise: str) -> str:
    return otherwise if value is None else value.date().isoformat()
