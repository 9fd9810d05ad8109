"""The limits of what recorded totals prove, each with a case just within it and one just beyond."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from costscan.prices import price_table
from costscan.recorded_cost.contradictions import _times
from costscan.recorded_cost.fits import STANDARD, Fit, Rest, fitted
from logs import SONNET, usd


@pytest.mark.parametrize(("witnessed", "times"), [(100, 2), (99, 0)])
def test_a_witness_tells_from_a_hundred_tokens_on(witnessed: int, times: int) -> None:
    """Twice a small number is met by chance, so that nothing is taken off a total for it."""
    assert _times({"input_tokens": 2 * witnessed}, {"input_tokens": witnessed}, ("input_tokens",)) == times


def fit(recorded: Decimal, hour: int | None) -> Fit:
    """Return how 1,000 tokens in, 1,000 written and 10 out are billed, given the dollars."""
    tokens = {
        "input_tokens": 1000, "cache_read_tokens": 0, "cache_write_tokens": 1000, "output_tokens": 10,
        "web_searches": 0,
    }  # fmt: skip
    rest = Rest(
        model=SONNET, model_raw=SONNET, at=datetime(2026, 7, 1, tzinfo=UTC), tokens=tokens, hour=hour, hour_share=0,
        usd=recorded, spent_usd=Decimal(0), modes=[STANDARD], is_whole=True,
    )  # fmt: skip
    (found,) = fitted([rest], price_table())
    return found


BILLED = usd(SONNET, **{"in": 1000}, w5m=600, w1h=400, out=10)


@pytest.mark.parametrize(("off", "is_proven"), [("1e-6", True), ("-1e-6", True), ("1.01e-6", False)])
def test_dollars_that_are_a_millionth_off_prove_tokens(off: str, *, is_proven: bool) -> None:
    """Sums of binary floats are off by less; one token of input more would be three millionths."""
    assert fit(BILLED + Decimal(off), hour=400).is_proven == is_proven


@pytest.mark.parametrize(("off", "is_proven"), [("1e-8", True), ("-1e-8", True), ("1.01e-8", False)])
def test_a_split_that_was_solved_for_is_a_hundredth_of_that_off(off: str, *, is_proven: bool) -> None:
    """A write of an hour is 2.25 millionths dearer: some number of them is within half of that of any dollars."""
    found = fit(BILLED + Decimal(off), hour=None)
    assert found.is_proven == is_proven
    assert not is_proven or (found.w5m, found.w1h) == (600, 400)
