"""Requests sent one by one, some at a time: answers come at once, at the full price.

An answer that was on its way when the process was killed is lost: it may have been billed, so its cost stays
counted at the most that it may be, and it is not asked for again.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

from costscan.trial.sending.interface import (
    FAILED,
    LOST,
    Ask,
    Means,
    is_busy,
    is_refused,
    no_answer,
    pause_s,
    reason_of,
    refused,
)
from costscan.trial.state import Line

AT_ONCE: Final = 4
TIMEOUT_S: Final = 1800.0
_NOT_ALLOWED: Final = (401, 403)


@dataclass(frozen=True, slots=True)
class Live:
    """Sends requests one by one.

    Attributes:
        means: what it works with.
        at_once: so many are on their way at a time.
    """

    means: Means
    at_once: int = AT_ONCE
    _mutex: Any = field(default_factory=Lock)

    def send(self, asks: Sequence[Ask]) -> None:
        """Send requests, and wait for them."""
        with ThreadPoolExecutor(self.at_once) as pool:
            waiting = [pool.submit(self._send, ask) for ask in asks]
            try:
                for one in waiting:
                    one.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def resume(self) -> None:
        """Count what was on its way as lost: nobody can ask for it."""
        state = self.means.state
        for name, sent in list(state.sent.items()):
            if sent.is_over or not sent.is_live:
                continue
            for request, usd in sent.most_usd.items():
                if request not in state.answers:
                    state.answered(
                        request, no_answer(LOST, "the trial was interrupted while it was asked", usd)
                    )
            state.over(name)

    def _send(self, ask: Ask) -> None:
        state = self.means.state
        with self._mutex:
            state.sending(ask.name, self.means.clock(), {ask.name: ask.most_usd}, is_live=True)
        line = self._answer(ask)
        with self._mutex:
            state.answered(ask.name, line)
            state.over(ask.name)

    def _answer(self, ask: Ask) -> Line:
        """Ask until the API is not too busy, and return the line that notes what came of it."""
        from anthropic import APIConnectionError, APIStatusError  # noqa: PLC0415 - slow to import

        tries = 0
        while True:
            begun = self.means.clock()
            try:
                message = self._asked(ask.params)
            except APIStatusError as error:
                if error.status_code in _NOT_ALLOWED:
                    with self._mutex:
                        self.means.state.over(ask.name)
                    raise refused(error) from None
                pause = pause_s(error, tries) if is_busy(error) else None
                if pause is None:
                    told = f"{error.status_code}: {reason_of(error)}"
                    return (
                        no_answer(FAILED, told) if is_refused(error) else no_answer(LOST, told, ask.most_usd)
                    )
                tries += 1
                self.means.sleep(pause)
            except APIConnectionError as error:
                return no_answer(LOST, type(error).__name__, ask.most_usd)
            else:
                return self.means.answer(message, self.means.clock() - begun)

    def _asked(self, params: Mapping[str, Any]) -> dict[str, Any]:
        options: Any = {"timeout": TIMEOUT_S}
        message = self.means.client.post("/v1/messages", cast_to=object, body=params, options=options)
        return message if isinstance(message, dict) else {}


__all__ = ["Live"]
