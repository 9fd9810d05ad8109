"""The limits of trials, each with a case just within it and one just beyond."""

from typing import Any

import pytest
from scipy.stats import binomtest  # type: ignore[import-untyped]

from costscan.trial.agreement import interval
from costscan.trial.comparing.label import is_label
from costscan.trial.looks import looks
from costscan.trial.recorded import Answer


def wilson(agrees: int, n: int, alpha: float) -> Any:
    found = binomtest(agrees, n).proportion_ci(1 - alpha, method="wilson")
    return pytest.approx((found.low, found.high))


@pytest.mark.parametrize(("n", "alpha"), [(20, 0.05), (19, 0.03)])
def test_samples_of_less_than_twenty_may_miss_three_fifths_as_often(n: int, alpha: float) -> None:
    """There Wilson's interval misses more often than its formula says: test_coverage.py works out how often."""
    assert interval(9, n, 0.05) == wilson(9, n, alpha)


def test_from_four_answers_on_that_differ_the_interval_is_wilson_s() -> None:
    """Brown, Cai and DasGupta (2001), section 4.1.1, mend it for one to three."""
    assert interval(96, 100, 0.05) == wilson(96, 100, 0.05)
    assert interval(97, 100, 0.05) != wilson(97, 100, 0.05)


@pytest.mark.parametrize(("n", "sizes"), [(30, [10, 20, 30]), (28, [19, 28]), (15, [10, 15]), (13, [13])])
def test_nothing_is_clear_before_ten_answers(n: int, sizes: list[int]) -> None:
    """A third and two thirds of the sample are looked at: of 28 that are 9 and 19."""
    assert [look.upto for look in looks(n)] == sizes


def test_early_looks_take_half_a_percent_each_of_what_may_be_missed() -> None:
    """So that the last one, of the 3.5 % that an interval may miss, has 2.5 % left."""
    assert [look.alpha for look in looks(100)] == pytest.approx([0.005, 0.005, 0.025])


@pytest.mark.parametrize(("text", "is_one"), [
    ("a b c d", True), ("a b c d e", False), ("w" * 60, True), ("w" * 61, False),
])  # fmt: skip
def test_a_label_has_four_words_and_sixty_characters(text: str, *, is_one: bool) -> None:
    """What is longer is a sentence, which says the same in other words."""
    assert is_label(Answer([{"type": "text", "text": text}], "end_turn")) == is_one
