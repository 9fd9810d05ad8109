"""What turns cost, against a slow reference that was written from the published rules and not from the table."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from costscan.prices import bill, canonicalise, price_table, turn_usd, unit_prices
from costscan.schema.frames import USD
from costscan.schema.tables.runs import TURNS
from hypothesis_profile import examples
from priced import TOKENS, moment, turn

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
    "anthropic.claude-sonnet-4-5-20250929-v1:0": ("claude-sonnet-4-5", "1.1"),
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


@examples(50)
@given(st.lists(rows(), min_size=20, max_size=40))
@example([turn("claude-haiku-5-5", read=100_000), turn("claude-haiku-5-5", read=100_001)])
def test_agrees_with_the_slow_reference(turn_rows: list[dict[str, Any]]) -> None:
    numbered = [row | {"turn": i} for i, row in enumerate(turn_rows)]
    turns = canonicalise(pl.DataFrame(numbered, schema=TURNS.schema))
    unit = unit_prices(turns, price_table())
    total = turn_usd(turns, unit)
    assert total["usd"].to_list() == [reference_usd(row) for row in turn_rows]
    assert total["usd"].dtype == USD
    lines = bill(turns, unit).group_by("turn").agg(pl.col("usd").sum(), unpriced=pl.col("usd").null_count())
    summed = {i: None if unpriced else usd for i, usd, unpriced in lines.iter_rows()}
    assert [summed.get(i, Decimal(0)) for i in range(len(turn_rows))] == total["usd"].to_list()
