"""What recorded dollars prove of recorded tokens: the TTLs of cache writes, the prices that were paid.

A client sums what its calls cost and keeps of each model the tokens and the dollars. Which writes live for an
hour, whether requests were fast and how long their prompts were is lost in the sum, but few answers give the
dollars.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

import polars as pl

from costscan.prices import METERS, UNIT_COLUMNS, UNITS_OF, unit_prices

PICO: Final = Decimal(10) ** 12
TOLERANCE_USD: Final = Decimal("1e-6")
"""Recorded costs are sums of binary floats; tokens that give them this closely are proven."""
_SOLVED_USD: Final = Decimal("1e-8")
"""A split of the writes that was solved for must give them closer: some split is always within 1e-6 USD."""
_DOUBLE: Final = 2
WINDOW: Final = 200_000
"""Bills tell prompts of more tokens from others, where they tell their length."""

Mode: TypeAlias = tuple[str, str, str | None]
"""Tier, speed and place of inference."""
STANDARD: Final[Mode] = ("standard", "standard", None)
Units: TypeAlias = Mapping[str, int | None]


@dataclass(frozen=True)
class Rest:
    """Tokens of a model that a client recorded and the log does not show.

    `hour` is how many of the writes live for an hour, None where unknown; `hour_share` is their share in the
    logged ones, in millionths. `usd` are the recorded dollars for these tokens, `spent_usd` what the logged
    ones cost. `modes` are those that may have been used, `is_whole` whether all counters were told. Of
    tokens that a provider billed (`is_billed`), `is_long` is whether their prompts were over `WINDOW`.
    """

    model: str
    model_raw: str
    at: datetime | None
    tokens: Mapping[str, int]
    hour: int | None
    hour_share: int
    usd: Decimal | None
    spent_usd: Decimal
    modes: Sequence[Mode]
    is_whole: bool
    is_billed: bool = False
    is_long: bool | None = None


@dataclass(frozen=True)
class Fit:
    """How the tokens of a rest are billed, and whether the dollars prove it.

    `parts` is over how many turns they are spread, so that the prompt of none is over the limit of a higher
    price; `more_read` are cache reads that only the dollars show, an estimate. `is_certain`: the length of
    prompts that were billed does not change the price, or is told.
    """

    mode: Mode
    w5m: int
    w1h: int
    usd: Decimal
    parts: int = 1
    more_read: int = 0
    is_proven: bool = False
    is_estimated: bool = False
    is_certain: bool = False


def fitted(rests: Sequence[Rest], table: pl.DataFrame) -> list[Fit]:
    """Return how each rest is billed.

    Args:
        rests: what is to be billed.
        table: the price table.
    """
    cases = [
        (n, mode, small) for n, rest in enumerate(rests) for mode in rest.modes for small in (True, False)
    ]
    if not cases:
        return []
    rows = [_row(rests[n], mode, small=small) for n, mode, small in cases]
    frame = pl.DataFrame(
        rows,
        schema_overrides={"at": pl.Datetime("us", "UTC"), "geo": pl.String},
        infer_schema_length=None,
    )
    units = unit_prices(frame, table).rows(named=True)
    limits = _limits(table, {rest.model for rest in rests})
    offers: list[list[tuple[Mode, int, Units]]] = [[] for _ in rests]
    for (n, mode, small), price in zip(cases, units, strict=True):
        parts = _prompt(rests[n]) // limits[rests[n].model] + 1 if small and rests[n].model in limits else 1
        offers[n].append((mode, parts, price))
    return [
        _as_billed(rest, offer, limits.get(rest.model, 0)) if rest.is_billed else _fit(rest, offer)
        for rest, offer in zip(rests, offers, strict=True)
    ]


def _row(rest: Rest, mode: Mode, *, small: bool) -> dict[str, Any]:
    tier, speed, geo = mode
    prompt = 0 if small else _prompt(rest)
    others = dict.fromkeys(("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"), 0)
    return {
        "model": rest.model,
        "model_raw": rest.model_raw,
        "tier": tier,
        "speed": speed,
        "geo": geo,
        "at": rest.at,
        "input_tokens": prompt,
        **others,
    }


def _prompt(rest: Rest) -> int:
    return sum(rest.tokens[name] for name in ("input_tokens", "cache_read_tokens", "cache_write_tokens"))


def _limits(table: pl.DataFrame, models: set[str]) -> dict[str, int]:
    """Return the smallest prompt at which a higher price begins for each model, less what a split rounds."""
    rows = table.filter(pl.col("model").is_in(list(models)) & (pl.col("over_prompt_tokens") > 0))
    return {
        model: limit - len(METERS)
        for model, limit in rows.group_by("model").agg(pl.col("over_prompt_tokens").min()).iter_rows()
    }


def _fit(rest: Rest, offers: Sequence[tuple[Mode, int, Units]]) -> Fit:
    """Return the first offer that gives the dollars, else the first that has a price."""
    for mode, parts, units in offers:
        for w5m, w1h, tolerance in _splits(rest, units):
            cost = _pico(rest, units, w5m, w1h)
            if cost is not None and rest.usd is not None and abs(rest.usd - cost / PICO) <= tolerance:
                return Fit(mode, w5m, w1h, cost / PICO, parts, is_proven=True)
    w5m, w1h = _as_logged(rest)
    for mode, parts, units in offers:
        cost = _pico(rest, units, w5m, w1h)
        if cost is not None:
            return _estimated(rest, mode, parts, units) or Fit(mode, w5m, w1h, cost / PICO, parts)
    return Fit(offers[0][0], w5m, w1h, Decimal(0))


def _as_billed(rest: Rest, offers: Sequence[tuple[Mode, int, Units]], limit: int) -> Fit:
    """Return how tokens of a bill are billed: by their own mode, and by what is told of their prompts."""
    (mode, parts, short), (_, _, long) = offers
    w5m, w1h = _as_logged(rest)
    is_flat = short == long
    cost = _pico(rest, long if rest.is_long else short, w5m, w1h) or Decimal(0)
    is_told = rest.is_long or (rest.is_long is False and limit >= WINDOW - len(METERS))
    parts = 1 if is_flat or rest.is_long else parts
    return Fit(mode, w5m, w1h, cost / PICO, parts, is_certain=bool(is_flat or is_told))


def _splits(rest: Rest, units: Units) -> list[tuple[int, int, Decimal]]:
    """Return the splits of the writes to try and how closely each must give the dollars."""
    writes = rest.tokens["cache_write_tokens"]
    if rest.hour is not None:
        return [(writes - rest.hour, rest.hour, TOLERANCE_USD)]
    hour = _solved(rest, units)
    solved = [] if hour is None else [(writes - hour, hour, _SOLVED_USD)]
    return [*solved, *((*split, TOLERANCE_USD) for split in (_as_logged(rest), (writes, 0), (0, writes)))]


def _solved(rest: Rest, units: Units) -> int | None:
    """Return how many of the writes must live for an hour to give the dollars, if any number can."""
    writes = rest.tokens["cache_write_tokens"]
    low, high = (_pico(rest, units, *split) for split in ((writes, 0), (0, writes)))
    if rest.usd is None or low is None or high is None or not low <= rest.usd * PICO <= high or low == high:
        return None
    return round((rest.usd * PICO - low) * writes / (high - low))


def _as_logged(rest: Rest) -> tuple[int, int]:
    writes = rest.tokens["cache_write_tokens"]
    hour = writes * rest.hour_share // 1_000_000 if rest.hour is None else rest.hour
    return writes - hour, hour


def _estimated(rest: Rest, mode: Mode, parts: int, units: Units) -> Fit | None:
    """Return the cheapest cache use that gives the dollars, where the client left its counters out.

    Dollars of twice what the known tokens cost, or more, are believed no more than elsewhere.
    """
    if rest.is_whole or rest.usd is None:
        return None
    writes = rest.tokens["cache_write_tokens"]
    known_pico_usd, read = _pico(rest, units, 0, writes), units["pico_cache_read"]
    whole = (rest.spent_usd + rest.usd) * PICO
    if known_pico_usd is None or not read or whole >= _DOUBLE * (known_pico_usd + rest.spent_usd * PICO):
        return None
    if rest.usd * PICO >= known_pico_usd:
        more = int((rest.usd * PICO - known_pico_usd) // read)
        return Fit(mode, 0, writes, (known_pico_usd + more * read) / PICO, parts, more, is_estimated=True)
    hour = _solved(rest, units) if rest.hour is None else None
    if hour is None:
        return None
    usd = _pico(rest, units, writes - hour, hour)
    return None if usd is None else Fit(mode, writes - hour, hour, usd / PICO, parts, is_estimated=True)


def _pico(rest: Rest, units: Units, w5m: int, w1h: int) -> Decimal | None:
    """Return what the tokens cost in pico-USD, None where a price is missing."""
    counts = {**rest.tokens, "cache_write_5m_tokens": w5m, "cache_write_1h_tokens": w1h}
    cost = Decimal(0)
    for meter, column in UNIT_COLUMNS.items():
        count, price = counts[UNITS_OF[meter]], units[column]
        if count and price is None:
            return None
        cost += count * (price or 0)
    return cost
