"""Values and frames as JSON has them, laid out with a row a line."""

from typing import Any

import polars as pl
from polars import selectors

from costscan.reports.text.plain import DECIMALS, line_of, plain, text_of


@plain.register
def _(value: pl.DataFrame) -> list[dict[str, Any]]:
    rows = value.with_columns(
        selectors.decimal().round(DECIMALS).cast(pl.Decimal(38, DECIMALS)).cast(pl.Float64),
        pl.when(selectors.float().is_finite()).then(selectors.float()),
        selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"),
    ).to_dicts()
    nested = [name for name, kind in value.schema.items() if kind.is_nested()]
    return [row | {name: plain(row[name]) for name in nested} for row in rows] if nested else rows


__all__ = ["DECIMALS", "line_of", "plain", "text_of"]
