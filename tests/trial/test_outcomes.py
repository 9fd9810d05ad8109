"""The file of what a sending process was told: lines that were cut off are none, and it is one process's at a time."""

import sys
import threading
from pathlib import Path

import pytest

from costscan.errors import CostscanError
from costscan.trial.sending import outcomes
from costscan.trial.sending.outcomes import POSTING, UNSENT, Outcome


def test_the_last_outcome_of_each_request_counts(tmp_path: Path) -> None:
    path = outcomes.path_beside(tmp_path / "trial.state")
    assert path.name == "trial.answers"
    with outcomes.held(path) as fd:
        for one in (Outcome(state=POSTING, request="a"), Outcome(state=POSTING, request="b")):
            outcomes.note(fd, one)
        outcomes.note(fd, Outcome(state=UNSENT, request="a", error="busy"))
    assert path.stat().st_mode & 0o777 == 0o600
    with outcomes.held(path) as fd:
        told = outcomes.latest(fd)
    assert {name: one.state for name, one in told.items()} == {"a": UNSENT, "b": POSTING}


def test_a_line_that_was_cut_off_is_none_and_takes_no_other_with_it(tmp_path: Path) -> None:
    path = tmp_path / "trial.answers"
    with outcomes.held(path) as fd:
        outcomes.note(fd, Outcome(state=POSTING, request="a"))
    path.write_bytes(path.read_bytes() + b'{"state": "answered", "req')
    with outcomes.held(path) as fd:
        outcomes.note(fd, Outcome(state=POSTING, request="b"))
        assert sorted(outcomes.latest(fd)) == ["a", "b"]


def test_damage_is_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "trial.answers"
    path.write_bytes(b'{"state": 7}\n')
    with outcomes.held(path) as fd, pytest.raises(CostscanError, match="is damaged"):
        outcomes.latest(fd)


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks")
def test_who_comes_later_waits(tmp_path: Path) -> None:
    path = tmp_path / "trial.answers"
    waits = threading.Event()
    told: list[str] = []

    def later() -> None:
        with outcomes.held(path, waits.set) as fd:
            told.extend(outcomes.latest(fd))

    with outcomes.held(path) as fd:
        thread = threading.Thread(target=later)
        thread.start()
        assert waits.wait(30)
        outcomes.note(fd, Outcome(state=POSTING, request="a"))
    thread.join()
    assert told == ["a"]
