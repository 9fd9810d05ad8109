"""The rates of OpenAI and Google: those of genai-prices, completed by `prices.toml`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from costscan.meters import METERS
from costscan.prices.catalog import listed_rates
from costscan.prices.overlay import overlay
from costscan.prices.rates import Rate, scaled


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
    if "cache_read" in prices and "cache_read_times" in entry:
        prices["cache_read"] = rate.usd_per_mtok["cache_read"] * Fraction(entry["cache_read_times"])
    return prices | _named(entry)


def _named(entry: Mapping[str, Any]) -> dict[str, Fraction]:
    return {meter: Fraction(entry[meter]) for meter in METERS if meter in entry}
