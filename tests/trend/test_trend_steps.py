"""The rule behind the trend: equal to a slow one, exact without a step, and not led astray by one run."""

from itertools import permutations
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costscan.trend import fewest_runs, significance
from costscan.trend.change_points import LEAST_RUNS, likeliest_step
from costscan.trend.levels import levels
from hypothesis_profile import examples
from thoroughness import QUICK
from trends import at, dice_of

VALUES = st.integers(0, 6).map(float)
"""Few values, so that ties are frequent."""
FEW = (100, 11) if QUICK else (300, 26)
"""Series of which each order is counted, and how many of them may have a step."""


def slow_ranks(values: list[float]) -> list[float]:
    """Return the rank of each value: how many are smaller, and half of those that are equal."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
        for value in values
    ]


def slow_clearness(ranks: list[float]) -> dict[int, float]:
    """Return the difference of the mean ranks before and after each place, by its standard error."""
    n = len(ranks)
    return {
        k: abs(sum(ranks[:k]) / k - sum(ranks[k:]) / (n - k)) * sqrt(k * (n - k))
        for k in range(LEAST_RUNS, n - LEAST_RUNS + 1)
    }


@given(st.lists(VALUES, min_size=6, max_size=7))
@examples(15)
def test_every_order_is_looked_at(values: list[float]) -> None:
    ranks = slow_ranks(values)
    seen = max(slow_clearness(ranks).values())
    every = [max(slow_clearness(list(order)).values()) for order in permutations(ranks)]
    found = likeliest_step(values, range(len(values)), 1.0)
    if seen < 1e-9:
        assert found is None
        return
    assert found is not None
    assert found.p_value == pytest.approx(sum(clear >= seen - 1e-9 for clear in every) / len(every))
    assert slow_clearness(ranks)[found.place] == pytest.approx(seen)


@given(st.lists(VALUES, min_size=9, max_size=60), st.data())
def test_the_step_is_where_it_is_clearest(values: list[float], data: st.DataObject) -> None:
    places = data.draw(st.sets(st.integers(1, len(values) - 1), min_size=1))
    allowed = {k: c for k, c in slow_clearness(slow_ranks(values)).items() if k in places}
    found = likeliest_step(values, sorted(places), 1.0)
    if not allowed or len(set(values)) == 1:
        assert found is None
    elif found is not None and max(allowed.values()) > 1e-9:
        assert allowed[found.place] == pytest.approx(max(allowed.values()))


def test_a_sample_of_the_orders_says_what_all_of_them_say(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [1.0, 3.0, 2.0, 4.0, 5.0, 8.0, 6.0, 7.0]
    exact = likeliest_step(values, range(8), 1.0)
    monkeypatch.setattr(significance, "ALL_ORDERS", 0)
    sampled = likeliest_step(values, range(8), 1.0)
    assert exact is not None
    assert sampled is not None
    assert sampled.place == exact.place
    assert sampled.p_value == pytest.approx(exact.p_value, abs=0.03)
    assert likeliest_step(values, range(8), 1.0) == sampled


@pytest.mark.parametrize(("n", "rate"), [(320, 0.05), (800, 0.05), (320, 0.2)])
def test_the_closed_form_is_on_the_safe_side(n: int, rate: float) -> None:
    dice = dice_of(n)
    deviation = sqrt(sum((2 * k - n - 1) ** 2 for k in range(1, n + 1)) / (n - 1) / n)
    places = range(LEAST_RUNS, n - LEAST_RUNS + 1)
    passed = 0
    for _ in range(400):
        order = [2 * k - n - 1 for k in range(1, n + 1)]
        dice.shuffle(order)
        total, clear = 0, 0.0
        for k, rank in enumerate(order, 1):
            total += rank
            if k in places:
                clear = max(clear, abs(total) / sqrt(k * (n - k)))
        passed += significance.closed_form(clear / deviation, places, n) <= rate
    assert 0.4 * rate < passed / 400 < 1.35 * rate


def test_few_places_are_counted_one_by_one() -> None:
    """A normal number is more than 1.96 deviations from nothing in one case of twenty."""
    assert significance.closed_form(1.959964, [500], 1000) == pytest.approx(0.05, rel=1e-4)
    assert significance.closed_form(1.959964, [300, 500], 1000) == pytest.approx(0.10, rel=1e-4)


@pytest.mark.parametrize(("n", "series", "most"), [(8, *FEW), (12, 100, 11), (40, 300, 26)])
def test_chance_alone_makes_a_step_as_often_as_is_said(n: int, series: int, most: int) -> None:
    """Of 300 series without a step, 5 % and three standard deviations are 26; of 100 they are 11."""
    dice = dice_of(n)
    found = [
        levels([dice.gauss(0, 0.4) for _ in range(n)], [at(k) for k in range(n)], rate=0.05, least=0.0)
        for _ in range(series)
    ]
    assert sum(1 for one in found if one.steps) <= most


def test_how_few_runs_can_show_a_step() -> None:
    """Of 8 runs in order, only the two orders of 4 and 4 are as clear: 2 of 70. Of 7, 3 and 4 or 4 and 3 are."""
    assert fewest_runs(0.05) == 8
    assert likeliest_step(range(7), range(7), 0.05) is None
    found = likeliest_step(range(8), range(8), 0.05)
    assert found is not None
    assert found.place == 4
    assert found.p_value == pytest.approx(2 / 70)
    assert fewest_runs(0.01) > 8


@pytest.mark.parametrize("place", [0, 2, 3, 60, 119])
@pytest.mark.parametrize("n", [120, 400])
def test_one_run_astray_is_no_step(place: int, n: int) -> None:
    dice = dice_of(7)
    values = [dice.gauss(0, 0.2) for _ in range(n)]
    times = [at(k) for k in range(n)]
    before = levels(values, times, rate=0.05, least=0.0).steps
    values[place] = 1000.0
    assert levels(values, times, rate=0.05, least=0.0).steps == before == []


def test_steps_among_ten_thousand_runs() -> None:
    dice = dice_of(1)
    values = [dice.gauss(0, 0.4) + (0.5 if 3000 <= k < 8000 else 0.0) for k in range(10_000)]
    found = levels(values, [at(k) for k in range(10_000)], rate=0.05, least=0.05).steps
    assert [step.place for step in found] == [pytest.approx(3000, abs=20), pytest.approx(8000, abs=20)]


def test_steps_are_found_again_beside_their_neighbours() -> None:
    """One level after the other, up and down: the first division of the whole is at the wrong place."""
    dice = dice_of(3)
    values = [dice.gauss(0, 0.1) + (k // 30 % 2) for k in range(240)]
    found = levels(values, [at(k) for k in range(240)], rate=0.05, least=0.05).steps
    assert [step.place for step in found] == [30, 60, 90, 120, 150, 180, 210]


@pytest.mark.parametrize("n", [30, 120, 600])
def test_what_rises_and_falls_again_is_two_steps(n: int) -> None:
    """In the whole, the ranks before and after either step differ by half of what they do beside it."""
    dice = dice_of(n)
    values = [dice.gauss(0, 0.1) + (n // 3 <= k < 2 * n // 3) for k in range(n)]
    found = levels(values, [at(k) for k in range(n)], rate=0.05, least=0.05).steps
    assert [step.place for step in found] == [n // 3, 2 * n // 3]


def test_a_step_that_is_too_small_joins_its_levels() -> None:
    values = [k % 2 / 1000 for k in range(30)] + [0.04 + k % 2 / 1000 for k in range(30)] + [1.0] * 30
    times = [at(k) for k in range(90)]
    assert [step.place for step in levels(values, times, rate=0.05, least=0.03).steps] == [30, 60]
    coarse = levels(values, times, rate=0.05, least=0.05)
    assert [step.place for step in coarse.steps] == [60]
    assert coarse.means == [pytest.approx(0.0205), 1.0]
