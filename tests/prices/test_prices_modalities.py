"""What audio and images cost: prices by hand, of each class, and bills in which every token stands once."""

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from costscan.prices import BEYOND_TEXT, bill, canonicalise, lower_bounds, price_table, turn_usd, unit_prices
from costscan.prices.modalities import uncached_beyond_text
from costscan.schema.tables.runs import TURNS
from priced import turn


def turns_of(*rows: dict[str, Any]) -> pl.DataFrame:
    return canonicalise(pl.DataFrame(rows, schema=TURNS.schema))


def billed(turns: pl.DataFrame, **own: Any) -> list[tuple[str, int, Decimal]]:
    return bill(turns, unit_prices(turns, price_table(own or None))).select("meter", "units", "usd").rows()


@pytest.mark.parametrize(
    ("model", "tokens", "usd"),
    [
        # 100 of text at 0.30, 300 of audio at 1, 600 of it cached at 0.10, 10 out at 2.50 USD a million.
        ("gemini-2.5-flash", {"input": 400, "read": 600, "out": 10, "audio_input_tokens": 300, "audio_cache_read_tokens": 600}, "0.000415"),
        # A batch costs half of both, and the whole price of what was cached.
        ("gemini-2.5-flash", {"tier": "batch", "input": 400, "read": 600, "out": 10, "audio_input_tokens": 300, "audio_cache_read_tokens": 600}, "0.0002375"),
        # Flex, which genai-prices lacks: the same.
        ("gemini-2.5-flash", {"tier": "flex", "input": 400, "read": 600, "out": 10, "audio_input_tokens": 300, "audio_cache_read_tokens": 600}, "0.0002375"),
        # 60 of text at 2.50, 40 of audio at 32; 20 out at 10, 30 of audio at 64.
        ("gpt-audio", {"input": 100, "out": 50, "audio_input_tokens": 40, "audio_output_tokens": 30}, "0.00355"),
        # 10 of text at 4, 20 of audio at 32, 30 of images at 5; cached 40 of text and 50 of audio at 0.40
        # and 60 of images at 0.50; 5 out at 16 and 5 of audio at 64.
        (
            "gpt-realtime",
            {"input": 60, "read": 150, "out": 10, "audio_input_tokens": 20, "audio_cache_read_tokens": 50, "audio_output_tokens": 5, "image_input_tokens": 30, "image_cache_read_tokens": 60},
            "0.001296",
        ),
        # 5 of text at 12, 1,120 of an image at 120.
        ("gemini-3-pro-image-preview", {"out": 1_125, "image_output_tokens": 1_120}, "0.13446"),
        # Images that are sent cost what text costs: 1,000 at 0.30.
        ("gemini-2.5-flash", {"input": 1_000, "image_input_tokens": 800}, "0.0003"),
    ],
)  # fmt: skip
def test_each_class_has_the_price_of_its_modality(model: str, tokens: dict[str, Any], usd: str) -> None:
    turns = turns_of(turn(model, **tokens))
    assert turn_usd(turns, unit_prices(turns, price_table()))["usd"].to_list() == [Decimal(usd)]
    assert sum(amount for _, _, amount in billed(turns)) == Decimal(usd)


def test_every_token_is_in_one_line_of_the_bill() -> None:
    turns = turns_of(turn("gpt-audio", input=100, out=50, audio_input_tokens=40, audio_output_tokens=30))
    assert billed(turns) == [
        ("input", 60, Decimal("0.00015")),
        ("output", 20, Decimal("0.0002")),
        ("audio_input", 40, Decimal("0.00128")),
        ("audio_output", 30, Decimal("0.00192")),
    ]


def test_without_audio_nothing_is_carried() -> None:
    turns = turns_of(turn("gemini-2.5-flash", input=100, out=5, audio_input_tokens=0))
    unit = unit_prices(turns, price_table())
    assert not [name for name in (*unit.columns, *turn_usd(turns, unit).columns) if "audio" in name]
    assert BEYOND_TEXT not in turn_usd(turns, unit).columns


def test_what_audio_costs_beyond_text_stays_where_caches_read_otherwise() -> None:
    """300 fresh at 1 instead of 0.30, 600 cached at 0.10 instead of 0.03 USD a million: 0.000252 more.

    Were all of the prompt read from the cache, its 1,000 tokens would cost 0.00003 and that.
    """
    told: dict[str, Any] = {
        "input": 400,
        "read": 600,
        "audio_input_tokens": 300,
        "audio_cache_read_tokens": 600,
    }
    turns = turns_of(turn("gemini-2.5-flash", **told))
    unit = unit_prices(turns, price_table())
    assert turn_usd(turns, unit)[BEYOND_TEXT].to_list() == [252_000_000]
    warm = turns.with_columns(input_tokens=pl.lit(0), cache_read_tokens=pl.lit(1_000))
    assert turn_usd(warm, unit)["usd"].to_list() == [Decimal("0.000282")]
    # Nothing cached: all 900 at 1 instead of 0.30.
    assert [more.to_list() for more in uncached_beyond_text(turns, unit)] == [[630_000_000]]


def test_own_prices_of_audio() -> None:
    """50 of text at 5, 50 of audio at 40; of a discount a tenth less."""
    turns = turns_of(turn("gpt-5.5", input=100, audio_input_tokens=50))
    own = {"gpt-5.5": {"audio_input": 40}}
    assert billed(turns, **own)[1] == ("audio_input", 50, Decimal("0.002"))
    cheaper = unit_prices(turns, price_table(own), discount="0.9")
    assert turn_usd(turns, cheaper)["usd"].to_list() == [Decimal("0.002025")]


@pytest.mark.parametrize(
    ("model", "tokens", "is_least"),
    [
        ("gemini-2.5-flash", {"input": 9, "audio_input_tokens": 5}, False),
        ("gemini-2.5-pro", {"input": 9, "audio_input_tokens": 5}, True),
        ("gemini-2.5-pro", {"input": 9, "audio_input_tokens": 0}, False),
        ("gemini-2.5-pro", {"input": 9, "image_input_tokens": 5}, False),
        ("gpt-5.5", {"out": 9, "audio_output_tokens": 5}, True),
        ("gpt-5.5", {"out": 9, "image_output_tokens": 5}, True),
        ("gpt-audio", {"out": 9, "audio_output_tokens": 5}, False),
        # It may have spoken, which costs more; a log that tells 0 says that it has not.
        ("gpt-audio", {"out": 9}, True),
        ("gpt-audio", {"out": 9, "audio_output_tokens": 0}, False),
        ("gpt-audio", {"input": 9}, False),
        ("gemini-3-pro-image-preview", {"out": 9}, True),
    ],
)
def test_without_a_price_it_is_a_lower_bound(model: str, tokens: dict[str, Any], is_least: bool) -> None:
    turns, table = turns_of(turn(model, **tokens)), price_table()
    assert turns.select(lower_bounds(turns, unit_prices(turns, table), table)).item() is is_least
    plain = turns.with_columns(pl.lit(None, pl.Int64).alias("audio_input_tokens"))
    if is_least and "audio_input_tokens" in tokens:
        costs = [turn_usd(some, unit_prices(some, table))["usd"][0] for some in (turns, plain)]
        assert costs[0] == costs[1]
