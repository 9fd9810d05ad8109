"""The limits of calibration, each with a case just within it and one just beyond."""

import pytest

from costscan.calibrating.counting import Counted
from costscan.calibrating.fitting import fit
from costscan.calibrating.sample import Sample


def counted(n: int, times: float = 1.1) -> list[Counted]:
    """Return so many texts that are so many times as long as was estimated, give or take one in a hundred."""
    lengths = [round(1000 * times) + 10 * (k % 2) for k in range(n)]
    return [
        Counted(Sample("text", f"text {k}", "", (1000, 1000)), (long, long)) for k, long in enumerate(lengths)
    ]


@pytest.mark.parametrize(("texts", "is_fitted"), [(8, True), (7, False)])
def test_eight_texts_of_a_kind_mend_its_estimates(texts: int, *, is_fitted: bool) -> None:
    """Of fewer, Student's interval is wider than what most estimates are off by."""
    found = fit(counted(texts))
    assert [one.factor is not None for one in found.strata] == [is_fitted] * 2
    assert ("text" in found.ratios) == is_fitted


@pytest.mark.parametrize(("times", "is_fitted"), [(9.9, True), (10.1, False), (0.11, True), (0.09, False)])
def test_a_factor_is_between_a_tenth_and_ten(times: float, *, is_fitted: bool) -> None:
    """Nothing that is sent is so far off its estimate: the log and the count are not of the same text."""
    assert [one.factor is not None for one in fit(counted(8, times)).strata] == [is_fitted] * 2
