"""The interval of a trial holds the true share in 95 % of trials, though it stops when it is clear."""

import random
from math import comb
from pathlib import Path

import pytest

from costscan.actions.measured import Moved
from costscan.trial.agreement import Stratum, interval, of_strata
from costscan.trial.looks import is_clear, looks
from costscan.trial.plan import TARGET
from costscan.trial.sampling import sampled
from costscan.trial.sending.interface import Ask
from costscan.trial.session import Session
from costscan.trial.state import Line, State
from trials import LABEL, chosen, logged, pair, prices, running, wanted

RATES = (0.5, 0.8, 0.89, 0.9, 0.93, 0.97, 0.99)


def exact(n: int, share: float, enough: float) -> float:
    """Return how often the interval of a trial of n answers holds the true share: by all that may happen."""
    going_on, covered, before = {0: 1.0}, 0.0, 0
    for look in looks(n):
        new = look.upto - before
        chances = [comb(new, k) * share**k * (1 - share) ** (new - k) for k in range(new + 1)]
        after: dict[int, float] = {}
        for agrees, chance in going_on.items():
            for more, its in enumerate(chances):
                after[agrees + more] = after.get(agrees + more, 0.0) + chance * its
        going_on, before = {}, look.upto
        for agrees, chance in after.items():
            low, high = interval(agrees, look.upto, look.alpha)
            if look.upto == n or is_clear(low, high, enough):
                covered += chance * (low <= share <= high)
            else:
                going_on[agrees] = chance
    return covered


@pytest.mark.parametrize("n", [1, 5, 12, 20, 35, 60, 100])
def test_at_any_true_share(n: int) -> None:
    assert min(exact(n, k / 120, 0.9) for k in range(121)) >= 0.95


def test_at_another_share_that_is_enough() -> None:
    assert min(exact(60, k / 60, 0.8) for k in range(61)) >= 0.95


def test_looks_share_what_may_be_missed() -> None:
    assert [look.upto for look in looks(100)] == [33, 67, 100]
    assert sum(look.alpha for look in looks(100)) == pytest.approx(0.035)
    assert [look.upto for look in looks(20)] == [13, 20]
    assert [look.upto for look in looks(8)] == [8]


@pytest.mark.parametrize("share", RATES)
def test_a_thousand_trials_of_two_tasks(share: float) -> None:
    """The second task is a fifth of the calls, and agrees less often; what is covered is the share over both."""
    chance = random.Random(round(share * 1000))
    true, sizes = 0.8 * share + 0.2 * (share - 0.1), (80, 20)
    covered = 0
    for _ in range(1000):
        agree = [[chance.random() < one for _ in range(100)] for one in (share, share - 0.1)]
        for look in looks(100):
            parts = [round(look.upto * size / 100) for size in sizes]
            strata = [Stratum(sum(a[:n]), n, size) for a, n, size in zip(agree, parts, sizes, strict=True)]
            _, low, high, _ = of_strata(strata, look.alpha)
            if is_clear(low, high, 0.9):
                break
        covered += (low or 0) <= true <= (high or 0)
    assert covered >= 950


class Remembered(State):
    """A state without a file."""

    def _write(self, line: Line) -> None:
        self._take(line)


class Erring:
    """A stand-in for the target, and for what sends to it, that errs at a rate."""

    def __init__(self, state: State, rate: float, chance: random.Random) -> None:
        self.state, self.rate, self.chance = state, rate, chance

    def send(self, asks: list[Ask]) -> None:
        for ask in asks:
            text = "other" if self.chance.random() < self.rate else LABEL
            content = [{"type": "text", "text": text}]
            self.state.answered(
                ask.name, {"state": "answered", "usd": "0", "content": content, "stop_reason": "end_turn"}
            )

    def resume(self) -> None:
        """Nothing was sent before."""


def test_a_thousand_trials_as_they_run(tmp_path: Path) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(number) for number in range(24)])
    with State.open(tmp_path / "none") as state:
        one = Session.of(chosen(calls), wanted(sample=24, enough=0.5), state, prices())
    covered = stopped_early = 0
    for trial in range(1000):
        remembered = Remembered(tmp_path, -1)
        session = Session(one.name, one.chosen, one.sample, one.wanted, remembered, one.prices)
        found = running(session, Erring(remembered, 0.08, random.Random(trial))).run()
        share = found.of_role(TARGET)
        covered += (share.low or 0) <= 0.92 <= (share.high or 0)
        stopped_early += share.n < 24
    assert covered >= 950
    assert stopped_early > 20


def test_any_first_part_of_a_sample_has_the_shares_of_all(tmp_path: Path) -> None:
    pairs = [{**pair(n), "task": "rare" if n % 5 == 0 else "often"} for n in range(200)]
    calls = logged(tmp_path / "log.jsonl", pairs)
    sample = sampled(calls, 100, seed=3)
    rare = Moved("rare", None, "single-shot-label", "claude-haiku-5-5")
    for upto in (25, 50, 75, 100):
        assert abs(sum(one.call.moved == rare for one in sample[:upto]) - upto / 5) <= 2
    assert {one.stratum_calls for one in sample if one.call.moved == rare} == {40}
    assert sample == sampled(calls[::-1], 100, seed=3)
    assert sample != sampled(calls, 100, seed=4)
