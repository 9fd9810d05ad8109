"""An exact test of whether runs got worse: every way to say which runs were before and which after.

Had nothing changed, the runs of a group could as well have stood on the other side. So the difference that
was seen is compared with the differences of all such exchanges: for pairs this is the sign-flip test, for one
group the permutation test of two samples. It assumes no distribution. Where there are too many exchanges to
look at, a fixed sample of them is taken, the logged one among them, which keeps the test exact.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, prod
from typing import Final

import polars as pl

from costscan.gate.matching import Group

MOST_EXCHANGES: Final = 200_000
"""More are sampled."""
SAMPLED: Final = 10_000
LEAST_SAMPLED: Final = 2_000
_WORK: Final = 2_000_000
"""Draws times groups."""
MOST_PAIRS: Final = 512
"""More pairs are bundled at random, and those of a bundle exchanged together."""
BLOCK_EXCHANGES: Final = 1_000
"""A group with too many exchanges is divided at random in blocks with about so many, exchanged apart."""
_SEED: Final = 20_260_101
_TIE: Final = 1e-9
"""Sums of the same numbers in another order differ by less, relative to the largest."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What the test says.

    Attributes:
        difference: the weighted mean difference between after and before.
        p_value: how often chance alone makes a difference at least so large, in the direction asked for.
        better_p: the same in the other direction.
        least_p: the smallest p-value that so few runs can give.
    """

    difference: float
    p_value: float
    better_p: float
    least_p: float


def difference(groups: Sequence[Group]) -> float:
    """Return the mean difference between after and before over all groups, weighted by their runs."""
    return sum(g.weight * g.difference for g in groups) / sum(g.weight for g in groups)


def permutation_test(groups: Sequence[Group], *, sign: int = 1) -> Tested:
    """Test whether values rose (`sign` 1) or fell (-1).

    Args:
        groups: at least one.
        sign: the direction that is looked for.
    """
    blocks = [part for group in groups for part in _blocks(group)]
    scale = sign / sum(part.weight for part in blocks)
    parts = _bundled(blocks)
    every = prod(_n_exchanges(len(p.before), len(p.after)) for p in parts)
    sums = (_differences(p) * (p.weight * scale) for p in parts)
    reached = _all_sums(sums) if every <= MOST_EXCHANGES else _some_sums(sums, len(parts))
    observed = sum(p.difference * p.weight for p in parts) * scale
    # The logged exchange is one of all; among sampled ones it is counted beside them.
    extra = 0 if every <= MOST_EXCHANGES else 1
    slack = _TIE * max(abs(observed), abs(float(str(reached.abs().max()))))
    n = reached.len() + extra
    worse, better = (
        int(far.sum()) + extra for far in (reached >= observed - slack, reached <= observed + slack)
    )
    return Tested(difference(groups), worse / n, better / n, 1 / min(every, n))


def _bundled(parts: Sequence[Group]) -> list[Group]:
    """Bundle pairs where they are many; as all of them weigh the same, a bundle is the sum of its pairs."""
    pairs = [p for p in parts if len(p.before) == len(p.after) == 1]
    if len(pairs) <= MOST_PAIRS:
        return list(parts)
    mixed = pl.Series([p.difference for p in pairs]).shuffle(seed=_SEED).to_list()
    bundles = [Group((0.0,), (sum(mixed[k::MOST_PAIRS]),)) for k in range(MOST_PAIRS)]
    return [*(p for p in parts if len(p.before) > 1 or len(p.after) > 1), *bundles]


def _n_exchanges(n: int, m: int) -> int:
    return comb(n + m, n)


def _blocks(group: Group) -> Iterator[Group]:
    """Divide a group with too many exchanges at random, in blocks with a like share of both sides."""
    n, m = len(group.before), len(group.after)
    if _n_exchanges(n, m) <= MOST_EXCHANGES:
        yield group
        return
    fewest = min(n, m)
    blocks = next(
        (k for k in range(2, fewest) if _n_exchanges(-(-n // k), -(-m // k)) <= BLOCK_EXCHANGES), fewest
    )
    old, new = (pl.Series(side).shuffle(seed=_SEED).to_list() for side in (group.before, group.after))
    for k in range(blocks):
        yield Group(tuple(old[k::blocks]), tuple(new[k::blocks]))


def _differences(group: Group) -> pl.Series:
    """Return the difference of the means for every way to choose which values were before."""
    n, m = len(group.before), len(group.after)
    every = (*group.before, *group.after)
    fewer, others = min(n, m), max(n, m)
    sums = pl.Series([sum(chosen) for chosen in combinations(every, fewer)], dtype=pl.Float64)
    by = sums / fewer - (sum(every) - sums) / others
    return by if fewer == m else -by


def _all_sums(parts: Iterator[pl.Series]) -> pl.Series:
    sums = pl.DataFrame({"sum": [0.0]})
    for part in parts:
        both = sums.join(part.alias("more").to_frame(), how="cross")
        sums = both.select(pl.col("sum") + pl.col("more"))
    return sums.to_series()


def _some_sums(parts: Iterator[pl.Series], n_parts: int) -> pl.Series:
    draws = max(LEAST_SAMPLED, min(SAMPLED, _WORK // n_parts))
    sums = pl.zeros(draws, dtype=pl.Float64, eager=True)
    for number, part in enumerate(parts):
        sums += part.sample(draws, with_replacement=True, seed=_SEED + number)
    return sums
