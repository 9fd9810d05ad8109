"""The limits of trends, each with a case just within it and one just beyond."""

from pathlib import Path

import pytest

from costscan.trend.change_points import likeliest_step
from costscan.trend.levels import _LOOKED_AT
from costscan.trend.significance import _draws
from trends import daily, of


@pytest.mark.parametrize(("usd", "steps"), [(1.051, 1), (1.049, 0), (1 / 1.051, 1), (1 / 1.049, 0)])
def test_a_step_is_a_change_of_five_percent(tmp_path: Path, usd: float, steps: int) -> None:
    """However sure a smaller one is: nobody looks for what made a run so little dearer, or cheaper."""
    assert len(of(tmp_path, *daily([1.0] * 20 + [usd] * 20)).changes) == steps


@pytest.mark.parametrize(("runs", "orders"), [(8, 40_320), (9, 1001), (300, 1001)])
def test_all_orders_of_eight_runs_are_counted_and_a_sample_of_more(runs: int, orders: int) -> None:
    """A chance is a whole number of orders: of 8! = 40,320, or of the thousand of a sample and the logged one."""
    clearer = _chance(runs) * orders
    assert clearer == pytest.approx(round(clearer))
    if runs == 8:
        assert round(clearer) == 2 * 24 * 24, "4! * 4! orders rise in the middle, as many fall"


def test_a_closed_form_tells_the_chance_of_more_than_three_hundred_runs() -> None:
    """A sample of a thousand knows none below one of a thousand, and would take long."""
    assert _chance(300) == pytest.approx(1 / 1001)
    assert _chance(301) < 1e-9


def _chance(runs: int) -> float:
    """Return how often chance alone makes a step as clear as that of runs that rise one by one."""
    step = likeliest_step(range(runs), range(runs), 0.05)
    assert step is not None
    return step.p_value


@pytest.mark.parametrize(("runs", "rate", "draws"), [
    (10, 0.05, 1000), (10, 0.051, 999), (100, 0.0025, 19_999), (101, 0.0025, 19_801), (300, 0.0001, 6666),
])  # fmt: skip
def test_how_many_orders_are_sampled(runs: int, rate: float, draws: int) -> None:
    """Where the rate is just met, 50 of them are clearer: it is known to a seventh of itself."""
    assert _draws(runs, rate) == draws


def test_the_whole_and_its_thirds_share_the_rate_of_false_alarms() -> None:
    """With 0.6 of 5 % for the whole, eight runs show a step (2 / 70 of all orders); the rest is for two thirds."""
    shares = [share for _, share in _LOOKED_AT]
    assert sum(shares) == pytest.approx(1)
    assert 2 / 70 <= 0.05 * shares[0] < 2 / 70 + 0.002
    assert shares[1] == shares[2]
