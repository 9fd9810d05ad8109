"""What each lever adds to all of them together: the mean over every order, in whole pico-USD."""

from fractions import Fraction
from itertools import combinations, permutations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

import hypothesis_profile  # noqa: F401 - the settings of every property
from costscan.scenarios.shapley import shares

LEVERS = ("caching", "trimming", "routing", "batching")
SETS = [frozenset(some) for n in range(1, 5) for some in combinations(LEVERS, n)]
worths = st.lists(st.integers(-(10**13), 10**13), min_size=15, max_size=15)


def mean(worth: dict[frozenset[str], int], lever: str) -> Fraction:
    """What a lever adds, averaged over every order of taking the levers."""
    added = []
    for order in permutations(LEVERS):
        before = frozenset(order[: order.index(lever)])
        added.append(worth[before | {lever}] - worth.get(before, 0))
    return Fraction(sum(added), len(added))


@given(st.lists(worths, min_size=1, max_size=4))
def test_shares_are_the_mean_over_all_orders_and_sum_to_the_whole(rows: list[list[int]]) -> None:
    saved = {some: pl.Series([row[n] for row in rows], dtype=pl.Int64) for n, some in enumerate(SETS)}
    found = shares(saved, LEVERS)
    for n, row in enumerate(rows):
        worth = dict(zip(SETS, row, strict=True))
        got = found.row(n, named=True)
        assert sum(got.values()) == worth[frozenset(LEVERS)]
        assert all(abs(got[lever] - mean(worth, lever)) < 1 for lever in LEVERS)


def test_one_lever_has_the_whole() -> None:
    saved = {frozenset({"caching"}): pl.Series([7, 0, -3], dtype=pl.Int64)}
    assert shares(saved, ["caching"])["caching"].to_list() == [7, 0, -3]
