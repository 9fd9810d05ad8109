"""What turns cost: hand-computed bills, every boundary of the rules, and a slow reference."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from costscan.errors import CostscanError
from costscan.frames import BILL, TURNS, USD, check
from costscan.prices import bill, canonicalise, price_table, turn_usd, unit_prices

NOVEMBER = datetime(2026, 11, 21, tzinfo=UTC)
TOKENS = {
    "input": "input_tokens", "read": "cache_read_tokens", "w5m": "cache_write_5m_tokens",
    "w1h": "cache_write_1h_tokens", "out": "output_tokens", "searches": "web_searches",
}  # fmt: skip


def turn(model: str, at: datetime | None = NOVEMBER, **fields: Any) -> dict[str, Any]:
    blank = dict.fromkeys(TURNS) | dict.fromkeys(TOKENS.values(), 0)
    given = {TOKENS.get(name, name): value for name, value in fields.items()}
    plain = {"run_id": "r", "turn": 0, "line": 1, "provider": "", "model": "", "usage_from": "reported"}
    plain |= {"tier": "standard", "speed": "standard"}
    return blank | plain | {"model_raw": model, "at": at} | given


def costs(*rows: dict[str, Any], **options: Any) -> list[Decimal | None]:
    turns = canonicalise(pl.DataFrame(rows, schema=TURNS))
    return turn_usd(turns, unit_prices(turns, price_table(), **options))["usd"].to_list()


def cost(model: str, at: datetime | None = NOVEMBER, **fields: Any) -> Decimal | None:
    return costs(turn(model, at, **fields))[0]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


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


def test_discount_is_applied_last_and_rounds_half_to_even() -> None:
    assert costs(turn("claude-opus-4-8", **USUAL, searches=1), discount="0.9") == [Decimal("0.0227475")]
    table = price_table({"tiny": {"input": "0.000001", "output": "0.000003"}})
    turns = pl.DataFrame([turn("tiny", input=1, out=1)], schema=TURNS).with_columns(model="model_raw")
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
    turns = canonicalise(pl.DataFrame(schema=TURNS))
    unit = unit_prices(turns, price_table())
    assert turn_usd(turns, unit).height == bill(turns, unit).height == 0
    assert bill(turns, unit).schema == BILL


def test_canonicalise_fills_names_and_keeps_the_rest() -> None:
    opus = "claude-opus-4-8"
    fast = [turn("claude-opus-4-8-fast", speed=speed) for speed in ("standard", "fast", "slow")]
    rows = [*fast, turn("gpt-5-2025-08-07"), turn("house-model")]
    before = pl.DataFrame(rows, schema=TURNS).with_columns(extra=pl.int_range(pl.len()))
    after = canonicalise(before)
    assert after.schema == before.schema
    assert after["model"].to_list() == [opus, opus, opus, "gpt-5", "house-model"]
    assert after["provider"].to_list() == ["anthropic"] * 3 + ["openai", "unknown"]
    assert after["speed"].to_list() == ["fast", "fast", "slow", "standard", "standard"]
    rest = [column for column in before.columns if column not in {"model", "provider", "speed"}]
    assert after.select(rest).equals(before.select(rest))


def test_bill_lists_only_what_was_used() -> None:
    rows = [turn("claude-opus-4-8", turn=0, input=10, searches=1), turn("claude-nova-9", turn=1, out=7)]
    turns = canonicalise(pl.DataFrame(rows, schema=TURNS))
    lines = check("bill", bill(turns, unit_prices(turns, price_table())))
    assert lines.drop("run_id").rows() == [
        (0, "input", 10, Decimal("0.00005")), (0, "web_search", 1, Decimal("0.01")), (1, "output", 7, None),
    ]  # fmt: skip


def test_damaged_counts_are_refused_not_wrapped() -> None:
    with pytest.raises(CostscanError, match="output_tokens"):
        cost("claude-opus-4-8", out=2**62)


def test_largest_amounts_stay_exact() -> None:
    turns = canonicalise(pl.DataFrame([turn("claude-opus-4-8", out=368_934_881_474)], schema=TURNS))
    assert turn_usd(turns, unit_prices(turns, price_table()))["usd"][0] == Decimal("9223372.03685")


# ---- A slow reference, written from the published rules and not from the table.

MTOK = {
    "claude-opus-4-8": "5 0.5 6.25 10 25",
    "claude-opus-4-7": "5 0.5 6.25 10 25",
    "claude-opus-4-6": "5 0.5 6.25 10 25",
    "claude-opus-5-5": "4 0.2 5 8 20",
    "claude-fable-5-1": "10 0.25 12.5 20 50",
    "claude-sonnet-5-5": "2 0.1 2.5 4 10",
    "claude-sonnet-4-5": "3 0.3 3.75 6 15",
    "claude-sonnet-4-0": "3 0.3 3.75 6 15",
    "claude-haiku-5-5": "0.1 0.01 0.125 0.2 0.5",
    "claude-haiku-4-5": "1 0.1 1.25 2 5",
}
FAST = {
    "claude-opus-4-8": [("2020-01-01", "2026-11-30", 2)],
    "claude-opus-4-7": [("2020-01-01", "2026-07-24", 6)],
    "claude-opus-4-6": [("2020-01-01", "2026-06-29", 6), ("2026-06-29", "2099-01-01", 1)],
    "claude-opus-5-5": [("2020-01-01", "2099-01-01", 2)],
}
LONG = {
    "claude-opus-4-6": (200_000, "2020-01-01", "2026-03-13", "2", "1.5"),
    "claude-sonnet-4-5": (200_000, "2020-01-01", "2026-04-30", "2", "1.5"),
    "claude-sonnet-4-0": (200_000, "2025-08-12", "2026-04-30", "2", "1.5"),
    "claude-haiku-5-5": (100_000, "2020-01-01", "2099-01-01", "5", "5"),
}
SPELT = {
    **{model: (model, "1") for model in MTOK},
    "us.anthropic.claude-opus-4-8": ("claude-opus-4-8", "1.1"),
    "us-gov.anthropic.claude-haiku-4-5-20251001-v1:0": ("claude-haiku-4-5", "1.2"),
    "us.anthropic.claude-sonnet-4-20250514-v1:0": ("claude-sonnet-4-0", "1"),
    "global.anthropic.claude-opus-4-6-v1": ("claude-opus-4-6", "1"),
    "claude-nova-9": (None, "1"),
}
BEFORE_US = {"claude-sonnet-4-5", "claude-sonnet-4-0", "claude-haiku-4-5"}
DAYS = [
    "2025-05-22", "2025-08-12", "2026-02-05", "2026-03-13", "2026-04-30", "2026-06-29", "2026-07-24",
    "2026-10-07", "2026-11-30",
]  # fmt: skip


def reference_usd(row: Mapping[str, Any]) -> Decimal | None:
    model, place = SPELT[row["model_raw"]]
    counts: list[int] = [row[TOKENS[name]] for name in ("input", "read", "w5m", "w1h", "out")]
    searches: int = row["web_searches"]
    if not any(counts) and not searches:
        return Decimal(0)
    if model is None:
        return None
    mtok = [Decimal(price) for price in MTOK[model].split()]
    day = row["at"].isoformat()
    if model == "claude-sonnet-5-5" and day < "2026-10-07":
        mtok[1] = Decimal("0.2")
    factor, out_factor = Decimal(1), Decimal(1)
    if row["speed"] == "fast":
        held = [times for start, end, times in FAST.get(model, []) if start <= day < end]
        if not held:
            return None
        factor = out_factor = Decimal(held[0])
    else:
        limit, start, end, prompt_times, output_times = LONG.get(model, (10**12, "", "", "1", "1"))
        if sum(counts[:4]) > limit and start <= day < end:
            factor, out_factor = Decimal(prompt_times), Decimal(output_times)
        if row["tier"] == "batch":
            factor, out_factor = factor / 2, out_factor / 2
    us = Decimal("1.1") if row["geo"] == "us" and model not in BEFORE_US else Decimal(1)
    factors = [factor] * 4 + [out_factor]
    token_usd = sum((n * p * f for n, p, f in zip(counts, mtok, factors, strict=True)), Decimal(0))
    return token_usd * max(us, Decimal(place)) / 10**6 + searches * Decimal("0.01")


def near_days() -> st.SearchStrategy[datetime]:
    steps = st.sampled_from(
        [timedelta(0), timedelta(microseconds=-1), timedelta(days=1), timedelta(days=-400)]
    )
    return st.builds(lambda day, step: moment(day) + step, st.sampled_from(DAYS), steps)


def counts() -> st.SearchStrategy[int]:
    return st.sampled_from([0, 0, 1, 50_000, 99_999, 100_000, 100_001, 200_000, 200_001]) | st.integers(
        0, 10**9
    )


def rows() -> st.SearchStrategy[dict[str, Any]]:
    fields = {name: counts() for name in ("input", "read", "w5m", "w1h", "out")}
    modes = {
        "tier": st.sampled_from(["standard", "batch", "priority"]),
        "speed": st.sampled_from(["standard", "fast"]),
        "geo": st.sampled_from([None, "us", "global"]),
        "searches": st.integers(0, 5),
    }
    return st.builds(turn, st.sampled_from(sorted(SPELT)), near_days(), **fields, **modes)


@settings(max_examples=300, deadline=None)
@given(st.lists(rows(), min_size=1, max_size=12))
@example([turn("claude-haiku-5-5", read=100_000), turn("claude-haiku-5-5", read=100_001)])
def test_agrees_with_the_slow_reference(turn_rows: list[dict[str, Any]]) -> None:
    numbered = [row | {"turn": i} for i, row in enumerate(turn_rows)]
    turns = canonicalise(pl.DataFrame(numbered, schema=TURNS))
    unit = unit_prices(turns, price_table())
    total = turn_usd(turns, unit)
    assert total["usd"].to_list() == [reference_usd(row) for row in turn_rows]
    assert total["usd"].dtype == USD
    lines = bill(turns, unit).group_by("turn").agg(pl.col("usd").sum(), unpriced=pl.col("usd").null_count())
    summed = {i: None if unpriced else usd for i, usd, unpriced in lines.iter_rows()}
    assert [summed.get(i, Decimal(0)) for i in range(len(turn_rows))] == total["usd"].to_list()
