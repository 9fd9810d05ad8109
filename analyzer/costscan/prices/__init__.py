"""Prices and bills: what a model costs at a moment, and what the turns of a log cost.

Units are tokens (searches for `web_search`), unit prices whole pico-USD (1e-12 USD), sums Decimal USD.
"""

from costscan.meters import METERS, UNITS_OF
from costscan.prices.billing import COST_COLUMNS, bill, cost_of, turn_usd, usd_of
from costscan.prices.modalities import AUDIO, BEYOND_TEXT, asks_for_audio, lower_bounds
from costscan.prices.names import UNKNOWN, canonicalise, identify, meant
from costscan.prices.refusals import UNBILLED, with_unbilled
from costscan.prices.table import Overrides, as_of, price_table, with_overrides
from costscan.prices.units import UNIT_COLUMNS, PriceBook, unit_prices

__all__ = [
    "AUDIO",
    "BEYOND_TEXT",
    "COST_COLUMNS",
    "METERS",
    "UNBILLED",
    "UNITS_OF",
    "UNIT_COLUMNS",
    "UNKNOWN",
    "Overrides",
    "PriceBook",
    "as_of",
    "asks_for_audio",
    "bill",
    "canonicalise",
    "cost_of",
    "identify",
    "lower_bounds",
    "meant",
    "price_table",
    "turn_usd",
    "unit_prices",
    "usd_of",
    "with_overrides",
    "with_unbilled",
]
