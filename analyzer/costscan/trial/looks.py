"""When a trial looks at its answers, and when it stops: after some of the sample, if that is clear enough."""

from typing import Final, NamedTuple

ALPHA: Final = 0.035
"""What Wilson's intervals of a trial may miss, by their formula, in all its looks together.

That formula misses more often than it says at some shares and sizes; with so much, intervals of 20 answers
and more miss in less than 5 % of trials at any share (tests/trial/test_coverage.py works that out exactly).
"""
EARLY_ALPHA: Final = 0.005
"""What each look before the last one takes of it (as Haybittle and Peto do): so the last one loses little."""
PARTS: Final = (1 / 3, 2 / 3)
"""After so much of the sample a trial looks at what came."""
LEAST: Final = 10
"""Before so many answers nothing is clear."""


class Look(NamedTuple):
    """A look at the first `upto` calls of the sample; its interval may miss so often as `alpha` says."""

    upto: int
    alpha: float


def looks(n: int) -> list[Look]:
    """Return when a trial of n calls looks at its answers.

    The chances that the interval of each look misses the true share add up to `ALPHA`: so whichever look a
    trial stops at, and for whatever reason, the interval that it reports misses no more often.
    """
    early = sorted({size for part in PARTS if LEAST <= (size := round(n * part)) < n})
    last = ALPHA - EARLY_ALPHA * len(early)
    return [*(Look(size, EARLY_ALPHA) for size in early), Look(n, last)]


def is_clear(low: float | None, high: float | None, enough: float) -> bool:
    """Whether an interval lies on one side of the share that is enough."""
    return low is not None and high is not None and (low > enough or high < enough)


__all__ = ["ALPHA", "EARLY_ALPHA", "Look", "is_clear", "looks"]
