"""The test behind the gate: equal to looking at every exchange, and to another library; exact when nothing changed."""

from itertools import combinations, product
from math import comb
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

import hypothesis_profile  # noqa: F401 - the settings of every property
from costscan.gate.matching import Group
from costscan.gate.permutation import difference, permutation_test

VALUES = st.integers(-40, 40).map(lambda n: n / 8)
"""Multiples of an eighth, so that sums are exact and ties are ties."""
SIDE = st.lists(VALUES, min_size=1, max_size=3).map(tuple)
GROUPS = st.lists(st.builds(Group, SIDE, SIDE), min_size=1, max_size=3)


def by_hand(groups: list[Group]) -> list[float]:
    """Return the mean difference of every exchange, slowly."""
    found = []
    for chosen in product(
        *(combinations(range(len(g.before) + len(g.after)), len(g.before)) for g in groups)
    ):
        exchanged = []
        for group, places in zip(groups, chosen, strict=True):
            every = (*group.before, *group.after)
            before = tuple(every[i] for i in places)
            after = tuple(v for i, v in enumerate(every) if i not in places)
            exchanged.append(Group(before, after))
        found.append(difference(exchanged))
    return found


@given(GROUPS)
def test_every_exchange_is_looked_at(groups: list[Group]) -> None:
    seen, every = difference(groups), by_hand(groups)
    found = permutation_test(groups)
    assert found.difference == pytest.approx(seen)
    assert found.p_value == pytest.approx(sum(d >= seen - 1e-9 for d in every) / len(every))
    assert found.better_p == pytest.approx(sum(d <= seen + 1e-9 for d in every) / len(every))
    assert found.least_p == pytest.approx(1 / len(every))


@given(GROUPS)
def test_the_other_direction_is_the_mirror(groups: list[Group]) -> None:
    rise, fall = permutation_test(groups), permutation_test(groups, sign=-1)
    assert (rise.p_value, rise.better_p) == (fall.better_p, fall.p_value)


@given(st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=9))
def test_pairs_agree_with_scipy(pairs: list[tuple[float, float]]) -> None:
    def mean(after: list[float], before: list[float]) -> float:
        return (sum(after) - sum(before)) / len(pairs)

    before, after = ([pair[side] for pair in pairs] for side in (0, 1))
    theirs = stats.permutation_test(
        (after, before),
        mean,
        permutation_type="samples",
        alternative="greater",
        n_resamples=float("inf"),
        vectorized=False,
    )
    ours = permutation_test([Group((old,), (new,)) for old, new in pairs])
    assert ours.p_value == pytest.approx(theirs.pvalue)


def test_two_samples_agree_with_scipy() -> None:
    before, after = (1.0, 2.5, 3.0, 4.5, 1.5), (2.0, 3.5, 6.0, 4.0)

    def mean(new: list[float], old: list[float]) -> float:
        return sum(new) / len(new) - sum(old) / len(old)

    theirs = stats.permutation_test(
        (after, before), mean, alternative="greater", vectorized=False, n_resamples=float("inf")
    )
    ours = permutation_test([Group(before, after)])
    assert ours.p_value == pytest.approx(theirs.pvalue)
    assert ours.least_p == 1 / comb(9, 4)


def test_too_many_exchanges_are_sampled_and_the_sample_is_always_the_same() -> None:
    """Of 30 pairs of which 20 rose by 1 and 10 fell by 1, a sum of at least 10 has the chance P(B(30, 1/2) >= 20)."""
    groups = [Group((0.0,), (1.0 if n < 20 else -1.0,)) for n in range(30)]
    exact = sum(comb(30, k) for k in range(20, 31)) / 2**30
    found = permutation_test(groups)
    assert found.p_value == pytest.approx(exact, abs=0.006)
    assert permutation_test(groups) == found


def test_large_groups_are_divided_in_blocks() -> None:
    """Two thousand runs a side, one side the other shifted by a tenth of its range: chance does not do that."""
    before = tuple(n % 100 / 100 for n in range(2000))
    same = permutation_test([Group(before, tuple(reversed(before)))])
    more = permutation_test([Group(before, tuple(v + 0.1 for v in reversed(before)))])
    assert more.p_value < 0.001
    assert 0.2 < same.p_value < 0.8


@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_what_is_the_same_is_never_unlikely(n: int) -> None:
    groups = [Group((v / 3,), (v / 3,)) for v in range(n)]
    assert permutation_test(groups).p_value == 1


def test_many_pairs_are_bundled() -> None:
    """Three thousand pairs: a tenth of their spread more is sure, and the same numbers on both sides are not."""
    steps = [(n * 37 % 101 - 50) / 50 for n in range(3000)]
    same = permutation_test([Group((0.0,), (step,)) for step in steps])
    more = permutation_test([Group((0.0,), (step + 0.1,)) for step in steps])
    assert more.p_value < 0.001
    assert 0.2 < same.p_value < 0.8
    assert more.difference == pytest.approx(same.difference + 0.1)


def test_noise_alone_is_rarely_called_a_change() -> None:
    """Six pairs without a change: the test says so in 3 of 64 exchanges at most; 400 trials give 19 give or take 4."""
    dice = Random(7)
    alarms = 0
    for _ in range(400):
        pairs = [Group((dice.gauss(0, 0.4),), (dice.gauss(0, 0.4),)) for _ in range(6)]
        alarms += permutation_test(pairs).p_value <= 0.05
    assert 6 <= alarms <= 32
