"""The whole price table, and the user's own prices in it."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import polars as pl

from costscan import meters
from costscan.errors import CostscanError
from costscan.meters import PRICED
from costscan.models import DATA_PATH
from costscan.prices.cache import kept
from costscan.prices.names import identify
from costscan.prices.overlay import OVERLAY_PATH, overlay, source_name
from costscan.prices.rates import joined, to_frame, to_usd
from costscan.schema.tables.runs import PRICES

Overrides: TypeAlias = Mapping[str, Mapping[str, str | int | Decimal]]
"""The user's own prices: model (any spelling) -> meter -> USD per million tokens (searches)."""

_OVERRIDE: Final = "override"
# Far above any price, and small enough for its pico-USD to fit an Int64.
_DEAREST_USD: Final = 10**9


def price_table(overrides: Overrides | None = None) -> pl.DataFrame:
    """Return every known price of Claude, OpenAI and Google models as a `prices` frame.

    A row holds from `valid_from` (null: always) until before `valid_to`, for prompts of more than
    `over_prompt_tokens` tokens; the row with the largest such size sets the price of the whole request.
    `usd_per_mtok` is USD per million units, for `web_search` per million searches.

    Prices come from genai-prices and `prices.toml`; each row names its source. See `with_overrides` for the
    meaning of `overrides` and the errors it raises.
    """
    return with_overrides(_list_prices(), overrides)


def as_of() -> dict[str, str]:
    """Return what the prices are taken from (`source`) and the day they were last checked (`as_of`)."""
    day: date = overlay()["as_of"]
    return {"source": f"{source_name()} + costscan", "as_of": day.isoformat()}


def with_overrides(table: pl.DataFrame, overrides: Overrides | None) -> pl.DataFrame:
    """Return the table with list prices replaced by the user's own.

    An override is the standard price of a short prompt, at any date; batch, fast and long prompts keep their
    ratio to it. Meters that are not named keep their price. A model the table lacks is added with the meters
    that are named, and no others.

    Raises:
        CostscanError: a meter that does not exist, or a price that is no number of USD from 0 to 1e9.
    """
    for spelling, prices in (overrides or {}).items():
        own = {meter: _amount(spelling, meter, value) for meter, value in prices.items()}
        ref = identify(spelling)
        model = ref.model if ref else spelling
        rows = table.filter(pl.col("model") == model)
        added = _repriced(rows, own) if rows.height else _added(model, own)
        table = pl.concat([table.filter(pl.col("model") != model), added])
    return table


@cache
def _list_prices() -> pl.DataFrame:
    return kept("prices", PRICES.schema, (OVERLAY_PATH, DATA_PATH, Path(meters.__file__)), _make_list_prices)


def _make_list_prices() -> pl.DataFrame:
    # These two import genai-prices, which is slow.
    from costscan.prices.claude import claude_rates  # noqa: PLC0415
    from costscan.prices.others import other_rates  # noqa: PLC0415

    return to_frame(joined([*claude_rates(), *other_rates()]))


def _amount(model: str, meter: str, value: str | int | Decimal) -> Fraction:
    where = f"price of {model}, {meter}"
    if meter not in PRICED:
        raise CostscanError(f"{where}: no such meter", f"use one of {', '.join(PRICED)}")
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= _DEAREST_USD:
        raise CostscanError(f"{where}: {value!r} is no price", 'give USD per million tokens, like "4.0"')
    return Fraction(amount)


def _added(model: str, own: Mapping[str, Fraction]) -> pl.DataFrame:
    rows = [
        ("unknown", model, "standard", "standard", meter, to_usd(own[meter]), 0, None, None, _OVERRIDE)
        for meter in PRICED
        if meter in own
    ]
    return pl.DataFrame(rows, schema=PRICES.schema, orient="row")


def _repriced(rows: pl.DataFrame, own: Mapping[str, Fraction]) -> pl.DataFrame:
    """The rows of one model with `own` prices, group by group of rows that hold together."""
    together = ["provider", "model", "tier", "speed", "over_prompt_tokens", "valid_from", "valid_to"]
    groups = rows.partition_by(together, maintain_order=True)
    listed = [(group.row(0, named=True), _by_meter(group)) for group in groups]
    standard = [
        (head, prices)
        for head, prices in listed
        if (head["tier"], head["speed"], head["over_prompt_tokens"]) == ("standard", "standard", 0)
    ]
    new = []
    for head, prices in listed:
        base = _base_on(standard, head["valid_from"])
        mine = {meter: usd * _ratio(meter, prices, base) for meter, usd in own.items()}
        new += [
            head | {"meter": meter, "usd_per_mtok": to_usd(usd)} for meter, usd in (prices | mine).items()
        ]
    source = pl.when(pl.col("meter").is_in(list(own))).then(pl.lit(_OVERRIDE)).otherwise("source")
    return pl.DataFrame(new, schema=PRICES.schema, orient="row").with_columns(source=source)


def _by_meter(group: pl.DataFrame) -> dict[str, Fraction]:
    return {meter: Fraction(usd) for meter, usd in group.select("meter", "usd_per_mtok").rows()}


def _base_on(
    standard: list[tuple[dict[str, Any], dict[str, Fraction]]], start: datetime | None
) -> dict[str, Fraction]:
    """The standard prices in force when a group of rows begins, the first ones if it is older."""
    in_force = [
        prices
        for head, prices in standard
        if not head["valid_from"] or (start and head["valid_from"] <= start)
    ]
    return in_force[-1] if in_force else standard[0][1]


def _ratio(meter: str, prices: Mapping[str, Fraction], base: Mapping[str, Fraction]) -> Fraction:
    """How many times the standard price these are; a meter without a list price goes by the input."""
    if meter == "web_search":
        return Fraction(1)
    base_meter = meter if base.get(meter) and meter in prices else "input"
    return (
        prices[base_meter] / base[base_meter]
        if base.get(base_meter) and base_meter in prices
        else Fraction(1)
    )
