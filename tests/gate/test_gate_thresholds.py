"""The limits of comparisons, each with a case just within it and one just beyond."""

from collections.abc import Sequence

import polars as pl
import pytest

from costscan.gate.comparison_frame import _all, _per_task
from costscan.gate.matching import Group
from costscan.gate.metrics import METRICS
from costscan.gate.permutation import permutation_test
from costscan.gate.verdicts import outcome

PAIR = Group((1.0,), (2.0,))


@pytest.mark.parametrize(("p_value", "verdict"), [
    (0.05, "failed"), (0.051, "undecided"), (0.2, "undecided"), (0.201, "passed"),
])  # fmt: skip
def test_what_chance_makes_in_four_times_the_false_alarms_is_not_decided(
    p_value: float, verdict: str
) -> None:
    """Of healthy changes as many, 15 % beside the 5 %, are held up; a bare look at the numbers holds up half."""
    assert outcome(p_value, least_p=0.001, false_alarm=0.05) == verdict


def dearer(groups: Sequence[tuple[int, int]]) -> pl.DataFrame:
    """Return units of groups with so many runs before and after, each of which got dearer."""
    rows = [
        {"task": "t", "group": number, "is_after": is_after}
        | dict.fromkeys(METRICS, 2.0 if is_after else 1.0)
        for number, sides in enumerate(groups)
        for is_after, runs in enumerate(sides)
        for _ in range(runs)
    ]
    return pl.DataFrame(rows).with_columns(pl.col("is_after").cast(pl.Boolean))


@pytest.mark.parametrize(("groups", "false_alarm", "verdict"), [
    ([(1, 1)] * 4, 0.05, "untested"), ([(1, 1)] * 5, 0.05, "worse"), ([(2, 3)], 0.05, "untested"),
    ([(3, 3)], 0.05, "worse"), ([(2, 2)] * 2, 0.05, "worse"), ([(2, 2)], 0.05, "untested"),
    ([(1, 1)] * 6, 0.01, "untested"), ([(1, 1)] * 7, 0.01, "worse"), ([(1, 1)] * 4, 0.1, "worse"),
])  # fmt: skip
def test_a_task_is_tested_where_its_runs_can_show_a_change(
    groups: list[tuple[int, int]], false_alarm: float, verdict: str
) -> None:
    """Five pairs have 2^5 = 32 exchanges, four 16; three and three runs 20, two and three 10; twice two and two 36.

    One of them is what was seen: that is 5 % from 20 on, 1 % from 100 on.
    """
    (told,) = [row for row in _per_task(dearer(groups), false_alarm, ()) if row["metric"] == "usd"]
    assert told["verdict"] == verdict
    (whole,) = [row for row in _all(dearer(groups), false_alarm, ()) if row["metric"] == "usd"]
    assert whole["verdict"] == verdict


@pytest.mark.parametrize(("groups", "looked_at"), [
    ([PAIR] * 17, 2**17), ([PAIR] * 18, 10_001), ([Group((1.0, 1.0), (2.0,))] * 1001, 2001),
])  # fmt: skip
def test_so_many_exchanges_are_looked_at(groups: list[Group], looked_at: int) -> None:
    """All of 17 pairs, 10,000 draws of more, 2,000 of a thousand groups: a p-value of 5 % is within one of 100."""
    assert permutation_test(groups).least_p == pytest.approx(1 / looked_at)
