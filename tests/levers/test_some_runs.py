"""Some runs of a plan apart from the others: together again they are the plan, whatever order they come in."""

from collections.abc import Iterator

import polars as pl
import pytest

from billed import ROOT
from costscan.levers.plan import Breakpoints, Plan
from costscan.levers.some_runs import narrowed, rejoined
from costscan.scenarios.workspace import Workspace
from costscan.settings.keys import Settings
from seen import analyzed


@pytest.fixture(scope="module")
def space() -> Iterator[Workspace]:
    stories = ("timestamp-in-system-prompt", "sub-agents", "headless-stream")
    with analyzed(*(ROOT / "sample_logs" / story for story in stories)) as x:
        yield Workspace(x, Settings())


def few(plan: Plan) -> pl.Series:
    """Some runs with fewer than half of the turns, every other one of them."""
    sizes = plan.steps.group_by("run_id").len().sort("len", "run_id")
    some = sizes.filter(pl.col("len").cum_sum() <= plan.steps.height // 2)
    return some.gather_every(2)["run_id"]


def rows(breakpoints: Breakpoints) -> list[list[tuple[object, ...]]]:
    each = (breakpoints.requests, breakpoints.positions)
    return [sorted(frame.rows(), key=str) for frame in each]


def test_together_again_they_are_the_plan(space: Workspace) -> None:
    plan = space.plan.with_ttl("1h")
    assert plan.varies
    mine, others = narrowed(plan, few(plan))
    assert set(mine.steps["run_id"]) == set(few(plan))
    assert not set(others[0].steps["run_id"]) & set(few(plan))
    assert (mine.breakpoints.requests["req"] >= 0).all()
    for parts in ([mine, *others], [*others, mine]):
        whole = rejoined(parts)
        assert whole.steps.equals(plan.steps)
        assert rows(whole.breakpoints) == rows(plan.breakpoints)
        assert rows(whole.stable) == rows(plan.stable)
        assert sorted(whole.ttls.rows()) == sorted(plan.ttls.rows())
        (was, now) = space.replayed([plan, whole])
        assert was.turns.equals(now.turns)


def test_a_plan_without_values_that_vary_has_the_same_breakpoints_twice(space: Workspace) -> None:
    """Who changes one of them would change the other."""
    one = space.plan.marked(space.plan.breakpoints.positions)
    plan = Plan(one.steps, one.breakpoints, one.breakpoints, one.groups)
    mine, others = narrowed(plan, few(plan))
    whole = rejoined([mine, *others])
    assert all(some.stable is some.breakpoints for some in (mine, *others, whole))


def test_what_is_most_of_a_plan_is_not_taken_apart(space: Workspace) -> None:
    plan = space.plan
    every = plan.steps["run_id"].unique()
    assert narrowed(plan, every) == (plan, [])
    assert rejoined([plan]) is plan
