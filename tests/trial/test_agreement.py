"""Shares and their intervals: Wilson's against scipy, wider where it is known to be too short, and strata."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, gamma  # type: ignore[import-untyped]

from costscan.trial.agreement import Interval, Stratum, allotted, interval, of_sample, of_strata


@pytest.mark.parametrize(
    ("agrees", "n", "alpha"), [(91, 100, 0.05), (50, 100, 0.05), (30, 60, 0.01), (7, 24, 0.1)]
)
def test_it_is_wilson_s_interval(agrees: int, n: int, alpha: float) -> None:
    told = binomtest(agrees, n).proportion_ci(1 - alpha, method="wilson")
    assert interval(agrees, n, alpha) == pytest.approx((told.low, told.high))


@pytest.mark.parametrize("few", [1, 2, 3])
def test_where_few_answers_differ_the_limit_is_that_of_a_poisson_count(few: int) -> None:
    high = 1 - gamma.ppf(0.05, few) / 100
    wilson = binomtest(100 - few, 100).proportion_ci(0.95, method="wilson")
    assert interval(100 - few, 100, 0.05)[1] == pytest.approx(max(high, wilson.high))
    assert interval(few, 100, 0.05)[0] == pytest.approx(min(1 - high, 1 - wilson.high))


def test_by_hand() -> None:
    # 91 of 100 at z = 1.96: (0.91 + 0.019207) / 1.038415 = 0.89483, +- 1.96 / 1.038415 * sqrt(0.000819 + 0.0000960)
    low, high = interval(91, 100, 0.05)
    assert (round(low, 4), round(high, 4)) == (0.8377, 0.9519)
    assert of_sample(0, 0, 0.05) == Interval(None, None, None, 0)
    assert of_sample(5, 5, 0.05)[0] == 1.0


def test_strata_count_by_the_calls_that_they_stand_for() -> None:
    # 900 calls agree to 90 %, 100 to 50 %: 0.9 * 0.9 + 0.1 * 0.5 = 0.86.
    share, low, high, n = of_strata([Stratum(81, 90, 900), Stratum(5, 10, 100)], 0.05)
    assert share == pytest.approx(0.86)
    assert n == 100
    # In proportion: the weights are those of a plain sample.
    assert (low, high) == pytest.approx(interval(86, 100, 0.05))


def test_an_uneven_sample_says_less_than_a_plain_one_of_its_size() -> None:
    even = of_strata([Stratum(45, 50, 500), Stratum(45, 50, 500)], 0.05)
    uneven = of_strata([Stratum(81, 90, 500), Stratum(9, 10, 500)], 0.05)
    # Kish: 1 / (0.25 / 90 + 0.25 / 10) = 36 answers.
    assert (uneven.low, uneven.high) == pytest.approx(interval(0.9 * 36, 36, 0.05))
    assert even.low is not None
    assert uneven.low is not None
    assert uneven.low < even.low


def test_a_stratum_of_which_nothing_was_compared_stands_for_nothing() -> None:
    assert of_strata([Stratum(9, 10, 10), Stratum(0, 0, 90)], 0.05) == of_strata([Stratum(9, 10, 10)], 0.05)
    assert of_strata([Stratum(0, 0, 90)], 0.05).share is None


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(1, 100))
def test_a_sample_is_shared_out_in_proportion(calls: list[int], n: int) -> None:
    given_out = allotted(calls, n)
    assert sum(given_out) == min(n, sum(calls))
    assert all(own <= size for own, size in zip(given_out, calls, strict=True))
    if n >= 2 * len(calls):
        exact = [min(n, sum(calls)) * size / sum(calls) for size in calls]
        assert all(own >= 1 for own in given_out)
        assert all(own <= share + 1 for own, share in zip(given_out, exact, strict=True))


@given(st.integers(1, 300), st.data(), st.floats(0.001, 0.2))
def test_an_interval_holds_its_share_and_mirrors(n: int, data: st.DataObject, alpha: float) -> None:
    agrees = data.draw(st.integers(0, n))
    low, high = interval(agrees, n, alpha)
    assert 0 <= low <= agrees / n <= high <= 1
    assert interval(n - agrees, n, alpha) == pytest.approx((1 - high, 1 - low))
