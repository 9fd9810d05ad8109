"""What genai-prices knows about prices: those of OpenAI and Google, and the list prices of Claude.

Importing genai-prices takes a third of a second: only what `costscan.prices.cache` keeps may import this.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from genai_prices.data import providers
from genai_prices.types import (
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TieredPrices,
)

from costscan.prices.overlay import source_name
from costscan.prices.rates import Prices, Rate

PROVIDERS: Final = ("openai", "google")

_METER_OF: Final = {
    "input_mtok": "input",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write_5m",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_mtok": "output",
    "input_audio_mtok": "audio_input",
    "cache_audio_read_mtok": "audio_cache_read",
    "output_audio_mtok": "audio_output",
    "input_image_mtok": "image_input",
    "cache_image_read_mtok": "image_cache_read",
    "output_image_mtok": "image_output",
}
# The tier and speed under which a condition of genai-prices stands in our table.
_MODE_OF: Final = {
    "batch": ("batch", "standard"),
    "flex": ("flex", "standard"),
    "priority": ("priority", "standard"),
    "fast": ("standard", "fast"),
}
_VIDEO: Final = frozenset({"input_video_mtok", "output_video_mtok"})
_EARLY: Final = date(2000, 1, 1)


def claude_history(model: str) -> list[tuple[date | None, Prices]]:
    """Return the standard prices of a Claude model, each with its first day; empty when it is not listed.

    Size tiers and modes are left out: `prices.toml` states them with the dates that genai-prices lacks.
    """
    model_info = provider("anthropic").find_model(model)
    if model_info is None:
        return []
    return [(start, _prices(_at(model_info, start), over=0)) for start in _starts(model_info)]


def listed_rates() -> list[Rate]:
    """Return the rates of every OpenAI and Google model billed by tokens of text, audio and images."""
    return [
        rate
        for name in PROVIDERS
        for model in models_of(name)
        for mode, condition in _modes(model)
        for rate in _rates(name, model, mode, condition)
    ]


def provider(provider_id: str) -> Provider:
    """Return the provider of that id."""
    return next(provider for provider in providers if provider.id == provider_id)


def models_of(provider_id: str) -> Iterator[ModelInfo]:
    """Yield its own models whose whole bill is in our meters; video has other prices."""
    for model in provider(provider_id).models:
        listed = vars(_at(model, None)).keys()
        if "input_mtok" in listed and not _VIDEO & listed and not model.id.startswith("claude"):
            yield model


def _modes(model: ModelInfo) -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
    yield ("standard", "standard"), {}
    conditions = {
        value: variant.when for variant in model.price_variants or () for value in variant.when.values()
    }
    yield from ((mode, conditions[value]) for value, mode in _MODE_OF.items() if value in conditions)


def _rates(name: str, model: ModelInfo, mode: tuple[str, str], condition: dict[str, str]) -> Iterator[Rate]:
    starts, because = _starts(model), _source(model, condition)
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        for over, prices in _levels(model, start, condition).items():
            yield Rate(name, model.id, *mode, over, start, end, prices, because)


def _levels(model: ModelInfo, start: date | None, condition: dict[str, str]) -> dict[int, Prices]:
    """Prices by prompt size in the period from `start`.

    A mode is dated in genai-prices by the day it was entered there, though it was sold before: in earlier
    periods it keeps its ratio to the standard price.
    """
    first = _first_day(model, condition)
    if (start or _EARLY) >= (first or _EARLY):
        price = _at(model, start, condition)
        return {over: _prices(price, over) for over in _sizes(price)}
    price, then, now = _at(model, first, condition), _at(model, first), _at(model, start)
    return {
        over: _same_ratio(_prices(price, over), _prices(then, over), _prices(now, over))
        for over in _sizes(price)
    }


def _source(model: ModelInfo, condition: dict[str, str]) -> str:
    first = _first_day(model, condition) if condition else None
    since = f", the tier from {first} and before at the same ratio to standard" if first else ""
    return source_name() + since


def _same_ratio(mode: Prices, then: Prices, now: Prices) -> dict[str, Fraction]:
    return {m: usd * now[m] / then[m] if then.get(m) and m in now else usd for m, usd in mode.items()}


def _first_day(model: ModelInfo, condition: dict[str, str]) -> date | None:
    days = [_day(v.constraint) for v in model.price_variants or () if v.when == condition]
    return None if not days or None in days else min(day for day in days if day)


def _starts(model: ModelInfo) -> list[date | None]:
    """The first day of each period with prices of its own; None for the one without a beginning."""
    entries = model.prices if isinstance(model.prices, list) else []
    constraints = [entry.constraint for entry in (*entries, *(model.price_variants or ()))]
    return [None, *sorted({day for constraint in constraints if (day := _day(constraint))})]


def _day(constraint: object) -> date | None:
    return constraint.start_date if isinstance(constraint, StartDateConstraint) else None


def _at(model: ModelInfo, day: date | None, condition: dict[str, str] | None = None) -> ModelPrice:
    day = day or _EARLY
    return model.get_prices(datetime(day.year, day.month, day.day, tzinfo=UTC), condition or {})


def _sizes(price: ModelPrice) -> list[int]:
    tiered = [value for value in price.__dict__.values() if isinstance(value, TieredPrices)]
    return [0, *sorted({tier.start for value in tiered for tier in value.tiers})]


def _prices(price: ModelPrice, over: int) -> dict[str, Fraction]:
    """The prices of a prompt just above `over` tokens (any prompt, for 0)."""
    prices = {
        meter: Fraction(usd)
        for key, meter in _METER_OF.items()
        if (usd := _of_size(getattr(price, key), over)) is not None
    }
    searches = _of_size(price.web_searches_kcount, over)
    return prices if searches is None else prices | {"web_search": Fraction(searches) * 1000}


def _of_size(value: Decimal | TieredPrices | None, over: int) -> Decimal | None:
    if isinstance(value, TieredPrices):
        return next((tier.price for tier in reversed(value.tiers) if tier.start <= over), value.base)
    return value
