"""Work that waits for replays: done side by side, and one that fails leaves the others alone."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from costscan.levers.plan import Plan
from costscan.levers.replaying import SEVERAL_TURNS, Outcome, Replaying, ready, replay, together
from costscan.scenarios.guard import Guard
from costscan.scenarios.rounds import done


class Replays:
    """Outcomes that name their plans; what was asked for together."""

    def __init__(self) -> None:
        self.rounds: list[list[str]] = []

    def __call__(self, plans: Sequence[Plan]) -> list[Outcome]:
        names = cast("list[str]", list(plans))
        self.rounds.append(names)
        if "broken" in names:
            raise ValueError("no such plan")
        return [cast("Outcome", name.upper()) for name in names]


def work(*names: str) -> Replaying[str]:
    said = ""
    for name in names:
        said += str((yield from replay(cast("Plan", name))))
    return said


def test_what_waits_is_replayed_in_one_pass_and_results_keep_their_order() -> None:
    replays = Replays()
    assert done([work("a", "b"), ready("c"), work("d"), work("e", "f", "g")], replays, at_once=9) == [
        "AB", "c", "D", "EFG"
    ]  # fmt: skip
    assert replays.rounds == [["a", "d", "e"], ["b", "f"], ["g"]]


def test_no_more_wait_at_a_time_than_may() -> None:
    replays = Replays()
    assert done([work("a", "b"), work("c"), work("d")], replays, at_once=2) == ["AB", "C", "D"]
    assert replays.rounds == [["a", "c"], ["b", "d"]]


def test_a_replay_that_raises_does_so_where_it_was_asked_for() -> None:
    guard, replays = Guard(), Replays()
    tasks = [work("a", "b"), guard.work("second", lambda: work("broken"), "instead")]
    assert done(tasks, replays, at_once=9) == ["AB", "instead"]
    assert list(guard.reasons) == ["second"]
    assert replays.rounds == [["a", "broken"], ["a"], ["broken"], ["b"]]


def test_what_nobody_keeps_off_ends_all() -> None:
    tasks: list[Any] = [work("a"), work("broken")]
    with pytest.raises(ValueError, match="no such plan"):
        done(tasks, Replays(), at_once=9)


def test_together_asks_for_all_that_its_work_waits_for_at_once() -> None:
    replays = Replays()
    both = together([work("a", "b"), ready("c"), work("d")], turns=SEVERAL_TURNS // 3)
    assert done([both], replays, at_once=1) == [["AB", "c", "D"]]
    assert replays.rounds == [["a", "d"], ["b"]]


def test_together_holds_no_two_outcomes_of_much() -> None:
    replays = Replays()
    one_by_one = together([work("a", "b"), ready("c"), work("d")], turns=SEVERAL_TURNS // 3 + 1)
    assert done([one_by_one], replays, at_once=1) == [["AB", "c", "D"]]
    assert replays.rounds == [["a"], ["b"], ["d"]]


def test_a_replay_that_fails_fails_all_that_is_done_together() -> None:
    """Who asked for it together needs all of it."""
    guard = Guard()
    both: Replaying[list[str]] = guard.work(
        "both", lambda: together([work("broken"), work("a")], turns=1), []
    )
    assert done([both, work("b")], Replays(), at_once=2) == [[], "B"]
    assert "no such plan" in guard.reasons["both"]
