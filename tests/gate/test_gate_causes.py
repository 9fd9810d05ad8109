"""Why the cost moved: the parts add up to the change, are what they are called, and do not depend on an order."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from math import factorial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costscan.gate import CAUSES, ComparisonSide
from costscan.gate.causes import split
from hypothesis_profile import examples
from sides import METERS, Run, Spent, side

PLAIN = Spent(turns=10, units=(1000, 8000, 1000, 0, 500, 0))


def told(before: ComparisonSide, after: ComparisonSide) -> dict[str, Decimal]:
    """Return the change by cause."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in split(before, after).iter_rows(named=True):
        found[row["cause"]] += row["usd"]
    return dict(found)


def one(spent: Spent, *more: Spent, task: str = "t", parts: Any = ()) -> ComparisonSide:
    return side(Run("r", task, (spent, *more), parts=parts))


def dollars(spent: Spent) -> Decimal:
    paid = zip(spent.units, spent.prices, strict=True)
    return sum((Decimal(n) * Decimal(price) / 1_000_000 for n, price in paid), Decimal(0))


def test_nothing_moved() -> None:
    assert told(one(PLAIN), one(PLAIN)) == {}


def test_a_more_expensive_price_table_is_all_price() -> None:
    dear = Spent(turns=10, units=PLAIN.units, prices=(6, "0.6", "7.5", 12, 30, 10_000))
    assert told(one(PLAIN), one(dear)) == {"price": dollars(PLAIN)}


def test_more_turns_alike_are_all_turns() -> None:
    twice = Spent(turns=20, units=tuple(2 * n for n in PLAIN.units))
    assert told(one(PLAIN), one(twice)) == {"turns": dollars(PLAIN)}


def test_more_runs_alike_are_all_runs() -> None:
    twice = side(Run("a", spent=(PLAIN,)), Run("b", spent=(PLAIN,)))
    assert told(one(PLAIN), twice) == {"runs": dollars(PLAIN)}


def test_longer_output_is_all_output() -> None:
    longer = Spent(turns=10, units=(1000, 8000, 1000, 0, 900, 0))
    assert told(one(PLAIN), one(longer)) == {"output_tokens": Decimal(400 * 15) / 1_000_000}


def test_a_lost_cache_is_all_cache() -> None:
    """8,000 tokens that were read at 0.3 are sent plain at 3."""
    lost = Spent(turns=10, units=(9000, 0, 1000, 0, 500, 0))
    assert told(one(PLAIN), one(lost)) == {"cache": Decimal("0.0216")}


def test_another_model_for_the_same_work_is_all_model() -> None:
    other = Spent("claude-haiku-4-5", 10, PLAIN.units, prices=(1, "0.1", "1.25", 2, 5, 10_000))
    assert told(one(PLAIN), one(other)) == {"model": -dollars(PLAIN) * 2 / 3}


def test_a_cheaper_tier_is_all_lane() -> None:
    batch = Spent(
        turns=10, units=PLAIN.units, prices=("1.5", "0.15", "1.875", 3, "7.5", 10_000), tier="batch"
    )
    assert told(one(PLAIN), one(batch)) == {"lane": -dollars(PLAIN) / 2}


def test_searches_are_all_searches() -> None:
    """Two searches at a cent each."""
    searched = Spent(turns=10, units=(*PLAIN.units[:5], 2))
    assert told(one(PLAIN), one(searched)) == {"web_searches": Decimal("0.02")}


def test_a_longer_prompt_is_told_by_part_and_kind() -> None:
    """Of 10,000 tokens in ten turns 4,000 are results of Bash; these double. A token costs 6.06 USD per million on average."""
    parts = [("Bash", "tool_result", 4000), ("(system prompt)", "system", 6000)]
    longer = [("Bash", "tool_result", 8000), ("(system prompt)", "system", 6000)]
    more = Spent(turns=10, units=(1400, 11200, 1400, 0, 500, 0))
    found = split(one(PLAIN, parts=parts), one(more, parts=longer)).to_dicts()
    assert [(row["cause"], row["part"], row["kind"]) for row in found] == [
        ("prompt_tokens", "Bash", "tool_result")
    ]
    assert found[0]["usd"] == Decimal(400 * 3 + 400 * Decimal("3.75") + 3200 * Decimal("0.3")) / 1_000_000


def test_what_no_block_tells_is_the_rest() -> None:
    more = Spent(turns=10, units=(2000, 16000, 2000, 0, 500, 0))
    found = split(one(PLAIN), one(more)).to_dicts()
    assert [(row["cause"], row["part"]) for row in found] == [("prompt_tokens", "(rest)")]


def test_new_and_gone_tasks_count_whole() -> None:
    found = split(one(PLAIN, task="old"), one(PLAIN, task="new")).to_dicts()
    assert {(row["task"], row["cause"], row["usd"]) for row in found} == {
        ("old", "gone_tasks", -dollars(PLAIN)),
        ("new", "new_tasks", dollars(PLAIN)),
    }


def test_what_a_report_does_not_explain_is_said_so() -> None:
    before, after = (side(Run("r", spent=(PLAIN,), usd=usd)) for usd in ("1", "3"))
    assert told(before, after) == {"other": Decimal(2)}


