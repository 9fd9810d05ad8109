"""One trial of the command line: begun or gone on with, by what its state file says."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NoReturn

from costscan.errors import CostscanError
from costscan.trial.calls import Chosen
from costscan.trial.judge import Judge
from costscan.trial.outcome import Found
from costscan.trial.plan import Forecast, Sample, forecast, same_sample, sample_of
from costscan.trial.prices import Prices
from costscan.trial.running import Running
from costscan.trial.sending.batches import Batches
from costscan.trial.sending.interface import Ask, Means, Sender
from costscan.trial.sending.live import Live
from costscan.trial.state import State

_PREFIX: Final = "costscan-"
_OTHER: Final = "take the same options, another -o, or remove the file to begin anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a trial is to be.

    Attributes:
        sample: how many calls are asked.
        itself: how many of them the model that served them is asked again, too; a third where that is None.
        max_usd: what it may cost.
        is_live: whether requests are sent one by one, and not as batches.
        judge: who judges texts; None where nobody does.
        enough: it stops when agreement is surely above or below this share.
        seed: of the choice of the sample.
    """

    sample: int
    itself: int | None
    max_usd: Decimal
    is_live: bool
    judge: Judge | None
    enough: float
    seed: int

    def told(self, chosen: Chosen) -> dict[str, Any]:
        """Return what has to be the same where a trial goes on."""
        rubric = hashlib.sha256(self.judge.rubric.encode()).hexdigest() if self.judge else None
        return {
            "action or rule": chosen.subject,
            "--sample": self.sample,
            "--itself": self.itself,
            "--live": self.is_live,
            "--judge": self.judge.model if self.judge else None,
            "--rubric": rubric,
            "--enough": self.enough,
            "--seed": self.seed,
        }


@dataclass(frozen=True, slots=True)
class Session:
    """A trial that can be run."""

    name: str
    chosen: Chosen
    sample: Sample
    wanted: Wanted
    state: State
    prices: Prices

    @classmethod
    def of(cls, chosen: Chosen, wanted: Wanted, state: State, prices: Prices) -> "Session":
        """Return the trial of a state file, or a new one where it is empty.

        Raises:
            CostscanError: the file is that of another trial, or no call can be asked and compared.
        """
        has_judge, begun = wanted.judge is not None, state.begun
        if not begun:
            sample = sample_of(chosen.calls, wanted.sample, wanted.itself, wanted.seed, has_judge=has_judge)
            return cls(_PREFIX + secrets.token_hex(6), chosen, sample, wanted, state, prices)
        told = wanted.told(chosen)
        if other := next((name for name, value in told.items() if begun["plan"].get(name) != value), None):
            raise CostscanError(f"{state.path}: of a trial with another {other}", _OTHER)
        sample = same_sample(chosen.calls, begun["calls"], wanted.itself, has_judge=has_judge)
        return cls(str(begun["name"]), chosen, sample, wanted, state, prices)

    @property
    def forecast(self) -> Forecast:
        """What all of it comes to."""
        return forecast(self.sample, self.prices, self.wanted.judge)

    def known(self) -> Found | None:
        """Return what it found, where nothing is left to be sent or waited for."""
        try:
            return self._run(_Nobody(self.state)) if self.state.begun else None
        except _MustSendError:
            return None

    def run(self, client: Any, say: Callable[[str], None]) -> Found:
        """Send what is left, and return what was found.

        Args:
            client: a client of the SDK.
            say: tells the user how far it is.

        Raises:
            CostscanError: the API cannot be asked; what was answered is in the state.
        """
        if not self.state.begun:
            keys = [item.call.key for item in self.sample.items]
            self.state.begin({"name": self.name, "plan": self.wanted.told(self.chosen), "calls": keys})
        means = Means(client=client, state=self.state, prices=self.prices, say=say)
        if not self.wanted.is_live:
            return self._run(Batches(means))
        with closing(Live(means)) as live:
            return self._run(live)

    def _run(self, sender: Sender) -> Found:
        return Running(
            name=self.name,
            sample=self.sample,
            calls=self.chosen.calls,
            state=self.state,
            sender=sender,
            prices=self.prices,
            judge=self.wanted.judge,
            max_usd=self.wanted.max_usd,
            enough=self.wanted.enough,
        ).run()


class _MustSendError(Exception):
    """Something is left to be sent."""


@dataclass(frozen=True, slots=True)
class _Nobody:
    """Sends nothing."""

    state: State

    def send(self, asks: Sequence[Ask]) -> NoReturn:  # noqa: ARG002 - a `Sender`
        raise _MustSendError

    def resume(self) -> None:
        if self.state.open_usd:
            raise _MustSendError


def state_path(output: Path) -> Path:
    """Return where the state of a trial is, by where its result is written."""
    return output.with_suffix(".state")


__all__ = ["Session", "Wanted", "state_path"]
