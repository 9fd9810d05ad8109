"""What OpenAI and Google models cost beyond genai-prices: models and tiers it lacks, tiers before it had them."""

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from costscan.prices import canonicalise, identify, price_table, turn_usd, unit_prices
from costscan.schema.tables.runs import TURNS
from priced import moment, turn

MILLION = 1_000_000


def cost(model: str, day: str, **fields: Any) -> Decimal | None:
    turns = canonicalise(pl.DataFrame([turn(model, moment(day), **fields)], schema=TURNS.schema))
    usd: Decimal | None = turn_usd(turns, unit_prices(turns, price_table()))["usd"][0]
    return usd


@pytest.mark.parametrize(
    ("model", "day", "fields", "usd"),
    [
        # 100,000 at 2, 100,000 read at 0.10, 10,000 out at 10 a million.
        ("gpt-6.2-sol", "2026-11-20", {"input": 100_000, "read": 100_000, "out": 10_000}, "0.31"),
        # One token over 272,000: 4 and 15 a million for all of it.
        ("gpt-6.2-sol", "2026-11-20", {"input": 272_001, "out": 10_000}, "1.238004"),
        ("gpt-6.2-astra", "2026-11-20", {"input": 100_000, "out": 10_000}, "1.2"),
        ("gpt-6.2-astra", "2026-11-20", {"input": 100_000, "out": 10_000, "tier": "priority"}, "2.4"),
        ("gpt-6.2-astra", "2026-11-20", {"input": 100_000, "out": 10_000, "tier": "batch"}, "0.6"),
        ("gpt-6.2-sol", "2026-11-20", {"searches": 3}, "0.03"),
        ("gemini-4-neon", "2026-11-20", {"input": 100_000, "read": 100_000, "out": 10_000}, "0.465"),
        ("gemini-4-hydrogen", "2026-11-20", {"input": 100_000, "read": 100_000, "out": 10_000}, "0.2325"),
        ("gemini-2.5-computer-use-preview-10-2025", "2026-11-20", {"input": MILLION}, "2.5"),
        # Flex: half of 0.50 and 3 a million; what the cache read stays at 0.05.
        ("gemini-3-flash-preview", "2026-11-20", {"input": MILLION, "tier": "flex"}, "0.25"),
        ("gemini-3-flash-preview", "2026-11-20", {"read": MILLION, "tier": "flex"}, "0.05"),
        ("gemini-3-flash-preview", "2026-11-20", {"out": MILLION, "tier": "flex"}, "1.5"),
        ("gemini-3-flash-preview", "2026-11-20", {"out": MILLION, "tier": "priority"}, "5.4"),
        # Over 200,000 tokens 2.50 a million, half of it in flex, 1.8 times in priority.
        ("gemini-2.5-pro", "2026-11-20", {"input": MILLION, "tier": "flex"}, "1.25"),
        ("gemini-2.5-pro", "2026-11-20", {"input": MILLION, "tier": "priority"}, "4.5"),
        ("gemini-3.5-flash", "2026-11-20", {"read": MILLION, "tier": "flex"}, "0.08"),
        ("gemini-3.5-flash", "2026-11-20", {"out": MILLION, "tier": "batch"}, "4.5"),
        # The prices of gemini-4-argon double on 2026-12-01, and those of its tiers with them.
        ("gemini-4-argon", "2026-11-30", {"out": MILLION, "tier": "flex"}, "5"),
        ("gemini-4-argon", "2026-12-01", {"out": MILLION, "tier": "flex"}, "10"),
        # Before 2026-10-12 genai-prices answers the standard price: 2.50 until 2026-07-30, then 2 a million.
        ("gpt-5.6-terra", "2026-07-29", {"input": 100_000, "tier": "priority"}, "0.5"),
        ("gpt-5.6-terra", "2026-07-30", {"input": 100_000, "tier": "priority"}, "0.4"),
        ("gpt-5.6-terra", "2026-07-29", {"input": 100_000, "tier": "flex"}, "0.125"),
        ("gpt-5.5", "2026-07-01", {"input": 100_000, "tier": "priority"}, "1.25"),
        ("gpt-5.5", "2026-07-01", {"input": 100_000, "tier": "fast"}, "1.25"),
        ("gpt-5", "2026-01-01", {"out": 100_000, "tier": "batch"}, "0.5"),
        # 2.50 a million, and a tenth more in a data zone; a fifth on the newest models in Europe.
        ("azure/us/gpt-4o-2024-08-06", "2026-11-20", {"input": MILLION}, "2.75"),
        ("azure/eu/gpt-4o-2024-08-06", "2026-11-20", {"input": MILLION}, "2.75"),
        ("azure/eu/gpt-6.1-terra", "2026-11-20", {"input": 100_000}, "0.12"),
        ("azure/eu/gpt-6-sol", "2026-11-20", {"input": 100_000}, "0.24"),
        ("azure/gpt-4o-2024-08-06", "2026-11-20", {"input": MILLION}, "2.5"),
    ],
)
def test_cost_by_hand(model: str, day: str, fields: dict[str, Any], usd: str) -> None:
    assert cost(model, day, **fields) == Decimal(usd)


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("gpt-5.3-codex-spark", {"input": 1}),
        ("gpt-6.2-sol", {"input": 1, "tier": "flex"}),
        ("gpt-4o", {"input": 1, "tier": "flex"}),
        ("gpt-5.4-nano", {"input": 1, "tier": "priority"}),
        ("gemini-2.0-flash", {"input": 1, "tier": "priority"}),
        ("gemini-2.5-pro", {"input": 1, "tier": "provisioned_throughput"}),
        ("gpt-5.5", {"input": 1, "tier": "ultrafast"}),
        ("gpt-5.4-nano", {"input": 1, "tier": "fast"}),
        ("gemini-2.5-computer-use-preview-10-2025", {"read": 1}),
    ],
)
def test_no_source_no_price(model: str, fields: dict[str, Any]) -> None:
    assert cost(model, "2026-11-20", **fields) is None


