"""What turns cost: units times unit prices, exact to 1e-12 USD."""

from typing import Final

import polars as pl

from costscan.errors import CostscanError
from costscan.meters import ALL_METERS, METERS, UNITS_OF
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

    `usd` is Decimal(38,12) USD, the exact sum of the columns `<meter>_pico_usd`, Int64 pico-USD. A meter with
    units but no price is null, and so is the `usd` of its turn; no units cost 0 at any price. Units that are
    not known add nothing: the sum is a lower bound, and null where no units are known.

    Args:
        turns: needs the token columns and web_searches.
        unit: what `unit_prices` gave for the same turns.

    Raises:
        CostscanError: a turn could cost more than 9.2 million USD, which no log means.
    """
    both = turns.select(*UNITS_OF.values()).hstack(unit.select(*UNIT_COLUMNS.values()))
    _refuse_overflow(both)
    costs = both.select(cost_of(meter).alias(column) for meter, column in COST_COLUMNS.items())
    total = pl.sum_horizontal(COST_COLUMNS.values(), ignore_nulls=False)
    has_usage = both.select(
        pl.any_horizontal(pl.col(name).is_not_null() for name in UNITS_OF.values())
    ).to_series()
    return costs.select(usd_of(pl.when(has_usage).then(total)).alias("usd"), *COST_COLUMNS.values())


def bill(turns: pl.DataFrame, unit: pl.DataFrame) -> pl.DataFrame:
    """Return the `bill` frame: a row per turn and meter with units, in the order of turns, then of meters.

    `usd` is null where the price is unknown; the sum over a turn is its `usd` in `turn_usd`. Arguments and
    errors are those of `turn_usd`.
    """
    both = turns.select("run_id", "turn", *UNITS_OF.values()).hstack(unit.select(*UNIT_COLUMNS.values()))
    _refuse_overflow(both)
    both = both.with_row_index("position")
    meters = [
        both.filter(pl.col(units) > 0).select(
            "position",
            "run_id",
            "turn",
            pl.lit(meter).alias("meter"),
            pl.col(units).alias("units"),
            usd_of(cost_of(meter)).alias("usd"),
        )
        for meter, units in UNITS_OF.items()
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


def _refuse_overflow(both: pl.DataFrame) -> None:
    """Int64 wraps silently, so a turn that could reach its end is refused before anything is multiplied."""
    largest = both.select(pl.col(*UNITS_OF.values(), *UNIT_COLUMNS.values()).max()).row(0, named=True)
    products = [(largest[UNITS_OF[m]] or 0) * (largest[UNIT_COLUMNS[m]] or 0) for m in METERS]
    if sum(products) > _LARGEST:
        worst = UNITS_OF[max(zip(products, METERS, strict=True))[1]]
        raise CostscanError(
            f"{worst}: {largest[worst]:,} in one turn cannot be billed", "the log's usage numbers are damaged"
        )
