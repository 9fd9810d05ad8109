"""The price table: its form, the names it goes by, and the user's own prices in it."""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest

from costscan.errors import CostscanError
from costscan.meters import METERS, PRICED
from costscan.models import canonical_models, model_info
from costscan.prices import as_of, identify, price_table
from costscan.prices.overlay import overlay
from costscan.schema.frames import check

OVERLAY_LISTS = (
    "fast", "long_context", "price", "unpriced", "model", "tier", "spelling", "data_zone",
)  # fmt: skip


def test_table_keeps_the_contract() -> None:
    table = check("prices", price_table())
    assert set(table["provider"]) == {"anthropic", "openai", "google"}
    assert set(table["meter"]) == set(PRICED)
    assert "" not in set(table["source"])
    keys = ["model", "tier", "speed", "meter", "over_prompt_tokens"]
    spans = table.sort("valid_from", nulls_last=False).with_columns(
        previous=pl.col("valid_to").shift(1).over(keys), first=pl.int_range(pl.len()).over(keys) == 0
    )
    overlapping = spans.filter(
        ~pl.col("first"), pl.col("previous").is_null() | (pl.col("previous") > pl.col("valid_from"))
    )
    assert overlapping.height == 0


def test_every_overlay_entry_names_its_source() -> None:
    tables = [overlay()[name] for name in ("batch", "us_inference", "web_search", "refusals")]
    tables += [entry for kind in OVERLAY_LISTS for entry in overlay()[kind]]
    assert all(entry["source"] for entry in tables)


def test_every_known_model_has_every_price_or_lacks_it_on_purpose() -> None:
    table = price_table().filter(tier="standard", speed="standard", over_prompt_tokens=0)
    lacking = {(m, meter) for e in overlay()["unpriced"] for m in e["models"] for meter in e["meters"]}
    missing = set()
    for model in canonical_models():
        info = model_info(model)
        assert info is not None
        rows = table.filter(model=model).group_by("meter").agg(pl.col("valid_from").min())
        held = {meter for meter, start in rows.iter_rows() if start.date() <= info.released}
        missing |= {(model, meter) for meter in METERS if meter not in held}
    assert missing == lacking


@pytest.mark.parametrize("factor", ["1", "1.1", "1.2"])
def test_list_prices_are_whole_pico_usd(factor: str) -> None:
    for usd in price_table()["usd_per_mtok"].unique():
        assert (Fraction(usd) * 10**6 * Fraction(factor)).denominator == 1


def test_as_of_names_source_and_day() -> None:
    named = as_of()
    assert named["source"].startswith("genai-prices ")
    assert date.fromisoformat(named["as_of"]) >= date(2026, 11, 21)


@pytest.mark.parametrize(
    ("spelling", "model"),
    [
        ("gpt-5.6", "gpt-5.6-sol"), ("gpt-5-6-sol", "gpt-5.6-sol"), ("OpenAI/GPT-5.3-Codex", "gpt-5.3-codex"),
        ("gpt-5.2-20251211", "gpt-5.2"), ("gpt-5.6-sol-2026-12-31", "gpt-5.6-sol"),
        ("gpt-5-nano-2025-08-07", "gpt-5-nano"), ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("gpt-4o-2024-11-20", "gpt-4o"), ("openrouter/google/gemini-2.5-pro-preview-06-05", "gemini-2.5-pro"),
        ("models/gemini-2.5-flash-lite-preview-06-17", "gemini-2.5-flash-lite"),
        ("gemini-2.0-flash-001", "gemini-2.0-flash"),
    ],
)  # fmt: skip
def test_names_of_other_providers(spelling: str, model: str) -> None:
    ref = identify(spelling)
    assert ref is not None
    assert ref.model == model
    assert price_table().filter(pl.col("model") == model, pl.col("provider") == ref.provider).height


@pytest.mark.parametrize(
    "spelling",
    [
        "gpt-4o-2024-01-01",
        "gpt-5.5-turbo",
        "gemini-2.5-pro-max",
        "gpt-6-sol-mini",
        "o3x",
        "gpt-",
        "gemini-4-argon-pre",
    ],
)
def test_other_names_are_not_guessed(spelling: str) -> None:
    assert identify(spelling) is None


def rows_of(
    table: pl.DataFrame, model: str, meter: str
) -> dict[tuple[str, str, int, datetime | None], Decimal]:
    own = table.filter(pl.col("model") == model, pl.col("meter") == meter)
    return {
        row[:4]: row[4]
        for row in own.select("tier", "speed", "over_prompt_tokens", "valid_from", "usd_per_mtok").rows()
    }


def test_override_moves_every_price_of_its_meter() -> None:
    table = check(
        "prices",
        price_table({"anthropic/claude-haiku-4.5": {"input": "0.9"}, "claude-haiku-5-5": {"output": 1}}),
    )
    assert set(rows_of(table, "claude-haiku-4-5", "input").values()) == {Decimal("0.9"), Decimal("0.45")}
    assert rows_of(table, "claude-haiku-4-5", "output") == rows_of(
        price_table(), "claude-haiku-4-5", "output"
    )
    assert set(rows_of(table, "claude-haiku-5-5", "output").values()) == {
        Decimal(x) for x in ("1", "0.5", "5", "2.5")
    }
    others = pl.col("model").is_in(["claude-haiku-4-5", "claude-haiku-5-5"]).not_()
    assert table.filter(others).equals(price_table().filter(others))


def test_override_holds_at_any_date_and_fast_follows() -> None:
    table = price_table({"claude-sonnet-5-5": {"cache_read": "0.15"}, "claude-opus-4-6": {"input": "4"}})
    standard = {
        v for (tier, *_), v in rows_of(table, "claude-sonnet-5-5", "cache_read").items() if tier == "standard"
    }
    assert standard == {Decimal("0.15")}
    fast = [v for (_, speed, *_), v in rows_of(table, "claude-opus-4-6", "input").items() if speed == "fast"]
    assert fast == [Decimal(24), Decimal(4)]


def test_override_adds_a_meter_and_a_model() -> None:
    table = check(
        "prices",
        price_table(
            {"claude-3-sonnet": {"cache_read": "0.3"}, "house-model": {"input": "2", "web_search": 0}}
        ),
    )
    assert {k[0]: v for k, v in rows_of(table, "claude-3-sonnet", "cache_read").items()} == {
        "standard": Decimal("0.3"), "batch": Decimal("0.15"),
    }  # fmt: skip
    assert set(rows_of(table, "house-model", "input").values()) == {Decimal(2)}
    assert rows_of(table, "house-model", "output") == {}


@pytest.mark.parametrize(
    ("meter", "value"),
    [("inputs", "1"), ("input", "-1"), ("input", "cheap"), ("input", "inf"), ("input", "1e13")],
)
def test_wrong_override_is_refused(meter: str, value: str) -> None:
    with pytest.raises(CostscanError, match="price of house-model"):
        price_table({"house-model": {meter: value}})
