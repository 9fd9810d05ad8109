"""How often answers agree, and within what that share lies: Wilson intervals of samples and of strata."""

import math
from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import Final, NamedTuple

FEW: Final = 3
"""Up to so many agreeing or disagreeing answers, Wilson's interval is too short on that side.

Source: Brown, Cai, DasGupta, "Interval Estimation for a Binomial Proportion", Statistical Science 2001,
    section 4.1.1: there the limit is that of a Poisson count.
"""
SMALL, SMALL_TIMES = 20, 0.6
"""Of smaller samples Wilson's interval misses more often than its formula says: it gets less to miss."""
_STEPS: Final = 80


class Interval(NamedTuple):
    """A share and within what it lies; all None where nothing was compared. `n` counts what was."""

    share: float | None
    low: float | None
    high: float | None
    n: int


class Stratum(NamedTuple):
    """Answers of one stratum: how many agree, how many were compared, and how many calls it stands for."""

    agrees: int
    n: int
    calls: int


def interval(agrees: float, n: float, alpha: float) -> tuple[float, float]:
    """Return the lowest and highest share that so many of n answers speak for.

    Wilson's score interval, widened where few answers agree or few do not.

    Args:
        agrees: how many agree; the equivalent number of a weighted sample need not be whole.
        n: how many were compared, above 0.
        alpha: how often the interval may miss the true share.
    """
    alpha = alpha if n >= SMALL else alpha * SMALL_TIMES
    z = NormalDist().inv_cdf(1 - alpha / 2)
    share = agrees / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return min(low, _few(agrees, alpha) / n), max(high, 1 - _few(n - agrees, alpha) / n)


def _few(count: float, alpha: float) -> float:
    """Return the least mean of a Poisson count that so few speak for; infinite where they are not few."""
    if count <= 0:
        return 0.0
    if count >= FEW + 1:
        return math.inf
    whole = max(1, math.floor(count))
    low, high = 0.0, float(whole)
    for _ in range(_STEPS):
        mean = (low + high) / 2
        below = sum(mean**k / math.factorial(k) for k in range(whole)) * math.exp(-mean)
        low, high = (mean, high) if 1 - below < alpha else (low, mean)
    return low


def of_sample(agrees: int, n: int, alpha: float) -> Interval:
    """Return the share of one sample."""
    return Interval(agrees / n, *interval(agrees, n, alpha), n) if n else Interval(None, None, None, 0)


def of_strata(strata: Iterable[Stratum], alpha: float) -> Interval:
    """Return the share over strata, each weighted by the calls that it stands for.

    The interval is that of a plain sample of which as many answers say as much (Kish's effective size). A
    stratum of which nothing was compared stands for nothing.
    """
    some = [one for one in strata if one.n]
    calls = sum(one.calls for one in some)
    if not calls:
        return Interval(None, None, None, 0)
    weights = [one.calls / calls for one in some]
    share = sum(w * one.agrees / one.n for w, one in zip(weights, some, strict=True))
    effective = 1 / sum(w * w / one.n for w, one in zip(weights, some, strict=True))
    n = sum(one.n for one in some)
    return Interval(share, *interval(share * effective, effective, alpha), n)


def allotted(calls: Sequence[int], n: int) -> list[int]:
    """Return how many of n answers each stratum gets: in proportion to its calls, one if there is room.

    None gets more than it has calls.
    """
    total = sum(calls)
    if n >= total:
        return list(calls)
    given = [1 if n >= len(calls) else 0] * len(calls)
    for _ in range(n - sum(given)):
        lacks = [
            n * size / total - own if own < size else -math.inf
            for size, own in zip(calls, given, strict=True)
        ]
        given[lacks.index(max(lacks))] += 1
    return given


__all__ = ["FEW", "Interval", "Stratum", "allotted", "interval", "of_sample", "of_strata"]