@pytest.mark.parametrize(
    ("spelling", "model"),
    [
        ("openai:gpt-5.5", "gpt-5.5"), ("azure_openai:gpt-5.5-2026-04-23", "gpt-5.5"),
        ("google-gla:gemini-2.5-pro", "gemini-2.5-pro"), ("google_vertexai:gemini-2.5-pro", "gemini-2.5-pro"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"), ("google/models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("publishers/google/models/gemini-2.5-pro@default", "gemini-2.5-pro"),
        ("gpt-5.5@2026-04-23", "gpt-5.5"), ("openrouter/openai/gpt-5.5:nitro", "gpt-5.5"),
        ("azure/responses/gpt-5.5", "gpt-5.5"), ("vertex_ai/gemini-3-flash-preview", "gemini-3-flash-preview"),
        ("ft:gpt-4o-mini-2024-07-18:house::a1b2", "ft:gpt-4o-mini"), ("openai/gpt-6.2-sol", "gpt-6.2-sol"),
        ("models/gemini-4-neon", "gemini-4-neon"),
        ("gemini/gemini-2.5-computer-use-preview-10-2025", "gemini-2.5-computer-use-preview"),
        ("gemini-3.1-pro-preview-customtools", "gemini-3.1-pro-preview"),
    ],
)  # fmt: skip
def test_names_as_gateways_and_libraries_write_them(spelling: str, model: str) -> None:
    ref = identify(spelling)
    assert ref is not None
    assert ref.model == model


@pytest.mark.parametrize(
    "spelling",
    ["google/gemini-2.5-pro:free", "house:gpt-5.5", "ft:gpt-9:house::a", "gpt-5.5:online", "gpt-5.5@eu"],
)
def test_what_could_cost_otherwise_is_not_guessed(spelling: str) -> None:
    assert identify(spelling) is None


def test_a_tier_before_it_was_listed_says_where_its_price_is_from() -> None:
    sources = price_table().filter(model="gpt-5.6-terra", tier="priority")["source"].unique().to_list()
    assert sources == [
        "genai-prices 0.2.3, the tier from 2026-10-12 and before at the same ratio to standard"
    ]
