"""What a comparison could have seen: the smallest change that would be found, and how many runs more need."""

from collections.abc import Sequence
from math import ceil, isinf, log2, pi, sqrt, tan
from statistics import NormalDist
from typing import Final

from costscan.gate.matching import Group
from costscan.gate.permutation import difference

POWER: Final = 0.8
"""A change counts as detectable when it is found in so many of all cases."""
MOST_RUNS: Final = 100_000


def standard_error(groups: Sequence[Group]) -> tuple[float, int] | None:
    """Return how much the mean difference varies by chance, and from how many numbers that is known.

    Between groups where there are several, within its sides where there is one; None for a single pair, which
    says nothing of chance.
    """
    if len(groups) > 1:
        mean, whole, n = difference(groups), sum(g.weight for g in groups), len(groups)
        spread = sum((g.weight * (g.difference - mean)) ** 2 for g in groups)
        return sqrt(spread * n / (n - 1)) / whole, n - 1
    (group,) = groups
    freedom = len(group.before) + len(group.after) - 2
    if not freedom:
        return None
    squares = sum((v - group.mean_before) ** 2 for v in group.before)
    squares += sum((v - group.mean_after) ** 2 for v in group.after)
    return sqrt(squares / freedom / group.weight), freedom


def detectable(groups: Sequence[Group], alpha: float, least_p: float) -> float | None:
    """Return the difference that would be found in 80% of all cases; None where none could be."""
    estimate = standard_error(groups)
    if estimate is None or least_p > alpha:
        return None
    error, freedom = estimate
    return error * (_t(1 - alpha, freedom) + _t(POWER, freedom))


def needed(groups: Sequence[Group], alpha: float, wanted: float) -> int | None:
    """Return how many runs a side would do to find a difference of `wanted`; None where it is not known.

    Args:
        groups: those there are.
        alpha: the rate of false alarms.
        wanted: the difference, on the scale of the groups.
    """
    runs = sum(min(len(g.before), len(g.after)) for g in groups)
    estimate = standard_error(groups)
    if estimate is None:
        return ceil(log2(1 / alpha))
    error, freedom = estimate
    per_run = freedom / runs
    fewest = _fewest(groups, alpha)
    for n in _counts(fewest):
        t = _t(1 - alpha, max(n * per_run, 1)) + _t(POWER, max(n * per_run, 1))
        if error * sqrt(runs / n) * t <= wanted:
            return n
    return None


def _fewest(groups: Sequence[Group], alpha: float) -> int:
    """Return the runs a side from which on the test can find anything at all."""
    if len(groups) > 1:
        return ceil(log2(1 / alpha))
    n = 1
    exchanges = 2.0
    while exchanges < 1 / alpha:
        n += 1
        exchanges *= (2 * n) * (2 * n - 1) / n**2
    return n


def _counts(first: int) -> Sequence[int]:
    """Return numbers of runs to try, in steps of about a twentieth, as people would round them."""
    counts = [first]
    while counts[-1] < MOST_RUNS:
        step = max(1, 10 ** (len(str(counts[-1])) - 2))
        counts.append((counts[-1] // step + 1) * step)
    return counts


def _t(share: float, freedom: float) -> float:
    """Return a quantile of Student's t distribution.

    Exact for one and two degrees of freedom, above by the expansion of Cornish and Fisher around the normal
    quantile (Abramowitz and Stegun 26.7.5), which is good to three digits from three on.
    """
    if isinf(freedom):
        return NormalDist().inv_cdf(share)
    if freedom < 2:  # noqa: PLR2004
        return tan(pi * (share - 0.5))
    if freedom < 3:  # noqa: PLR2004
        return (2 * share - 1) / sqrt(2 * share * (1 - share))
    z = NormalDist().inv_cdf(share)
    g1 = (z**3 + z) / 4
    g2 = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    g3 = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + g1 / freedom + g2 / freedom**2 + g3 / freedom**3
