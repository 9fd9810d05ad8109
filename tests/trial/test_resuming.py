"""A trial that is killed anywhere goes on where it was: no answer is lost that was paid for, and none paid twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costscan.errors import CostscanError
from costscan.trial.plan import TARGET
from costscan.trial.state import Line, State
from trial_server import Batch, TrialServer, words
from trials import LABEL, logged, pair, run, session, wanted

SMALL = wanted(sample=12, itself=3)


class Killed(BaseException):
    """Where a process ends."""


class Mortal:
    """Lets the process end at the nth line that is written to the state: before it, or after."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, nth: int, *, is_written: bool) -> None:
        self.left, self.is_written = nth, is_written
        self.write = State._write
        monkeypatch.setattr(State, "_write", self.written)

    @property
    def written(self) -> Callable[[State, Line], None]:
        """What takes the place of the method of a state."""

        def write(state: State, line: Line) -> None:
            self(state, line)

        return write

    def __call__(self, state: State, line: Line) -> None:
        self.left -= 1
        if self.left == 0 and not self.is_written:
            raise Killed
        self.write(state, line)
        if self.left == 0:
            raise Killed


def until_done(api: TrialServer, tmp_path: Path, calls: list[Any], what: Any = SMALL) -> tuple[Any, int]:
    """Run a trial until it is not killed, and return what it found and how often it was."""
    for killed in range(50):
        try:
            return run(api, tmp_path / "state", calls, what), killed
        except Killed:
            continue
    raise AssertionError


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize("nth", [1, 2, 3, 4, 11, 17, 18, 19])
def test_killed_at_any_line(
    api: TrialServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int, is_written: bool
) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n) for n in range(12)])
    api.answer = lambda _: words(LABEL)
    with monkeypatch.context() as patch:
        Mortal(patch, nth, is_written=is_written)
        found, _ = until_done(api, tmp_path, calls)
    assert found.of_role(TARGET).n == 12
    assert len(api.asked) == 15
    assert set(api.asked.values()) == {1}
    assert len(found.rows) == 15
    assert found.usd == sum(row.usd for row in found.rows)


@pytest.mark.parametrize("step", [2, 3, 4])
def test_killed_again_and_again(
    api: TrialServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """The process ends after every few lines, whatever it does."""
    calls = logged(tmp_path / "log.jsonl", [pair(n) for n in range(12)])
    with monkeypatch.context() as patch:
        mortal = Mortal(patch, step + 1, is_written=True)
        for _ in range(60):
            try:
                run(api, tmp_path / "state", calls, SMALL)
                break
            except Killed:
                mortal.left = step + 1
    assert set(api.asked.values()) == {1}
    assert len(api.asked) == 15


def test_a_batch_that_was_made_unheard_is_found(api: TrialServer, tmp_path: Path) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n) for n in range(12)])
    api.loses = 1
    with pytest.raises(CostscanError, match="the connection broke while a batch was asked for"):
        run(api, tmp_path / "state", calls, SMALL)
    # Another program's batch of the same size is newer.
    stranger = [{"custom_id": f"x{n}", "params": api.bodies[0]} for n in range(15)]
    with session(tmp_path / "other", calls, wanted(sample=12)) as one:
        assert one.name not in str(stranger)
    api.batches["msgbatch_900"] = Batch("msgbatch_900", stranger, time.time())
    api.batches["msgbatch_900"].results = [{**one, "result": {"type": "expired"}} for one in stranger]
    found = run(api, tmp_path / "state", calls, SMALL)
    assert found.of_role(TARGET).n == 12
    assert set(api.asked.values()) == {1}
    assert len([path for path in api.paths if path.endswith("/batches")]) == 1


def test_a_batch_that_was_not_made_is_made(api: TrialServer, tmp_path: Path) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n) for n in range(12)])
    api.failures.append(500)
    with pytest.raises(CostscanError, match="the API answers 500"):
        run(api, tmp_path / "state", calls, SMALL)
    with State.open(tmp_path / "state") as state:
        assert len(state.open_usd) == 15
        assert state.spent_usd > 0
    assert run(api, tmp_path / "state", calls, SMALL).of_role(TARGET).n == 12
    assert set(api.asked.values()) == {1}


