"""Settings that cannot touch each other are replayed at once, and save what they save one after another."""

from collections.abc import Iterator, Sequence

import pytest

from billed import ROOT
from costscan.actions import apart as apart_module
from costscan.actions.apart import Apart, Disjoint
from costscan.actions.candidates import candidates
from costscan.actions.ranked import Ranked, ranked
from costscan.actions.setting import CAP, Setting
from costscan.levers.plan import Plan
from costscan.levers.replaying import Outcome
from costscan.rulebook import Diagnosis, find, load_rules
from costscan.scenarios import price_scenarios
from costscan.scenarios.workspace import Workspace
from costscan.settings.keys import Settings
from seen import analyzed

STORIES = ("timestamp-in-system-prompt", "one-item-per-run", "bloated-tool-result", "idle-hour")


@pytest.fixture(scope="module")
def diagnosis() -> Iterator[Diagnosis]:
    with analyzed(*(ROOT / "sample_logs" / story for story in STORIES)) as x:
        yield find(price_scenarios(x), load_rules(cases=False))


def told(found: list[Ranked]) -> list[tuple[Setting, int, int, int, dict[str, int]]]:
    """What was found, without the runs that save nothing."""
    return [
        (one.setting, one.saved_pico, one.low_pico, one.high_pico,
         {run: pico for run, pico in one.of_runs.rows() if pico})
        for one in found
    ]  # fmt: skip


def test_at_once_or_one_after_another(diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same settings in the same order, to the last pico-dollar of every run, as in one long row."""
    could = candidates(diagnosis)

    def plans(*, in_parts: bool) -> tuple[list[Ranked], int]:
        space = Workspace(diagnosis, Settings())
        if not in_parts:
            every = space.logged.runs["run_id"].to_list()
            monkeypatch.setattr(apart_module, "_alike", lambda _: [every])
        seen: list[int] = []
        replayed = space.replayed

        def counting(some: Sequence[Plan]) -> list[Outcome]:
            seen.append(len(some))
            return replayed(some)

        monkeypatch.setattr(space, "replayed", counting)
        return ranked(space, could, diagnosis.routes), sum(seen)

    at_once, few = plans(in_parts=True)
    one_by_one, many = plans(in_parts=False)
    assert len(at_once) >= 4
    assert told(at_once) == told(one_by_one)
    assert few < many


def test_parts_of_samples(diagnosis: Diagnosis) -> None:
    """Two services with prompts of their own stand apart, as do sessions of Claude Code from both of them."""
    could = candidates(diagnosis)
    apart = Apart.among(Workspace(diagnosis, Settings()), could)
    of_task = {
        one.task: apart.part_of[one] for one in could if one.task in {"parcel-desk-reply", "catalogue-text"}
    }
    assert len(set(of_task.values())) == 2
    (cap,) = (one for one in could if one.part == CAP)
    sessions = {apart.part_of[one] for one in could if one.task is None and one.runs & cap.runs}
    assert sessions == {apart.part_of[cap]}
    assert not sessions & set(of_task.values())


def test_layers() -> None:
    """The first of each part, then the second ones: a, b, c of one part, x of another."""
    a, b, c, x = (Setting(CAP, frozenset(), tool=name) for name in "abcx")
    apart = Apart(dict(zip((a, b, c, x), (0, 0, 0, 1), strict=True)), {})
    assert apart.layers([a, x, b, c]) == [[a, x], [b], [c]]
    assert apart.layers([]) == []


def test_disjoint() -> None:
    sets = Disjoint(6)
    sets.join([0, 1])
    sets.join([4, 3])
    sets.join([])
    assert len({sets.top(n) for n in range(6)}) == 4
    sets.join([1, 3])
    assert len({sets.top(n) for n in (0, 1, 3, 4)}) == 1
    assert len({sets.top(n) for n in range(6)}) == 3
