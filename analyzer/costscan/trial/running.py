"""A trial as it runs: it asks, has texts judged, looks, and stops when it is clear or the money ends."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from costscan.trial.calls import Call
from costscan.trial.comparing import Compared, compared
from costscan.trial.judge import ORDERS, Judge, most_prompt_tokens, verdict
from costscan.trial.looks import is_clear, looks
from costscan.trial.outcome import COMPARED, NOT_COMPARED, Found, Row
from costscan.trial.plan import TARGET, Item, Sample, name_of
from costscan.trial.prices import Prices
from costscan.trial.recorded import Answer, answer_of
from costscan.trial.sending.interface import ANSWERED, Ask, Sender
from costscan.trial.state import State


@dataclass
class Running:
    """A trial.

    Attributes:
        name: what the names of its requests begin with.
        sample: what is asked.
        calls: all calls that would move.
        state: what was sent and came back.
        sender: what sends.
        prices: what it costs.
        judge: who judges texts; None where nobody does.
        max_usd: what the trial may cost.
        enough: it stops when agreement is surely above or below this share.
    """

    name: str
    sample: Sample
    calls: Sequence[Call]
    state: State
    sender: Sender
    prices: Prices
    judge: Judge | None
    max_usd: Decimal
    enough: float
    _stopped: str | None = field(default=None, init=False)

    def run(self) -> Found:
        """Ask until it is clear, or all of the sample was asked, or the next request might cost too much.

        Raises:
            CostscanError: the API cannot be asked; what was answered is in the state.
        """
        self.sender.resume()
        found = self._found(0, 1.0)
        for look in looks(len(self.sample.items)):
            self._ask(list(self.sample.asks(self.name, look.upto, self.prices)))
            self._ask(list(self._judgements(look.upto)))
            found = self._found(look.upto, look.alpha)
            overall = found.of_role(TARGET)
            if self._stopped is None and is_clear(overall.low, overall.high, self.enough):
                side = "above" if (overall.low or 0.0) > self.enough else "below"
                self._stopped = f"agreement is surely {side} {self.enough:.0%}"
            if self._stopped is not None:
                break
        return self._found(look.upto, look.alpha)

    def _ask(self, asks: Sequence[Ask]) -> None:
        """Send what was not sent yet, as much at a time as may cost no more than is left."""
        left = [ask for ask in asks if ask.name not in self.state.answers]
        while left and self._stopped is None:
            room = self.max_usd - self.state.spent_usd
            some = list(_within(left, room))
            if not some:
                room = max(room, Decimal(0))
                self._stopped = f"the next request may cost ${left[0].most_usd:.4f}, and ${room:.4f} is left"
                return
            self.sender.send(some)
            left = [ask for ask in left if ask.name not in self.state.answers]

    def _judgements(self, upto: int) -> Iterator[Ask]:
        """Yield the requests for verdicts on what came back."""
        if self.judge is None:
            return
        for item in self.sample.items[:upto]:
            for role in item.asked:
                answer = self._answer(name_of(self.name, item, role))
                if answer is None or not _needs_judge(item, answer):
                    continue
                for order in ORDERS:
                    params = self.judge.params(item.recorded.request, item.recorded.answer, answer, order)
                    most = self.prices.most_usd(
                        self.judge.model, most_prompt_tokens(params), params["max_tokens"]
                    )
                    yield Ask(f"{name_of(self.name, item, role)}-{order}", params, most)

    def _answer(self, name: str) -> Answer | None:
        line = self.state.answers.get(name)
        return answer_of(line) if line is not None and line["state"] == ANSWERED else None

    def _found(self, upto: int, alpha: float) -> Found:
        rows = [
            row
            for item in self.sample.items[:upto]
            for role in item.asked
            if (row := self._row(item, role)) is not None
        ]
        times = [sent.at for sent in self.state.sent.values()]
        ends = [float(line["at"]) for line in self.state.answers.values() if line.get("at")]
        took = max([*ends, *times], default=0.0) - min(times, default=0.0)
        stopped = self._stopped or "all of the sample was asked"
        return Found(rows, self.calls, alpha, stopped, self.state.spent_usd, took)

    def _row(self, item: Item, role: str) -> Row | None:
        name = name_of(self.name, item, role)
        line = self.state.answers.get(name)
        if line is None:
            return None
        usd = sum((Decimal(one["usd"]) for one in (line, *self._verdict_lines(name))), Decimal(0))
        answer = self._answer(name)
        if answer is None:
            return Row(item, role, line["state"], None, line.get("error"), usd)
        found = self._compared(item, name, answer)
        state = COMPARED if found.agrees is not None else NOT_COMPARED
        return Row(item, role, state, found.agrees, found.why, usd, line.get("duration_s"), answer)

    def _compared(self, item: Item, name: str, answer: Answer) -> Compared:
        if self.judge is None or not _needs_judge(item, answer):
            return compared(item.kind, item.recorded.answer, answer)
        said = {order: self._answer(f"{name}-{order}") for order in ORDERS}
        return verdict({order: one for order, one in said.items() if one is not None})

    def _verdict_lines(self, name: str) -> list[dict[str, str]]:
        lines = (self.state.answers.get(f"{name}-{order}") for order in ORDERS)
        return [line for line in lines if line is not None]


def _needs_judge(item: Item, answer: Answer) -> bool:
    return compared(item.kind, item.recorded.answer, answer).agrees is None and item.kind.compare is None


def _within(asks: Sequence[Ask], room: Decimal) -> Iterator[Ask]:
    """Yield the first requests that cost no more together than there is room for."""
    for ask in asks:
        room -= ask.most_usd
        if room < 0:
            return
        yield ask


__all__ = ["Running"]
