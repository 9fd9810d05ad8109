"""What follows from counts: factors with intervals, ratios, and what is left of the errors."""

import random
from statistics import fmean, quantiles, stdev

import pytest

from costscan.calibrating.counting import Counted
from costscan.calibrating.fitting import MIN_SAMPLES, fit
from costscan.calibrating.sample import Sample


def texts(
    kind: str, estimates: list[tuple[int, int]], tokens: list[tuple[int, int]], text: str = "some words"
) -> list[Counted]:
    pairs = zip(estimates, tokens, strict=True)
    return [Counted(Sample(kind, f"{text} {n}", "", e), t) for n, (e, t) in enumerate(pairs)]


def test_the_factor_is_the_mean_of_the_ratios_with_students_interval() -> None:
    """By hand: ratios 0.8 to 1.2, mean 1, deviation 0.1363, eight of them: 2.365 x 0.1363 / sqrt(8) = 0.114."""
    counts = [80, 85, 95, 100, 100, 105, 115, 120]
    fitted = fit(texts("text", [(100, 200)] * 8, [(n, 2 * n) for n in counts]))
    factor = fitted.factors()["v3"]["text"]
    assert stdev(n / 100 for n in counts) == pytest.approx(0.1363, abs=1e-4)
    assert factor.value == pytest.approx(1.0)
    half = 2.3646 * 0.13628 / 8**0.5
    assert (factor.low, factor.high) == pytest.approx((1 - half, 1 + half), abs=2e-4)
    assert factor.samples == 8
    assert fitted.factors()["v4.7"]["text"][:3] == pytest.approx(factor[:3])


def test_few_texts_correct_nothing() -> None:
    few = texts("text", [(100, 100)] * (MIN_SAMPLES - 1), [(150, 150)] * (MIN_SAMPLES - 1))
    fitted = fit(few)
    assert fitted.factors() == {}
    assert fitted.ratios == {}
    assert [(one.samples, one.factor) for one in fitted.strata] == [(MIN_SAMPLES - 1, None)] * 2
    assert fitted.strata[0].before == fitted.strata[0].after


def test_texts_that_have_nothing_in_common_correct_nothing() -> None:
    fitted = fit(texts("text", [(100, 100)] * 8, [(1, 1)] * 7 + [(5000, 5000)]))
    assert fitted.factors() == {}


def test_what_is_left_is_told_of_texts_that_were_not_fitted_on() -> None:
    """Estimates of the one half are half, of the other twice as long: each half is corrected the wrong way."""
    counts = [(200, 200) if n % 2 else (50, 50) for n in range(10)]
    fitted = fit(texts("text", [(100, 100)] * 10, counts))
    (first, _) = fitted.strata
    assert first.before.median == pytest.approx(0.75)  # 1.0 of the short ones, 0.5 of the long ones
    assert first.before.total == pytest.approx(1000 / 1250 - 1)
    # Corrected by 2 those of 50, by 0.5 those of 200.
    assert first.after.median == pytest.approx((3 + 0.75) / 2)
    assert first.after.total == pytest.approx((5 * 200 + 5 * 50) / 1250 - 1)


def test_the_ratio_of_the_families() -> None:
    estimates = [(100, 130), (200, 270), (300, 360), (400, 560)] * 3
    tokens = [(100, 150), (210, 320), (290, 420), (400, 610)] * 3
    fitted = fit(texts("tool_result", estimates, tokens))
    weights = [1 / second for _, second in estimates]
    value = sum(b * w for (_, b), w in zip(tokens, weights, strict=True)) / sum(
        a * w for (a, _), w in zip(tokens, weights, strict=True)
    )
    ratio = fitted.ratios["tool_result"]
    assert ratio.value == pytest.approx(value)
    assert ratio.low < value < ratio.high
    times = fmean(b / e for (_, b), (_, e) in zip(tokens, estimates, strict=True)) / fmean(
        a / e for (a, _), (e, _) in zip(tokens, estimates, strict=True)
    )
    off = [abs(a * (e2 / e1) * times / b - 1) for (a, b), (e1, e2) in zip(tokens, estimates, strict=True)]
    assert fitted.spreads["tool_result"] == pytest.approx(quantiles(off, n=10, method="inclusive")[-1])


def test_what_texts_look_like_is_told_apart() -> None:
    prose = texts("text", [(100, 130)] * 9, [(100, 140)] * 9, "It is said that all of it is well known to us")
    json = texts("tool_result", [(100, 130)] * 3, [(150, 160)] * 3, '{"a": "b", "c": ["d", "e"], "f": "g"}')
    calls = texts("tool_use", [(100, 130)] * 9, [(150, 160)] * 9)
    contents = {content.name: content for content in fit(prose + json + calls).contents}
    assert {name: content.samples for name, content in contents.items()} == {"prose": 9, "JSON": 3}
    ratio = contents["prose"].ratio
    assert ratio is not None
    assert ratio.value == pytest.approx(1.4)
    assert contents["JSON"].ratio is None
    assert contents["JSON"].before[0].median == pytest.approx(1 / 3)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """Of 400 samples of 20 texts each, 95 % give or take what chance does (three deviations: 3.3 %)."""
    chance = random.Random(7)
    covered = 0
    for _ in range(400):
        tokens = [(round(1000 * chance.gauss(1.1, 0.2)), 1000) for _ in range(20)]
        factor = fit(texts("text", [(1000, 1000)] * 20, tokens)).factors()["v3"]["text"]
        covered += factor.low <= 1.1 <= factor.high
    assert covered / 400 == pytest.approx(0.95, abs=0.033)
