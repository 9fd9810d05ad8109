"""A live trial that is killed while answers are on their way gets them all, and pays for none twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import polars as pl
import pytest

from billed import ROOT
from command import Capture, said
from costscan import asking
from costscan.errors import CostscanError
from costscan.trial.outcome import Found
from costscan.trial.plan import TARGET
from costscan.trial.session import Wanted
from costscan.trial.state import State
from forked import Forks
from trial_server import TrialServer, words
from trials import LABEL, logged, pair, session, wanted

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such signals")

SMALL = wanted(sample=12, itself=3, is_live=True)
EACH_USD = Decimal("0.01001")
"""20,000 tokens out and 100 in, of Haiku 5.5: what a request of `SHORT` costs, and with what tools may add at most."""
SHORT = wanted(sample=12, is_live=True, max_usd=7 * EACH_USD)
CHILD = """
from pathlib import Path
import anthropic, anthropic.types, httpx2, pytest
from forked import order
folder, size = order()
from test_killed_live import SHORT, SMALL, sent
sent(Path(folder), SHORT if size == "short" else SMALL)
"""


class Command(Protocol):
    """Starts a command that sends a trial, and yields its process id."""

    def __call__(self, folder: Path, size: str = "small") -> AbstractContextManager[int]: ...


def sent(folder: Path, what: Wanted, say: Callable[[str], None] = lambda _: None) -> Found:
    """Run a trial, or go on with it, as the command does: with a process that posts requests."""
    calls = logged(folder / "log.jsonl", [pair(n, max_tokens=20_000) for n in range(12)])
    with session(folder / "state", calls, what) as one, asking.client("trial", retries=0) as client:
        return one.run(client, say)


@pytest.fixture(autouse=True)
def reached(api: TrialServer, monkeypatch: pytest.MonkeyPatch) -> TrialServer:
    """The stand-in, as the variables of the SDK name it."""
    api.answer = lambda _: words(LABEL)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", api.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")
    return api


@pytest.fixture(scope="module")
def commands() -> Iterator[Forks]:
    """A process that has imported what a command needs, of which each is a copy."""
    with Forks(CHILD, Path(__file__).parent) as made:
        yield made


@pytest.fixture
def command(commands: Forks) -> Command:
    """Have a command at work in a process group of its own while inside; then it has ended."""
    return lambda folder, size="small": commands.forked(str(folder), size)


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(("nth", "held_from"), [(4, 1), (8, 6), (15, 15)])
def test_kill_9_while_answers_are_on_their_way(
    api: TrialServer, command: Command, tmp_path: Path, nth: int, held_from: int
) -> None:
    """The next run begins while they still are, and waits for them."""
    api.holds_from = held_from
    with command(tmp_path) as pid:
        until(lambda: len(api.bodies) >= nth)
        os.killpg(pid, signal.SIGKILL)
    waited: list[str] = []

    def release(told: str) -> None:
        waited.append(told)
        api.gate.set()

    found = sent(tmp_path, SMALL, release)
    assert waited == ["answers to an earlier run of this trial are on their way: waiting for them"]
    assert set(api.asked.values()) == {1}
    assert len(api.bodies) == len(found.rows) == 15
    assert found.of_role(TARGET).n == 12
    assert found.usd == sum(row.usd for row in found.rows)
    assert not (tmp_path / "state.answers").exists()


def test_killed_again_and_again(api: TrialServer, command: Command, tmp_path: Path) -> None:
    api.holds_from = 1
    for _ in range(2):
        before = len(api.bodies)
        with command(tmp_path) as pid:
            until(lambda: len(api.bodies) > before)  # noqa: B023 - within the round
            os.killpg(pid, signal.SIGKILL)
        api.gate.set()
        api.gate.clear()
    api.gate.set()
    found = sent(tmp_path, SMALL)
    assert set(api.asked.values()) == {1}
    assert (len(api.bodies), found.of_role(TARGET).n) == (15, 12)


def test_it_never_spends_more_than_it_may(api: TrialServer, command: Command, tmp_path: Path) -> None:
    api.usage = lambda _: {"input_tokens": 100, "output_tokens": 20_000}
    api.holds_from = 1
    with command(tmp_path, "short") as pid:
        until(lambda: len(api.bodies) == 4)
        os.killpg(pid, signal.SIGKILL)
    found = sent(tmp_path, SHORT, lambda _: api.gate.set())
    assert len(api.bodies) == len(found.rows) == 6
    assert found.usd == 6 * EACH_USD <= SHORT.max_usd
    assert found.stopped.startswith("the next request may cost $0.0")


def test_answers_on_their_way_are_kept_after_ctrl_c(
    api: TrialServer, command: Command, tmp_path: Path
) -> None:
    api.holds_from = 1
    with command(tmp_path) as pid:
        until(lambda: len(api.bodies) == 4)
        os.killpg(pid, signal.SIGINT)
        time.sleep(0.1)
        api.gate.set()
    assert len(api.bodies) == 4
    with State.open(tmp_path / "state") as state:
        assert {line["state"] for line in state.answers.values()} == {"answered"}
        assert (len(state.answers), state.open_usd) == (4, {})
    assert sent(tmp_path, SMALL).of_role(TARGET).n == 12
    assert set(api.asked.values()) == {1}


def test_where_the_process_that_sends_is_killed_its_answers_are_lost_and_counted(
    api: TrialServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[subprocess.Popen[bytes]] = []

    class Kept(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            made.append(self)

    monkeypatch.setattr("costscan.trial.sending.courier.subprocess.Popen", Kept)
    api.holds_from = 4
    api.on_post = lambda: made[0].kill() if len(api.bodies) == 3 else None
    with pytest.raises(CostscanError, match="the process that sends requests has ended"):
        sent(tmp_path, SMALL)
    api.on_post = lambda: None
    api.gate.set()
    found = sent(tmp_path, SMALL)
    lost = [row for row in found.rows if row.state == "lost"]
    assert 1 <= len(lost) <= 4
    assert all(row.usd > EACH_USD for row in lost)
    assert set(api.asked.values()) == {1}
    assert found.usd == sum(row.usd for row in found.rows)


def test_the_key_is_in_no_argument(api: TrialServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    class Told(subprocess.Popen[bytes]):
        def __init__(self, arguments: list[str], **options: Any) -> None:
            told.append((arguments, options))
            super().__init__(arguments, **options)

    monkeypatch.setattr("costscan.trial.sending.courier.subprocess.Popen", Told)
    sent(tmp_path, wanted(sample=1, is_live=True))
    assert len(told) == 1
    assert "sk-ant-test" not in str(told)
    assert {str(key).removeprefix("Bearer ") for key in api.keys} == {"sk-ant-test"}


LOG = ROOT / "sample_logs/dearest-model-for-everything"


def test_the_whole_way(
    api: TrialServer, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command itself is killed, and what it had asked for is in the table in the end."""
    monkeypatch.chdir(tmp_path)
    words_of = ["trial", str(LOG), "--rule", "single-shot-label", "--model", "sonnet", "--yes", "--live"]
    words_of += ["--sample", "6", "--itself", "0", "--max-usd", "1"]
    api.answer = lambda body: words(json.dumps(body["messages"])[:20])
    api.holds_from = 2
    with subprocess.Popen([sys.executable, "-m", "costscan", *words_of], stderr=subprocess.DEVNULL) as child:
        until(lambda: len(api.bodies) == 5)
        child.kill()
    assert not (tmp_path / "trial.parquet").exists()
    api.gate.set()
    said(capsys, *words_of)
    frame = pl.read_parquet("trial.parquet")
    assert (frame.height, len(api.bodies), set(api.asked.values())) == (6, 6, {1})
    # 100 tokens at $2 and 10 at $10 a million.
    assert frame["usd"].to_list() == [Decimal("0.0003")] * 6
