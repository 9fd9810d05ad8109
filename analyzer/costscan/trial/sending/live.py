"""Requests sent one by one, some at a time: answers come at once, at the full price.

A process of its own posts them and writes answers down, so that one that is on its way when the command is
killed is not lost: a later command takes it from there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from costscan.errors import CostscanError
from costscan.trial.sending import outcomes
from costscan.trial.sending.courier import Courier, has_ended, started
from costscan.trial.sending.interface import ANSWERED, LOST, Ask, Means, no_answer
from costscan.trial.sending.outcomes import POSTING, UNSENT, Outcome
from costscan.trial.sending.worker import AT_ONCE
from costscan.trial.state import Line, Sent, State


@dataclass(slots=True)
class Live:
    """Sends requests one by one; `close` it in the end.

    Attributes:
        means: what it works with.
        start: starts the process that posts them, by the path of its file of outcomes.
    """

    means: Means
    start: Callable[[Path], Courier] = started
    _courier: Courier | None = field(default=None, init=False)

    def send(self, asks: Sequence[Ask]) -> None:
        """Send requests, and wait for them; after an error or Ctrl-C, for those that are on their way."""
        try:
            self._send(self._started(), asks)
        except BaseException:
            self._take_the_rest()
            raise

    def resume(self) -> None:
        """Take what came of the requests that an earlier process sent, once nothing more can come."""
        still_open = {
            name: sent for name, sent in self._state.sent.items() if sent.is_live and not sent.is_over
        }
        if not still_open:
            return
        told = self._told_before()
        for name, sent in still_open.items():
            for request in sent.most_usd:
                if request not in self._state.answers:
                    self._resumed(request, sent, told)
            self._state.over(name)

    def close(self) -> None:
        """End the process; what it wrote is in the state."""
        self._take_the_rest()
        if not self._state.open_usd:
            self._path.unlink(missing_ok=True)

    @property
    def _state(self) -> State:
        return self.means.state

    @property
    def _path(self) -> Path:
        return outcomes.path_beside(self._state.path)

    def _started(self) -> Courier:
        if self._courier is None:
            self._courier = self.start(self._path)
        return self._courier

    def _send(self, courier: Courier, asks: Sequence[Ask]) -> None:
        under_way = 0
        for ask in asks:
            if under_way == AT_ONCE:
                self._hear(courier)
                under_way -= 1
            self._state.sending(ask.name, self.means.clock(), {ask.name: ask.most_usd}, is_live=True)
            courier.ask(ask)
            under_way += 1
        for _ in range(under_way):
            self._hear(courier)

    def _hear(self, courier: Courier) -> None:
        """Wait for what comes of a request, and note it.

        Raises:
            CostscanError: the API is not there for it, or the process has ended.
        """
        outcome = courier.heard()
        if outcome is None:
            raise has_ended()
        self._take(outcome)
        if outcome.state == UNSENT:
            raise CostscanError(outcome.error, outcome.hint)

    def _take_the_rest(self) -> None:
        """Have nothing more sent, and note what comes of the requests that are on their way."""
        courier, self._courier = self._courier, None
        if courier is None:
            return
        courier.close()
        while (outcome := courier.heard()) is not None:
            self._take(outcome)
        courier.end()
        self.resume()  # Ctrl-C may come between what is heard and what is noted

    def _take(self, outcome: Outcome) -> None:
        if outcome.state != UNSENT:
            most = self._state.open_usd[outcome.request]
            self._state.answered(outcome.request, self._line(outcome, most))
        self._state.over(outcome.request)

    def _line(self, outcome: Outcome, most: Decimal) -> Line:
        if outcome.state == ANSWERED:
            return self.means.answer(outcome.message or {}, outcome.duration_s) | {"at": outcome.at}
        return no_answer(outcome.state, outcome.error, most if outcome.state == LOST else Decimal(0))

    def _told_before(self) -> dict[str, Outcome] | None:
        """Return what an earlier process wrote, when it has ended; None where there is nothing of it."""
        if not self._path.exists():
            return None
        with outcomes.held(self._path, self._say_it_waits) as fd:
            return outcomes.latest(fd)

    def _say_it_waits(self) -> None:
        self.means.say("answers to an earlier run of this trial are on their way: waiting for them")

    def _resumed(self, request: str, sent: Sent, told: dict[str, Outcome] | None) -> None:
        """Note what came of a request; one that was never posted costs nothing, and may be sent."""
        most = sent.most_usd[request]
        outcome = told.get(request) if told is not None else Outcome(state=POSTING)
        if outcome is None or outcome.state == UNSENT:
            return
        if outcome.state == POSTING:
            outcome = Outcome(state=LOST, error="the process that asked for it was interrupted")
        self._state.answered(request, self._line(outcome, most))


__all__ = ["Live"]
