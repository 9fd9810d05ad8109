"""The rates of Claude: list prices from genai-prices, corrected and completed by `prices.toml`."""

from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from costscan.meters import METERS
from costscan.models import ModelInfo, canonical_models, model_info
from costscan.prices.catalog import claude_history
from costscan.prices.overlay import overlay, source_name
from costscan.prices.rates import Prices, Rate, scaled


def claude_rates() -> list[Rate]:
    """Return every rate of every Claude model that has a price."""
    infos = [info for model in canonical_models() if (info := model_info(model))]
    return [rate for info in infos for rate in _rates_of(info)]


def _rates_of(info: ModelInfo) -> Iterator[Rate]:
    history = _history(info)
    for start, end in _periods(info, history):
        base = _listed(history, start)
        sources = [source_name()] if base else []
        for patch in _active("price", info, start):
            base = _patched(base, patch)
            sources.append(patch["source"])
        if not base:
            continue
        base["web_search"] = Fraction(overlay()["web_search"]["usd_per_1000"]) * 1000
        yield from _period_rates(info, start, end, base, "; ".join(sources))


def _period_rates(
    info: ModelInfo, start: date, end: date | None, base: Prices, source: str
) -> Iterator[Rate]:
    """The rates of one period: each prompt size at standard and batch price, and fast where it was sold."""

    def rate(tier: str, speed: str, over: int, prices: Prices, because: str) -> Rate:
        return Rate("anthropic", info.model, tier, speed, over, start, end, prices, because)

    batch = overlay()["batch"]
    sizes = [(0, base, source)]
    for tier in _active("long_context", info, start):
        more_expensive = scaled(base, Fraction(tier["prompt_times"]), Fraction(tier["output_times"]))
        sizes.append((tier["over_prompt_tokens"], more_expensive, tier["source"]))
    for over, prices, because in sizes:
        yield rate("standard", "standard", over, prices, because)
        yield rate("batch", "standard", over, scaled(prices, Fraction(batch["times"])), batch["source"])
    for fast in _active("fast", info, start):
        yield rate("standard", "fast", 0, scaled(base, Fraction(fast["times"])), fast["source"])


def _history(info: ModelInfo) -> list[tuple[date | None, Prices]]:
    like = [entry["like"] for entry in _entries("price", info) if "like" in entry]
    return claude_history(like[0] if like else info.model)


def _listed(history: list[tuple[date | None, Prices]], day: date) -> dict[str, Fraction]:
    listed = [prices for start, prices in history if start is None or start <= day]
    return dict(listed[-1]) if listed else {}


def _patched(base: Prices, patch: Mapping[str, Any]) -> dict[str, Fraction]:
    kept = {meter: usd for meter, usd in base.items() if meter not in patch.get("without", ())}
    return kept | {meter: Fraction(patch[meter]) for meter in METERS if meter in patch}


def _periods(
    info: ModelInfo, history: list[tuple[date | None, Prices]]
) -> Iterator[tuple[date, date | None]]:
    """The spans from the release on in which no price of the model changed."""
    entries = [entry for kind in ("price", "long_context", "fast") for entry in _entries(kind, info)]
    days = {entry[key] for entry in entries for key in ("from", "to") if key in entry}
    days |= {start for start, _ in history if start is not None}
    cuts = [info.released, *sorted(day for day in days if day > info.released)]
    yield from zip(cuts, [*cuts[1:], None], strict=True)


def _entries(kind: str, info: ModelInfo) -> list[Mapping[str, Any]]:
    return [e for e in overlay()[kind] if e.get("model") == info.model or info.model in e.get("models", ())]


def _active(kind: str, info: ModelInfo, day: date) -> list[Mapping[str, Any]]:
    entries = _entries(kind, info)
    return [e for e in entries if e.get("from", day) <= day and ("to" not in e or day < e["to"])]
