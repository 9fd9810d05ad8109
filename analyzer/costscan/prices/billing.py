"""What turns cost: units times unit prices, exact to 1e-12 USD."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from costscan.errors import CostscanError
from costscan.meters import ALL_METERS, UNITS_OF, Meter
from costscan.prices.modalities import BEYOND_TEXT, beyond_text, meters_priced, own_cost, own_units
from costscan.prices.units import UNIT_COLUMNS
from costscan.schema.frames import USD
from costscan.schema.tables.runs import BILL

COST_COLUMNS: Final = {meter.name: meter.cost_column for meter in ALL_METERS}
"""The column of `turn_usd` with the cost of each meter."""

_ONE_PICO: Final = pl.lit("0.000000000001").cast(USD)
"""Not a `Decimal`: Polars imports NumPy for one, which takes longer than to bill a small log."""
_LARGEST: Final = 2**63 - 1


def turn_usd(turns: pl.DataFrame, unit: pl.DataFrame) -> pl.DataFrame:
    """Return the cost of every turn, in the order of the turns.

    `usd` is Decimal(38,12) USD, the exact sum of the columns `<meter>_pico_usd`, Int64 pico-USD. Where audio
    or images are told and priced, they are in the cost of their class, and beside it are what those with a
    price of their own cost, and `BEYOND_TEXT`. A meter with units but no price is null, and so is the `usd`
    of its turn; no units cost 0 at any price. Units that are not known add nothing: the sum is a lower bound,
    and null where no units are known.

    Args:
        turns: needs the token columns and web_searches.
        unit: what `unit_prices` gave for the same turns.

    Raises:
        CostscanError: a turn could cost more than 9.2 million USD, which no log means.
    """
    both, told = _beside(turns, unit)
    costs = both.select(
        pl.sum_horizontal(
            cost_of(meter), *(beyond_text(m) for m in told if m.within == meter), ignore_nulls=False
        ).alias(column)
        for meter, column in COST_COLUMNS.items()
    )
    own = [own_cost(meter).alias(meter.cost_column) for meter in told]
    if told:
        own.append(pl.sum_horizontal(map(beyond_text, told)).alias(BEYOND_TEXT))
    total = pl.sum_horizontal(COST_COLUMNS.values(), ignore_nulls=False)
    has_usage = both.select(
        pl.any_horizontal(pl.col(name).is_not_null() for name in UNITS_OF.values())
    ).to_series()
    summed = costs.select(usd_of(pl.when(has_usage).then(total)).alias("usd"), *COST_COLUMNS.values())
    return summed.hstack(both.select(own)) if own else summed


def _beside(turns: pl.DataFrame, unit: pl.DataFrame, *more: str) -> tuple[pl.DataFrame, list[Meter]]:
    """Return units beside unit prices, and which meters of audio and images are among them."""
    told = meters_priced(turns, unit)
    units, prices = [m.units for m in told], [m.unit_column for m in told]
    both = turns.select(*more, *UNITS_OF.values(), *units).hstack(
        unit.select(*UNIT_COLUMNS.values(), *prices)
    )
    _refuse_overflow(both, told)
    return both, told


def bill(turns: pl.DataFrame, unit: pl.DataFrame) -> pl.DataFrame:
    """Return the `bill` frame: a row per turn and meter with units, in the order of turns, then of meters.

    Audio and images with a price of their own have rows of their own, and are in no other.

    `usd` is null where the price is unknown; the sum over a turn is its `usd` in `turn_usd`. Arguments and
    errors are those of `turn_usd`.
    """
    both, told = _beside(turns, unit, "run_id", "turn")
    both = both.with_row_index("position")
    for meter in told:
        of_class = UNITS_OF[str(meter.within)]
        own = both.select(own_units(meter)).to_series()
        both = both.with_columns(pl.col(of_class) - own, own.alias(meter.units))
    meters = [
        both.filter(pl.col(units) > 0).select(
            "position",
            "run_id",
            "turn",
            pl.lit(meter).alias("meter"),
            pl.col(units).alias("units"),
            usd_of(cost).alias("usd"),
        )
        for meter, units, cost in (
            *((meter, units, cost_of(meter)) for meter, units in UNITS_OF.items()),
            *((meter.name, meter.units, own_cost(meter)) for meter in told),
        )
    ]
    return pl.concat(meters).sort("position", maintain_order=True).select(*BILL.columns)


def cost_of(meter: str) -> pl.Expr:
    """Return what a meter costs, in pico-USD, of units and unit prices; no units cost 0 at any price.

    Units that are not known add nothing.
    """
    units = pl.col(UNITS_OF[meter]).fill_null(0)
    return pl.when(units == 0).then(0).otherwise(units * pl.col(UNIT_COLUMNS[meter]))


def usd_of(pico: pl.Expr) -> pl.Expr:
    """Return whole pico-USD as Decimal USD."""
    return pico.cast(USD) * _ONE_PICO


def _refuse_overflow(both: pl.DataFrame, told: Sequence[Meter]) -> None:
    """Int64 wraps silently, so a turn that could reach its end is refused before anything is multiplied."""
    meters = [*ALL_METERS, *told]
    columns = (column for m in meters for column in (m.units, m.unit_column))
    largest = both.select(pl.col(*columns).max()).row(0, named=True)
    products = [(largest[m.units] or 0) * (largest[m.unit_column] or 0) for m in meters]
    if sum(products) > _LARGEST:
        worst = max(zip(products, [m.units for m in meters], strict=True))[1]
        raise CostscanError(
            f"{worst}: {largest[worst]:,} in one turn cannot be billed", "the log's usage numbers are damaged"
        )
