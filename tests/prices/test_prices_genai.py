"""Every Claude price beside the one genai-prices gives for it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import polars as pl
from genai_prices import Usage, calc_price

from costscan.models import canonical_models, model_info
from costscan.prices import METERS, price_table, unit_prices

Case = tuple[str, str, datetime, int, str]
"""Model, mode, moment, tokens of the prompt, meter."""

MODES: dict[str, dict[str, str]] = {
    "standard": {},
    "batch": {"processing": "batch"},
    "fast": {"speed": "fast"},
}
SIZES = (1, 100_000, 100_001, 200_000, 200_001)
CACHE_METERS = {"cache_read", "cache_write_5m", "cache_write_1h"}
USAGE_KEYS: dict[str, tuple[str, ...]] = {
    "input": (), "cache_read": ("cache_read_tokens",), "cache_write_5m": ("cache_write_tokens",),
    "cache_write_1h": ("cache_write_tokens", "cache_write_1h_tokens"),
}  # fmt: skip


def on(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


UNLISTED = {"claude-mythos-5", "claude-mythos-5-1", "claude-mythos-preview"}
FAST_EVER = {
    "claude-opus-4-6", "claude-opus-4-7", "claude-opus-4-8", "claude-opus-5", "claude-opus-5-5",
    "claude-fable-5-2", "claude-mythos-5-2",
}  # fmt: skip
NO_SEARCH = {"claude-2.0", "claude-2.1", "claude-3-haiku", "claude-3-opus", "claude-3-sonnet"}
NO_BATCH = NO_SEARCH | {
    "claude-3-5-haiku", "claude-3-5-sonnet", "claude-3-7-sonnet", "claude-opus-4-0", "claude-opus-4-1",
    "claude-sonnet-4-0",
}  # fmt: skip
BATCH_FROM_LAUNCH = {"claude-fable-5-2", "claude-mythos-5-2"}


def cheap_read(c: Case) -> bool:
    return c[0] == "claude-sonnet-5-5" and c[2] < on("2026-10-07") and c[4] == "cache_read" and c[1] != "fast"


def long_sonnet_4(c: Case) -> bool:
    sold = on("2025-08-12") <= c[2] < on("2026-04-30")
    return c[0] == "claude-sonnet-4-0" and sold and c[3] > 200_000 and c[1] != "fast"


def tokens(c: Case) -> bool:
    return c[4] != "web_search"


# Where our prices are not those of genai-prices, and why: each entry holds for exactly the cases it names.
DIFFERENCES: dict[str, Callable[[Case], bool]] = {
    "genai-prices lacks the model": lambda c: c[0] in UNLISTED and c[1] != "fast",
    "without caching there is no cache price, not the input price": lambda c: (
        c[0] in {"claude-2.0", "claude-2.1"} and c[4] in CACHE_METERS
    ),
    "Claude 3 Sonnet never had caching": lambda c: c[0] == "claude-3-sonnet" and c[4] in CACHE_METERS,
    "a search costs the same on every model": lambda c: c[4] == "web_search" and c[0] in NO_SEARCH,
    "batch was half price before genai-prices listed it": lambda c: (
        c[1] == "batch" and tokens(c) and c[0] not in BATCH_FROM_LAUNCH | UNLISTED
        and c[2] < on("2026-10-14")
    ),
    "batch was half price for retired models": lambda c: c[1] == "batch" and tokens(c) and c[0] in NO_BATCH,
    "fast cost 6x on Opus 4.6 and 4.7": lambda c: c[1] == "fast" and tokens(c) and (
        (c[0] == "claude-opus-4-6" and c[2] < on("2026-06-29"))
        or (c[0] == "claude-opus-4-7" and c[2] < on("2026-07-24"))
    ),
    "fast ended on Opus 4.7 and 4.8": lambda c: c[1] == "fast" and (
        (c[0] == "claude-opus-4-7" and c[2] >= on("2026-07-24"))
        or (c[0] == "claude-opus-4-8" and c[2] >= on("2026-11-30"))
    ),
    "without fast mode there is no fast price, not the standard price": lambda c: (
        c[1] == "fast" and c[0] not in FAST_EVER | UNLISTED
    ),
    "Sonnet 5.5 read the cache at 0.1x before 2026-10-07": cheap_read,
    "Sonnet 4 had a long-context price": lambda c: long_sonnet_4(c) and tokens(c),
    "the long-context price of Sonnet 4.5 ended": lambda c: (
        c[0] == "claude-sonnet-4-5" and c[2] >= on("2026-04-30") and c[3] > 200_000
        and tokens(c) and c[1] != "fast"
    ),
}  # fmt: skip


def cancels(c: Case) -> bool:
    """Half of a price that we have twice as high is the one that genai-prices gives without batch."""
    return c[1] == "batch" and (cheap_read(c) or (long_sonnet_4(c) and c[4] not in {"output", "web_search"}))


def moments(model: str) -> Iterator[datetime]:
    """Both sides of every day on which our price or a rule of genai-prices changed."""
    info = model_info(model)
    assert info is not None
    days = price_table().filter(pl.col("model") == model).select("valid_from", "valid_to")
    cuts = {day for column in days for day in column if day} | {on("2026-10-14"), on("2026-03-13")}
    for cut in sorted(cuts):
        for at in (cut - timedelta(microseconds=1), cut):
            if at.date() >= info.released:
                yield at


def cases() -> list[Case]:
    return [
        (model, mode, at, size, meter)
        for model in canonical_models()
        for mode in MODES
        for at in moments(model)
        for size in SIZES
        for meter in METERS
    ]


def our_prices(todo: list[Case]) -> list[int | None]:
    """Pico-USD per unit, from `unit_prices`."""
    columns = {
        "model": [c[0] for c in todo],
        "model_raw": [c[0] for c in todo],
        "at": [c[2] for c in todo],
        "tier": ["batch" if c[1] == "batch" else "standard" for c in todo],
        "speed": ["fast" if c[1] == "fast" else "standard" for c in todo],
        "input_tokens": [c[3] for c in todo],
    }
    turns = pl.DataFrame(columns)
    missing = [pl.lit(None, pl.String).alias("geo")]
    missing += [
        pl.lit(0, pl.Int64).alias(f"cache_{kind}_tokens") for kind in ("read", "write_5m", "write_1h")
    ]
    unit = unit_prices(turns.with_columns(missing), price_table())
    return [row[f"pico_{case[4]}"] for case, row in zip(todo, unit.iter_rows(named=True), strict=True)]


@lru_cache(maxsize=8)
def their_usd(model: str, mode: str, at: datetime, size: int, **more: int) -> Decimal:
    return calc_price(
        Usage(input_tokens=size, **more), model, provider_id="anthropic", genai_request_timestamp=at,
        price_context=MODES[mode],
    ).total_price  # fmt: skip


def their_price(case: Case) -> int | None:
    """Pico-USD per unit, from `calc_price`; None for a model it does not list."""
    model, mode, at, size, meter = case
    how = (model, mode, at, size)
    try:
        if meter == "output":
            amount = their_usd(*how, output_tokens=1) - their_usd(*how)
        elif meter == "web_search":
            amount = their_usd(*how, web_searches=1) - their_usd(*how)
        else:
            amount = their_usd(*how, **dict.fromkeys(USAGE_KEYS[meter], size)) / size
    except LookupError:
        return None
    return int(amount.scaleb(12))


def test_claude_prices_differ_from_genai_prices_only_where_listed() -> None:
    todo = cases()
    stray, used = [], set()
    for case, ours in zip(todo, our_prices(todo), strict=True):
        reasons = {reason for reason, applies in DIFFERENCES.items() if applies(case)}
        used |= reasons
        differs = ours != (theirs := their_price(case))
        if differs != (bool(reasons) and not cancels(case)):
            stray.append((case, ours, theirs, reasons))
    assert stray[:5] == []
    assert used == set(DIFFERENCES)
