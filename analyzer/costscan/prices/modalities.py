"""What audio and images cost beyond text: tokens of a class that have a price of their own.

They are told by modality in columns of their own, and are among those of their class: a class costs what text
costs, and what its tokens of other modalities cost beyond that. What they cost beyond text does not change
with what a cache reads, so a replay leaves it as it was billed.
"""

from typing import Final

import polars as pl

from costscan.meters import MODALITY_METERS, Meter

BEYOND_TEXT: Final = "beyond_text_pico_usd"
"""The column of `turn_usd` with what audio and images of a turn cost beyond text, where any are told."""
AUDIO: Final = "audio"
"""What a request with audio asks for: no other model is known to take it."""


def meters_told(turns: pl.DataFrame) -> list[Meter]:
    """Return the meters of the modalities of which turns tell any tokens: mostly there are none."""
    if not {meter.units for meter in MODALITY_METERS} <= set(turns.columns):
        return []
    most = turns.select(pl.col(meter.units).max() for meter in MODALITY_METERS).row(0)
    told = {meter.modality for meter, tokens in zip(MODALITY_METERS, most, strict=True) if tokens}
    return [meter for meter in MODALITY_METERS if meter.modality in told]


def meters_priced(turns: pl.DataFrame, unit: pl.DataFrame) -> list[Meter]:
    """Return the meters of which both the tokens and the unit prices are there."""
    return [m for m in MODALITY_METERS if m.units in turns.columns and m.unit_column in unit.columns]


def own_units(meter: Meter) -> pl.Expr:
    """Return how many of the tokens have a price of their own."""
    return pl.when(pl.col(meter.unit_column).is_not_null()).then(pl.col(meter.units)).fill_null(0)


def own_cost(meter: Meter) -> pl.Expr:
    """Return what the tokens with a price of their own cost, in pico-USD."""
    return own_units(meter) * pl.col(meter.unit_column).fill_null(0)


def beyond_text(meter: Meter) -> pl.Expr:
    """Return what they cost beyond what text costs, in pico-USD; null where the price of text is unknown."""
    units = own_units(meter)
    more = pl.col(meter.unit_column) - pl.col(f"pico_{meter.within}")
    return pl.when(units == 0).then(0).otherwise(units * more)


def lower_bounds(calls: pl.DataFrame, unit: pl.DataFrame, table: pl.DataFrame) -> pl.Expr:
    """Say of calls whether they cost more than is known: audio or images without a price of their own.

    Images that are sent cost what text costs, unless their model has another price for them. Where a model
    writes audio or images at a price of its own and the log does not tell how many tokens those were, some
    may have been.

    Args:
        calls: model and the token columns.
        unit: their unit prices.
        table: the price table.
    """
    lacking = [
        (pl.col(m.units) > 0) & unit[m.unit_column].is_null()
        for m in meters_priced(calls, unit)
        if m.modality == AUDIO or m.within == "output"
    ]
    untold = []
    for meter in MODALITY_METERS:
        if meter.within == "output":
            models = table.filter(meter=meter.name)["model"].unique()
            is_of_them = pl.col("model").is_in(models.implode())
            untold.append(is_of_them & (pl.col("output_tokens") > 0) & pl.col(meter.units).is_null())
    return pl.any_horizontal(*lacking, *untold).fill_null(value=False)


def asks_for_audio() -> pl.Expr:
    """Return `asks`, what requests ask for that some models refuse, with `AUDIO` where they have any."""
    heard = pl.sum_horizontal(m.units for m in MODALITY_METERS if m.modality == AUDIO) > 0
    with_audio = pl.concat_str("asks", pl.lit(AUDIO), separator=" ", ignore_nulls=True)
    return pl.when(heard).then(with_audio).otherwise("asks").alias("asks")


def uncached_beyond_text(turns: pl.DataFrame, unit: pl.DataFrame) -> list[pl.Series]:
    """Return what audio and images of prompts would cost beyond text, were nothing read from a cache.

    A series for each modality of which any are told, in pico-USD; those that were read from the cache cost
    what fresh ones do.
    """
    told = meters_priced(turns, unit)
    if not told:
        return []
    both = turns.select(meter.units for meter in told).hstack(unit)
    beyond = []
    for fresh in (meter for meter in told if meter.within == "input"):
        sent = [m.units for m in told if m.modality == fresh.modality and m.within != "output"]
        more = (pl.col(fresh.unit_column) - pl.col("pico_input")).fill_null(0)
        beyond.append((pl.sum_horizontal(sent) * more).alias(f"{fresh.name}_beyond"))
    return both.select(beyond).get_columns()
