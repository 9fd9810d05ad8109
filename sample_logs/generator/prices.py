"""List prices in USD per million tokens, for the costs that a log itself records."""

from decimal import Decimal
from typing import NamedTuple

from generator.billing import Usage


class Price(NamedTuple):
    """What each class of tokens of one model costs per million."""

    input: Decimal
    output: Decimal
    write_5m: Decimal
    write_1h: Decimal
    read: Decimal


def _price(*usd: str) -> Price:
    return Price(*(Decimal(amount) for amount in usd))


PRICES = {
    "claude-fable-5-2": _price("8", "40", "10", "16", "0.20"),
    "claude-opus-5-5": _price("4", "20", "5", "8", "0.20"),
    "claude-opus-4-8": _price("5", "25", "6.25", "10", "0.50"),
    "claude-sonnet-5-5": _price("2", "10", "2.5", "4", "0.10"),
    "claude-haiku-5-5": _price("0.10", "0.50", "0.125", "0.20", "0.01"),
}

HAIKU_5_5_LIMIT = 100_000
"""Above this many prompt tokens claude-haiku-5-5 costs five times as much; no sample goes there."""


def cost(model: str, usage: Usage) -> Decimal:
    """The list price of one request in USD."""
    if model == "claude-haiku-5-5" and usage.prompt > HAIKU_5_5_LIMIT:
        raise ValueError(f"{model} has another price above {HAIKU_5_5_LIMIT} prompt tokens")
    price = PRICES[model]
    micro_usd = (
        usage.input * price.input
        + usage.output * price.output
        + usage.write_5m * price.write_5m
        + usage.write_1h * price.write_1h
        + usage.read * price.read
    )
    return micro_usd / 1_000_000