def test_a_live_call_that_was_under_way_is_not_made_again(api: TrialServer, tmp_path: Path) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n) for n in range(12)])
    what = wanted(sample=12, is_live=True)
    with session(tmp_path / "state", calls, what) as one:
        keys = [item.call.key for item in one.sample.items]
        one.state.begin({"name": one.name, "plan": what.told(one.chosen), "calls": keys})
        under_way = next(iter(one.sample.asks(one.name, 1, one.prices)))
        one.state.sending(under_way.name, 0.0, {under_way.name: under_way.most_usd}, is_live=True)
    found = run(api, tmp_path / "state", calls, what)
    assert [row.state for row in found.rows].count("lost") == 1
    assert found.of_role(TARGET).n == len(api.bodies) == 11
    assert found.usd == under_way.most_usd + 11 * Decimal("0.000015")


def test_its_state_is_for_its_owner_and_for_one_trial(api: TrialServer, tmp_path: Path) -> None:
    path = tmp_path / "state"
    calls = logged(tmp_path / "log.jsonl", [pair(n) for n in range(12)])
    run(api, path, calls, SMALL)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CostscanError, match="of a trial with another --sample"):
        run(api, path, calls, wanted(sample=5, itself=3))
    with pytest.raises(CostscanError, match="1 calls of the trial are not in these logs"):
        run(api, path, calls[1:], SMALL)
    with State.open(path), pytest.raises(CostscanError, match="another trial is at work"), State.open(path):
        pass
    path.write_text('{"what": "something"}\n', encoding="utf-8")
    with pytest.raises(CostscanError, match="no state of a trial"):
        run(api, path, calls, SMALL)


def test_a_line_that_was_cut_off_is_none(api: TrialServer, tmp_path: Path) -> None:
    path = tmp_path / "state"
    calls = logged(tmp_path / "log.jsonl", [pair(n) for n in range(12)])
    run(api, path, calls, SMALL)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert run(api, path, calls, SMALL).of_role(TARGET).n == 12
    assert set(api.asked.values()) == {1}


def test_money_may_be_added(api: TrialServer, tmp_path: Path) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n, max_tokens=20_000) for n in range(12)])
    api.usage = lambda _: {"input_tokens": 100, "output_tokens": 20_000}
    first = run(api, tmp_path / "state", calls, wanted(sample=12, max_usd=Decimal("0.02")))
    assert first.of_role(TARGET).n == 3
    second = run(api, tmp_path / "state", calls, wanted(sample=12, max_usd=Decimal(1)))
    assert second.of_role(TARGET).n == 12
    assert len(api.bodies) == 12


CHILD = """
import sys
from pathlib import Path
from trial_server import TrialServer
from trials import logged, pair, run, wanted
folder = Path(sys.argv[1])
calls = logged(folder / "log.jsonl", [pair(n) for n in range(12)])
run(TrialServer(sys.argv[2]), folder / "state", calls, wanted(sample=12, itself=3))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_kill_9(api: TrialServer, tmp_path: Path) -> None:
    """A process is killed while its batch is being made, and the next one finds the batch."""
    words_of = [sys.executable, "-c", CHILD, str(tmp_path), api.url]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "support")}
    made: list[subprocess.Popen[bytes]] = []
    api.on_post = lambda: made[0].send_signal(signal.SIGKILL)
    made.append(subprocess.Popen(words_of, env=environment))
    assert made[0].wait(60) == -signal.SIGKILL
    lines = [json.loads(line) for line in (tmp_path / "state").read_bytes().splitlines()]
    assert [line["what"] for line in lines] == ["trial", "sending"]
    while not api.asked:
        time.sleep(0.01)
    calls = logged(tmp_path / "log.jsonl", [pair(n) for n in range(12)])
    assert run(api, tmp_path / "state", calls, SMALL).of_role(TARGET).n == 12
    assert len(api.asked) == 15
    assert set(api.asked.values()) == {1}