COUNT = st.sampled_from([0, 0, 1, 7, 1000, 123_457])
SPENT = st.builds(
    Spent,
    model=st.sampled_from(["a", "b"]),
    tier=st.sampled_from(["standard", "batch"]),
    turns=st.integers(1, 9),
    units=st.tuples(*[COUNT] * 6),
    prices=st.tuples(*[st.sampled_from(["0", "0.3", "3.75", "15"])] * 6),
)
PARTS = st.lists(
    st.tuples(st.sampled_from(["Bash", "(user)"]), st.just("text"), COUNT),
    max_size=2,
    unique_by=lambda p: p[0],
)
RUN = st.builds(
    Run,
    run_id=st.uuids().map(str),
    task=st.sampled_from(["x", "y", "z"]),
    spent=st.lists(SPENT, max_size=3),
    parts=PARTS,
    unpriced_turns=st.sampled_from([0, 0, 2]),
)
SIDES = st.lists(RUN, min_size=1, max_size=4).map(lambda runs: side(*runs))


@examples(40)
@given(SIDES, SIDES)
def test_the_parts_add_up_to_the_change(before: ComparisonSide, after: ComparisonSide) -> None:
    found = split(before, after)
    assert sum(found["usd"], Decimal(0)) == after.usd - before.usd
    assert set(found["cause"]) <= {*CAUSES} - {"other"}


@examples(40)
@given(SIDES, SIDES)
def test_the_way_back_is_the_same_with_the_other_sign(before: ComparisonSide, after: ComparisonSide) -> None:
    there, back = told(before, after), told(after, before)
    names = {"new_tasks": "gone_tasks", "gone_tasks": "new_tasks"}
    for cause, usd in there.items():
        assert float(back.get(names.get(cause, cause), 0)) == pytest.approx(-float(usd), abs=1e-7)


FACTORS = ("runs", "turns", "volume", "model", "lane", "cache", "price")
FAMILY = dict.fromkeys(METERS, "prompt_tokens") | {"output": "output_tokens", "web_search": "web_searches"}


def slow(before: ComparisonSide, after: ComparisonSide, task: str) -> dict[str, Fraction]:
    """Return the Shapley value of every factor by looking at every set of factors, in fractions."""
    sides = [Known(side, task) for side in (before, after)]
    found: dict[str, Fraction] = defaultdict(Fraction)
    for key in {*sides[0].units, *sides[1].units}:
        pair = [known.factors(key) for known in sides]
        both = [[first(pair[n][i], pair[1 - n][i]) for i in range(7)] for n in (0, 1)]
        for i, factor in enumerate(FACTORS):
            name = FAMILY[key[-1]] if factor == "volume" else factor
            found[name] += shapley(both, i)
    return {name: value for name, value in found.items() if value}


def first(value: Fraction | None, other: Fraction | None) -> Fraction:
    return value if value is not None else other if other is not None else Fraction(0)


def shapley(both: list[list[Fraction]], i: int) -> Fraction:
    others = [j for j in range(7) if j != i]
    whole = Fraction(0)
    for size in range(7):
        weight = Fraction(factorial(size) * factorial(6 - size), factorial(7))
        for moved in combinations(others, size):
            product = both[1][i] - both[0][i]
            for j in others:
                product *= both[1 if j in moved else 0][j]
            whole += weight * product
    return whole


class Known:
    """What one side knows of a task, summed the plain way."""

    def __init__(self, side: ComparisonSide, task: str) -> None:
        self.units: dict[tuple[str, str, str], int] = defaultdict(int)
        self.usd: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
        self.runs = self.turns = 0
        for run in side.runs.filter(task=task).iter_rows(named=True):
            self.runs += 1
            for row in run["spend"]:
                self.turns += row["turns"]
                for meter, name in zip(
                    METERS,
                    (
                        "input_tokens",
                        "cache_read_tokens",
                        "cache_write_5m_tokens",
                        "cache_write_1h_tokens",
                        "output_tokens",
                        "web_searches",
                    ),
                    strict=True,
                ):
                    if row[name]:
                        self.units[row["model"], row["tier"], meter] += row[name]
                        self.usd[row["model"], row["tier"], meter] += Fraction(row[f"{meter}_usd"])

    def factors(self, key: tuple[str, str, str]) -> list[Fraction | None]:
        model, tier, meter = key
        family = {m for m in METERS if FAMILY[m] == FAMILY[meter]}
        own = {k: n for k, n in self.units.items() if k[2] in family}
        volume = sum(own.values())
        of_model = sum(n for k, n in own.items() if k[0] == model)
        of_cell = sum(n for k, n in own.items() if k[:2] == (model, tier))
        units = self.units.get(key, 0)
        return [
            Fraction(self.runs),
            ratio(self.turns, self.runs),
            ratio(volume, self.turns),
            ratio(of_model, volume),
            ratio(of_cell, of_model),
            ratio(units, of_cell),
            None if not units else self.usd[key] / units,
        ]


def ratio(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


@examples(40)
@given(SIDES, SIDES)
def test_the_split_is_the_shapley_value(before: ComparisonSide, after: ComparisonSide) -> None:
    found = split(before, after)
    for task in {*before.units["task"]} & {*after.units["task"]}:
        own: dict[str, float] = defaultdict(float)
        for row in found.filter(task=task).iter_rows(named=True):
            own[row["cause"]] += float(row["usd"])
        expected = slow(before, after, task)
        for cause in {*own, *expected}:
            assert own.get(cause, 0) == pytest.approx(float(expected.get(cause, 0)), abs=1e-7)
