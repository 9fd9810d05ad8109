"""Requests sent one by one, some at a time: answers come at once, at the full price.

An answer that was on its way when the process was killed is lost: it may have been billed, so its cost stays
counted at the most that it may be, and it is not asked for again.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from costscan.errors import CostscanError
from costscan.trial.sending.interface import (
    FAILED,
    LOST,
    Ask,
    Means,
    is_open,
    is_unavailable,
    never_sent,
    no_answer,
    no_connection,
    pause_s,
    reason_of,
    refused,
)
from costscan.trial.state import Line

if TYPE_CHECKING:
    from anthropic import APIStatusError

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
        """Ask until the API is there for it, and return the line that notes what came of it.

        Raises:
            CostscanError: the API is not there for it, or refuses the key; nothing was billed.
        """
        from anthropic import APIConnectionError, APIStatusError  # noqa: PLC0415 - slow to import

        tries = 0
        while True:
            begun = self.means.clock()
            try:
                message = self._asked(ask.params)
            except APIStatusError as error:
                pause = pause_s(error, tries) if is_unavailable(error) else None
                if pause is None:
                    return self._refused(ask, error)
                tries += 1
                self.means.sleep(pause)
            except APIConnectionError as error:
                if never_sent(error):
                    raise self._given_up(ask, no_connection()) from None
                return no_answer(LOST, type(error).__name__, ask.most_usd)
            else:
                return self.means.answer(message, self.means.clock() - begun)

    def _refused(self, ask: Ask, error: "APIStatusError") -> Line:
        if is_unavailable(error) or error.status_code in _NOT_ALLOWED:
            raise self._given_up(ask, refused(error)) from None
        told = f"{error.status_code}: {reason_of(error)}"
        return no_answer(LOST, told, ask.most_usd) if is_open(error) else no_answer(FAILED, told)

    def _given_up(self, ask: Ask, error: CostscanError) -> CostscanError:
        """Return an error, once it is noted that nothing comes of a request that it is about."""
        with self._mutex:
            self.means.state.over(ask.name)
        return error

    def _asked(self, params: Mapping[str, Any]) -> dict[str, Any]:
        options: Any = {"timeout": TIMEOUT_S}
        message = self.means.client.post("/v1/messages", cast_to=object, body=params, options=options)
        return message if isinstance(message, dict) else {}


__all__ = ["Live"]
