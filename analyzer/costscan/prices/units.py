"""The price of one token of each kind, turn by turn, in whole pico-USD (1e-12 USD).

A price depends on little: model, spelling, tier, speed, geo, the period between two price changes and the
prompt size between two limits. Each combination that occurs is priced once, in exact arithmetic.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any, Final, NamedTuple, Self, TypeAlias

import polars as pl

from costscan.errors import CostscanError
from costscan.meters import ALL_METERS, PROMPT_TOKENS, SEARCHES
from costscan.models import model_info, premium, resolve
from costscan.prices.modalities import meters_told
from costscan.prices.overlay import overlay
from costscan.prices.refusals import UNBILLED
from costscan.prices.table import Overrides, with_overrides
from costscan.schema.frames import TIME

UNIT_COLUMNS: Final = {meter.name: meter.unit_column for meter in ALL_METERS}
"""The unit price column of each meter."""

_PICO_PER_USD_PER_MTOK: Final = 10**6
_KEYS: Final = ("model", "model_raw", "tier", "speed", "geo")
# OpenAI's words for the plain tier.
_PLAIN_TIERS: Final = frozenset({None, "", "default", "auto"})
_PLACES: Final = frozenset({"", "us", "global", "not_available"})
"""What `inference_geo` may be; the price of another place is not known."""
_LARGEST_SHARE: Final = 100
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Row:
    """The prices that hold in one period for prompts over a size, in pico-USD per unit."""

    valid_from: datetime
    valid_to: datetime | None
    over: int
    pico: Mapping[str, Fraction]


class _Steps(NamedTuple):
    """The days on which prices change, and the sizes of prompts above which they do."""

    cuts: Sequence[datetime]
    limits: Sequence[int]


_Book: TypeAlias = dict[tuple[str, str, str], list[_Row]]
_ENTRY: Final = (
    *("tier", "speed", "valid_from", "valid_to", "over_prompt_tokens"),
    *("meter", "usd_per_mtok"),
)


def unit_prices(
    turns: pl.DataFrame,
    table: pl.DataFrame,
    *,
    discount: Decimal | int | str = 1,
    overrides: Overrides | None = None,
    now: datetime | None = None,
) -> pl.DataFrame:
    """Return the price of one unit of each meter for every turn, in the order of the turns.

    Columns `pico_<meter>`, Int64 pico-USD per token (`pico_web_search`: per search), null where the price is
    unknown; of audio and images those of which the turns tell any tokens. `turns` needs model, model_raw,
    tier, speed, geo, at and the token columns; `model` as filled by `canonicalise`.

    The price is that of the moment of use; before a model's first price the first one holds, and a turn
    without a time takes that of `now`. A prompt (input, cache read and cache write together) over a size
    limit moves the whole request to the higher tier. `speed` is the one logged in the response. Fast requests
    have no batch price; "priority" of Claude, paid for beforehand, costs the standard price; the tier "fast"
    is the speed of that name; in the tier `UNBILLED` all costs 0. `geo` "us" and a regional
    endpoint are two ways to the same premium: they do not multiply. Another `geo`, tier or speed has no known
    price: it is never the standard one. `discount` is the share that is left to pay, on every meter, after
    everything else; only it and overrides can leave a fraction of a pico-USD, rounded half to even.

    Raises:
        CostscanError: the discount is not from 0 to 100, or an override is wrong (see `with_overrides`).
    """
    return PriceBook.of(table, overrides).unit_prices(turns, discount=discount, now=now)


@dataclass(frozen=True)
class PriceBook:
    """A price table that is looked up more than once.

    Attributes:
        entries: by model, the rows of the table.
    """

    entries: Mapping[str, Sequence[tuple[Any, ...]]]
    _books: dict[str, _Book] = field(default_factory=dict)

    @classmethod
    def of(cls, table: pl.DataFrame, overrides: Overrides | None = None) -> Self:
        """Return the book of a price table.

        Raises:
            CostscanError: an override is wrong (see `with_overrides`).
        """
        entries = defaultdict(list)
        for model, *entry in with_overrides(table, overrides).select("model", *_ENTRY).iter_rows():
            entries[model].append(tuple(entry))
        return cls(entries)

    def unit_prices(
        self, turns: pl.DataFrame, *, discount: Decimal | int | str = 1, now: datetime | None = None
    ) -> pl.DataFrame:
        """Return the price of one unit of each meter for every turn, as the function of that name does."""
        share = _share(discount)
        book = self._of_models(turns["model"].unique().drop_nulls())
        limits = sorted({row.over for rows in book.values() for row in rows if row.over})
        days = {day for rows in book.values() for row in rows for day in (row.valid_from, row.valid_to)}
        cuts = sorted(day for day in days if day and day != _EARLIEST)
        keys = turns.select(_keys(cuts, limits, now or datetime.now(UTC)))
        cases = keys.unique()
        columns = UNIT_COLUMNS | {meter.name: meter.unit_column for meter in meters_told(turns)}
        price = partial(_case_prices, tuple(columns), book, _Steps(cuts, limits), share)
        prices = [price(case) for case in cases.iter_rows(named=True)]
        priced = cases.hstack(
            pl.DataFrame(prices, schema=dict.fromkeys(columns.values(), pl.Int64), orient="row")
        )
        joined = keys.join(priced, on=keys.columns, how="left", nulls_equal=True, maintain_order="left")
        return joined.select(*columns.values())

    def _of_models(self, models: Iterable[str]) -> _Book:
        """Return the prices of some models, each read from its entries once."""
        book: _Book = {}
        for model in models:
            if model not in self._books:
                self._books[model] = _book(model, self.entries.get(model, ()))
            book |= self._books[model]
        return book


def _keys(cuts: Sequence[datetime], limits: Sequence[int], now: datetime) -> list[pl.Expr]:
    """What decides the price of each turn: `period` price changes passed, `size` tier limits exceeded."""
    at, prompt = pl.col("at").cast(TIME).fill_null(now), pl.sum_horizontal(PROMPT_TOKENS)
    period = pl.lit(pl.Series(cuts, dtype=TIME)).search_sorted(at, side="right")
    size = pl.lit(pl.Series(limits, dtype=pl.Int64)).search_sorted(prompt, side="left")
    return [pl.col(_KEYS), period.alias("period"), size.alias("size")]


def _book(model: str, entries: Iterable[tuple[Any, ...]]) -> _Book:
    """Sort entries by (model, tier, speed), meters that hold together in one row, in order of time."""
    together: dict[tuple[Any, ...], dict[str, Fraction]] = defaultdict(dict)
    for tier, speed, start, end, over, meter, usd in entries:
        together[tier, speed, start or _EARLIEST, end, over][meter] = Fraction(usd) * _PICO_PER_USD_PER_MTOK
    book: _Book = defaultdict(list)
    for (tier, speed, start, end, over), pico in together.items():
        book[model, tier, speed].append(_Row(start, end, over, pico))
    return {key: sorted(rows, key=lambda row: row.valid_from) for key, rows in book.items()}


def _case_prices(
    meters: Sequence[str],
    book: _Book,
    steps: _Steps,
    share: Fraction,
    case: Mapping[str, Any],
) -> tuple[int | None, ...]:
    if case["tier"] == UNBILLED:
        return (0,) * len(meters)
    rows = _rows_for(book, case["model"], case["tier"], case["speed"])
    at = steps.cuts[case["period"] - 1] if case["period"] else _EARLIEST
    row = _row_at(rows, at, steps.limits[case["size"] - 1] if case["size"] else 0)
    if row is None or (case["geo"] or "").lower() not in _PLACES:
        return (None,) * len(meters)
    place = _place_factor(case)
    factors = {meter: share if meter == SEARCHES.name else place * share for meter in meters}
    return tuple(round(row.pico[m] * factors[m]) if m in row.pico else None for m in meters)


def _rows_for(book: _Book, model: str, tier: str | None, speed: str | None) -> list[_Row]:
    """The rows of a tier and speed; those of a tier or speed we do not know are none."""
    plain = "standard" if tier in _PLAIN_TIERS else str(tier)
    if speed not in {None, "", "standard"}:
        return book.get((model, "standard", str(speed)), [])
    if plain == "priority" and model_info(model):
        plain = "standard"
    if plain == "fast":
        return book.get((model, "standard", plain), [])
    return book.get((model, plain, "standard"), [])


def _row_at(rows: Sequence[_Row], at: datetime, exceeded: int) -> _Row | None:
    """The row that holds at a moment for a prompt that exceeds the limit `exceeded`."""
    if not rows:
        return None
    at = max(at, rows[0].valid_from)
    in_force = [row for row in rows if row.valid_from <= at and (row.valid_to is None or at < row.valid_to)]
    return max((row for row in in_force if row.over <= exceeded), key=lambda row: row.over, default=None)


def _place_factor(case: Mapping[str, Any]) -> Fraction:
    """The premium for where the request was served: 1 unless it was bound to a region."""
    model = case["model"]
    ref = resolve(case["model_raw"] or "")
    factor = Fraction(premium(ref.region if ref else None, model))
    rule, info = overlay()["us_inference"], model_info(model)
    if (case["geo"] or "").lower() == "us" and info and info.released > rule["released_after"]:
        factor = max(factor, Fraction(rule["times"]))
    return factor * _zone_factor(model, (case["model_raw"] or "").lower())


def _zone_factor(model: str, spelling: str) -> Fraction:
    """The premium of the data zone of Azure that a spelling names; the last entry for a model counts."""
    zones = [zone for zone in overlay()["data_zone"] if spelling.startswith(zone["spelling"])]
    held = [Fraction(zone["times"]) for zone in zones if model in zone.get("models", (model,))]
    return held[-1] if held else Fraction(1)


def _share(discount: Decimal | int | str) -> Fraction:
    try:
        share = Fraction(str(discount))
    except (ValueError, ZeroDivisionError):
        share = Fraction(-1)
    if not 0 <= share <= _LARGEST_SHARE:
        raise CostscanError(
            f"prices.discount: {discount!r} is no share to pay", "give a number like 0.9 for 10% off"
        )
    return share
