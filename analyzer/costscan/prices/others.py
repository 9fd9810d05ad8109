"""The rates of OpenAI and Google: those of genai-prices, completed by `prices.toml`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from costscan.meters import MODALITY_METERS, PRICED
from costscan.prices.catalog import listed_rates
from costscan.prices.overlay import overlay
from costscan.prices.rates import Rate, scaled

_READS: Final = ("cache_read", *(meter.name for meter in MODALITY_METERS if meter.within == "cache_read"))


def other_rates() -> list[Rate]:
    """Return every rate of the OpenAI and Google models that have a price."""
    standard = [*listed_rates(), *_own_rates()]
    return [*standard, *_tier_rates(standard)]


def _own_rates() -> Iterator[Rate]:
    """The standard rates of models that genai-prices lacks."""
    for entry in overlay()["model"]:
        prices = _named(entry)
        rate = Rate(
            entry["provider"], entry["model"], "standard", "standard", 0, None, None, prices, entry["source"]
        )
        yield rate
        if tier := entry.get("long"):
            more = scaled(prices, Fraction(tier["prompt_times"]), Fraction(tier["output_times"]))
            yield replace(rate, over_prompt_tokens=tier["over_prompt_tokens"], usd_per_mtok=more)


def _tier_rates(rates: Sequence[Rate]) -> Iterator[Rate]:
    """The rates of tiers that genai-prices lacks, in every period and prompt size of the standard ones."""
    for entry in overlay()["tier"]:
        for rate in rates:
            if rate.model in entry["models"] and (rate.tier, rate.speed) == ("standard", "standard"):
                prices = _in_tier(entry, rate)
                yield replace(rate, tier=entry["tier"], usd_per_mtok=prices, source=entry["source"])


def _in_tier(entry: Mapping[str, Any], rate: Rate) -> dict[str, Fraction]:
    prices = scaled(rate.usd_per_mtok, Fraction(entry["times"]))
    if "cache_read_times" in entry:
        times = Fraction(entry["cache_read_times"])
        prices |= {name: rate.usd_per_mtok[name] * times for name in _READS if name in prices}
    return prices | _named(entry)


def _named(entry: Mapping[str, Any]) -> dict[str, Fraction]:
    return {meter: Fraction(entry[meter]) for meter in PRICED if meter in entry}
