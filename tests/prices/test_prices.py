"""What turns cost: hand-computed bills, and every boundary of the rules."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from costscan.errors import CostscanError
from costscan.prices import bill, canonicalise, price_table, turn_usd, unit_prices
from costscan.schema.frames import check
from costscan.schema.tables.runs import BILL, TURNS
from priced import NOVEMBER, moment, turn


def costs(*rows: dict[str, Any], **options: Any) -> list[Decimal | None]:
    turns = canonicalise(pl.DataFrame(rows, schema=TURNS.schema))
    return turn_usd(turns, unit_prices(turns, price_table(), **options))["usd"].to_list()


def cost(model: str, at: datetime | None = NOVEMBER, **fields: Any) -> Decimal | None:
    return costs(turn(model, at, **fields))[0]


USUAL: dict[str, Any] = {"input": 50, "w5m": 248, "read": 1800, "out": 503}


@pytest.mark.parametrize(
    ("model", "day", "fields", "usd"),
    [
        ("claude-opus-4-8", "2026-11-21", USUAL, "0.015275"),
        ("claude-opus-4-8", "2026-11-21", USUAL | {"tier": "batch"}, "0.0076375"),
        ("claude-opus-4-8", "2026-11-21", USUAL | {"geo": "us"}, "0.0168025"),
        ("claude-opus-4-8", "2026-11-21", USUAL | {"speed": "fast"}, "0.03055"),
        ("claude-opus-4-8", "2026-11-21", USUAL | {"tier": "priority"}, "0.015275"),
        ("claude-opus-4-8", "2026-11-21", USUAL | {"tier": "batch", "geo": "us"}, "0.00840125"),
        ("claude-opus-4-8", "2026-11-21", USUAL | {"speed": "fast", "geo": "us"}, "0.033605"),
        ("claude-opus-4-8-fast", "2026-11-21", USUAL, "0.03055"),
        ("us.anthropic.claude-opus-4-8", "2026-11-21", USUAL, "0.0168025"),
        ("us.anthropic.claude-opus-4-8", "2026-11-21", USUAL | {"geo": "us"}, "0.0168025"),
        ("us-gov.anthropic.claude-opus-4-8", "2026-11-21", USUAL, "0.01833"),
        ("claude-opus-4-8", "2026-11-21", {"input": 0, "searches": 3}, "0.03"),
        ("claude-opus-4-8", "2026-11-21", {"searches": 3, "tier": "batch", "geo": "us"}, "0.03"),
        ("claude-opus-4-8", "2026-11-21", USUAL | {"input": 2048, "w5m": 148, "w1h": 100}, "0.02564"),
        ("claude-haiku-5-5", "2026-11-21", {"input": 100_000, "out": 1000}, "0.0105"),
        ("claude-haiku-5-5", "2026-11-21", {"input": 1, "read": 100_000, "out": 1000}, "0.0075005"),
        ("claude-haiku-5-5", "2026-11-21", {"w5m": 50_000, "w1h": 50_001}, "0.081251"),
        ("claude-haiku-5-5", "2026-11-21", {"input": 1, "read": 100_000, "tier": "batch"}, "0.00250025"),
        ("claude-sonnet-4-5", "2026-03-01", {"input": 1000, "read": 200_000, "out": 1000}, "0.1485"),
        ("claude-sonnet-4-5", "2026-04-30", {"input": 1000, "read": 200_000, "out": 1000}, "0.078"),
        ("claude-sonnet-4-5", "2026-03-01", {"read": 200_000}, "0.06"),
        ("claude-sonnet-4", "2025-08-11", {"read": 200_001}, "0.0600003"),
        ("claude-sonnet-4", "2025-08-12", {"read": 200_001}, "0.1200006"),
        ("claude-opus-4-6", "2026-03-12", {"input": 200_001, "out": 2}, "2.000085"),
        ("claude-opus-4-6", "2026-03-13", {"input": 200_001, "out": 2}, "1.000055"),
        ("claude-opus-4-6", "2026-03-12", {"input": 200_001, "speed": "fast"}, "6.00003"),
        ("claude-sonnet-5-5", "2026-10-06T23:59:59.999999", {"read": 1_000_000}, "0.2"),
        ("claude-sonnet-5-5", "2026-10-07", {"read": 1_000_000}, "0.1"),
        ("claude-sonnet-5-5", "2026-10-06", {"read": 1_000_000, "tier": "batch"}, "0.1"),
        ("claude-opus-4-6", "2026-06-28T23:59:59.999999", {"out": 100, "speed": "fast"}, "0.015"),
        ("claude-opus-4-6", "2026-06-29", {"out": 100, "speed": "fast"}, "0.0025"),
        ("claude-opus-4-7", "2026-07-23T23:59:59.999999", {"out": 100, "speed": "fast"}, "0.015"),
        ("claude-opus-4-8", "2026-11-29T23:59:59.999999", {"out": 100, "speed": "fast"}, "0.005"),
        ("claude-opus-4-8", "2026-11-21", {"out": 100, "speed": "fast", "tier": "batch"}, "0.005"),
        ("claude-mythos-5-2", "2026-11-21", {"read": 100, "speed": "fast"}, "0.00004"),
        ("claude-opus-4-5", "2026-11-21", USUAL | {"geo": "us"}, "0.015275"),
        ("claude-opus-4-6", "2026-11-21", USUAL | {"geo": "us"}, "0.0168025"),
        ("anthropic.claude-opus-4-8", "2026-11-21", USUAL, "0.0168025"),
        ("global.anthropic.claude-opus-4-8", "2026-11-21", USUAL, "0.015275"),
        ("opus", "2025-06-01", {"input": 1000}, "0.015"),
        ("opus", "2026-09-21T23:59:59.999999", {"input": 1000}, "0.005"),
        ("claude-opus-latest", "2026-09-22", {"input": 1000}, "0.004"),
        ("haiku", "2025-10-14", {"input": 1000}, "0.0008"),
        ("haiku", "2026-10-06", {"input": 1000}, "0.001"),
        ("haiku", "2026-10-07", {"input": 1000}, "0.0001"),
        ("sonnet[1m]", "2026-02-17", {"input": 200_001}, "1.200006"),
        ("claude-opus-4-8", "2026-11-21", USUAL | {"geo": "global"}, "0.015275"),
        ("eu.anthropic.claude-opus-4-1-20250805-v1:0", "2026-01-01", {"input": 1000}, "0.015"),
        ("claude-3-haiku-20240307", "2026-01-01", {"w5m": 1000, "w1h": 1000, "read": 1000}, "0.00083"),
        ("claude-opus-4-8", "2020-01-01", {"input": 1000}, "0.005"),
        ("openai/gpt-5.4-2026-03-05", "2026-11-21", {"input": 272_000, "out": 1}, "0.680015"),
        ("gpt-5.4", "2026-11-21", {"input": 272_000, "read": 1, "out": 1}, "1.360023"),
        ("gpt-5.6-sol", "2026-08-20", {"input": 1000, "tier": "batch"}, "0.0025"),
        ("gpt-6-luna-2026-09-09", "2026-11-21", {"w5m": 1000}, "0.000125"),
        ("google/gemini-3-pro-preview", "2026-11-21", {"input": 1000, "read": 1000, "out": 1000}, "0.0142"),
    ],
)  # fmt: skip
def test_cost_by_hand(model: str, day: str, fields: dict[str, Any], usd: str) -> None:
    assert cost(model, moment(day), **fields) == Decimal(usd)


@pytest.mark.parametrize(
    ("model", "day", "fields"),
    [
        ("claude-nova-9", "2026-11-21", {"input": 1}),
        ("fable", "2026-06-08", {"input": 1}),
        ("bedrock/sonnet", "2026-11-21", {"input": 1}),
        ("claude-opus-4-7", "2026-07-24", {"input": 1, "speed": "fast"}),
        ("claude-opus-4-8", "2026-11-30", {"input": 1, "speed": "fast"}),
        ("claude-sonnet-5", "2026-11-21", {"input": 1, "speed": "fast"}),
        ("claude-sonnet-5", "2026-11-21", {"input": 1, "speed": "turbo"}),
        ("claude-sonnet-5", "2026-11-21", {"input": 1, "tier": "flex"}),
        ("claude-3-sonnet-20240229", "2025-01-01", {"input": 1, "read": 1}),
        ("gpt-5.5", "2026-11-21", {"w1h": 1}),
    ],
)
def test_unknown_price_is_null(model: str, day: str, fields: dict[str, Any]) -> None:
    assert cost(model, moment(day), **fields) is None


def test_no_units_cost_nothing_even_unpriced() -> None:
    assert cost("claude-nova-9") == 0


def test_a_missing_meter_leaves_the_others_priced() -> None:
    assert cost("claude-3-sonnet", moment("2025-01-01"), input=1_000_000, out=1_000_000) == 18


def test_without_a_time_the_price_of_today_holds() -> None:
    row = turn("claude-sonnet-5-5", None, read=1_000_000)
    assert costs(row, now=moment("2026-10-01")) == [Decimal("0.2")]
    assert costs(row, now=moment("2026-10-08")) == costs(row) == [Decimal("0.1")]


def test_a_family_without_a_time_has_no_known_price() -> None:
    turns = canonicalise(pl.DataFrame([turn("opus", None, input=1)], schema=TURNS.schema))
    assert turns.select("provider", "model").rows() == [("unknown", "opus")]
    assert costs(turn("opus", None, input=1)) == [None]


def test_discount_is_applied_last_and_rounds_half_to_even() -> None:
    assert costs(turn("claude-opus-4-8", **USUAL, searches=1), discount="0.9") == [Decimal("0.0227475")]
    table = price_table({"tiny": {"input": "0.000001", "output": "0.000003"}})
    turns = pl.DataFrame([turn("tiny", input=1, out=1)], schema=TURNS.schema).with_columns(model="model_raw")
    assert unit_prices(turns, table, discount="0.5").row(0, named=True)["pico_input"] == 0
    assert unit_prices(turns, table, discount="0.5").row(0, named=True)["pico_output"] == 2


@pytest.mark.parametrize("discount", ["-0.1", "half", "nan", "1e30"])
def test_wrong_discount_is_refused(discount: str) -> None:
    with pytest.raises(CostscanError, match=r"prices\.discount"):
        costs(turn("opus"), discount=discount)


def test_rows_keep_their_order_and_number() -> None:
    models = ["claude-opus-4-8", "claude-nova-9", "claude-haiku-4-5", "claude-opus-4-8", "gpt-5.5"] * 40
    usd = costs(*(turn(model, input=i) for i, model in enumerate(models)))
    price = {"claude-opus-4-8": 5, "claude-nova-9": None, "claude-haiku-4-5": 1, "gpt-5.5": 5}
    rate = [price[model] for model in models]
    assert usd == [None if r is None else r * i * Decimal("1e-6") for i, r in enumerate(rate)]


def test_no_turns() -> None:
    turns = canonicalise(pl.DataFrame(schema=TURNS.schema))
    unit = unit_prices(turns, price_table())
    assert turn_usd(turns, unit).height == bill(turns, unit).height == 0
    assert bill(turns, unit).schema == BILL.schema


def test_canonicalise_fills_names_and_keeps_the_rest() -> None:
    opus = "claude-opus-4-8"
    fast = [turn("claude-opus-4-8-fast", speed=speed) for speed in ("standard", "fast", "slow")]
    rows = [*fast, turn("gpt-5-2025-08-07"), turn("house-model")]
    before = pl.DataFrame(rows, schema=TURNS.schema).with_columns(extra=pl.int_range(pl.len()))
    after = canonicalise(before)
    assert after.schema == before.schema
    assert after["model"].to_list() == [opus, opus, opus, "gpt-5", "house-model"]
    assert after["provider"].to_list() == ["anthropic"] * 3 + ["openai", "unknown"]
    assert after["speed"].to_list() == ["fast", "fast", "slow", "standard", "standard"]
    rest = [column for column in before.columns if column not in {"model", "provider", "speed"}]
    assert after.select(rest).equals(before.select(rest))


def test_bill_lists_only_what_was_used() -> None:
    rows = [turn("claude-opus-4-8", turn=0, input=10, searches=1), turn("claude-nova-9", turn=1, out=7)]
    turns = canonicalise(pl.DataFrame(rows, schema=TURNS.schema))
    lines = check("bill", bill(turns, unit_prices(turns, price_table())))
    assert lines.drop("run_id").rows() == [
        (0, "input", 10, Decimal("0.00005")), (0, "web_search", 1, Decimal("0.01")), (1, "output", 7, None),
    ]  # fmt: skip


def test_damaged_counts_are_refused_not_wrapped() -> None:
    with pytest.raises(CostscanError, match="output_tokens"):
        cost("claude-opus-4-8", out=2**62)


def test_largest_amounts_stay_exact() -> None:
    turns = canonicalise(pl.DataFrame([turn("claude-opus-4-8", out=368_934_881_474)], schema=TURNS.schema))
    assert turn_usd(turns, unit_prices(turns, price_table()))["usd"][0] == Decimal("9223372.03685")
