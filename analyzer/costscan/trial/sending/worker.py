"""Posts requests in a process of its own, so that no answer is lost when the command ends, however it ends.

Requests come by standard input, a line each, and what came of them goes to standard output. When the input
ends, as it does when the command is killed, nothing more is posted; answers on their way are waited for.
"""

import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from costscan import asking
from costscan.errors import CostscanError
from costscan.trial.sending import outcomes
from costscan.trial.sending.interface import (
    AGAIN,
    ANSWERED,
    FAILED,
    LOST,
    is_open,
    is_unavailable,
    never_sent,
    no_connection,
    pause_s,
    reason_of,
    refused,
)
from costscan.trial.sending.outcomes import POSTING, READY, UNSENT, Outcome

if TYPE_CHECKING:
    from anthropic import Anthropic, APIStatusError

AT_ONCE: Final = 4
TIMEOUT_S: Final = 1800.0
_NOT_ALLOWED: Final = (401, 403)


class Posted(msgspec.Struct, frozen=True):
    """A request: what names it, and its parameters."""

    request: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Worker:
    """Posts requests.

    Attributes:
        client: a client of the SDK that tries nothing again by itself.
        fd: the file of outcomes, held by this process.
        told: who is told them, too.
    """

    client: "Anthropic"
    fd: int
    told: BinaryIO
    _mutex: Any = field(default_factory=Lock)
    _is_over: Event = field(default_factory=Event)

    def work(self, asks: BinaryIO) -> None:
        """Post requests until there are no more, and return when nothing is on its way."""
        self._tell(Outcome(state=READY))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for line in asks:
                if line.endswith(b"\n"):  # else the command was killed as it wrote
                    pool.submit(self._post, msgspec.json.decode(line, type=Posted))
            self._is_over.set()

    def _post(self, posted: Posted) -> None:
        try:
            with self._mutex:
                outcomes.note(self.fd, Outcome(state=POSTING, request=posted.request, at=time.time()))
        except OSError as error:
            self._tell(_unsent(posted, CostscanError(f"answers cannot be noted: {error}")))
            return
        outcome = self._outcome(posted)
        with suppress(OSError), self._mutex:  # the command is told, and notes it, too
            outcomes.note(self.fd, outcome)
        self._tell(outcome)

    def _tell(self, outcome: Outcome) -> None:
        with suppress(OSError), self._mutex:  # the command has ended
            self.told.write(msgspec.json.encode(outcome) + b"\n")
            self.told.flush()

    def _outcome(self, posted: Posted) -> Outcome:
        """Ask until the API is there for it, and return what came of it."""
        from anthropic import APIConnectionError, APIStatusError  # noqa: PLC0415 - slow to import

        tries = 0
        while True:
            begun = time.time()
            try:
                message = self._asked(posted.params)
            except APIStatusError as error:
                pause = pause_s(error, tries) if is_unavailable(error) else None
                if pause is None:
                    return _refused(posted, error)
                tries += 1
                if self._is_over.wait(pause):
                    return _unsent(posted, refused(error))
            except APIConnectionError as error:
                if never_sent(error):
                    return _unsent(posted, no_connection())
                return _without_answer(posted, LOST, type(error).__name__)
            except Exception as error:  # noqa: BLE001 - whatever it was, the request may have been billed
                return _without_answer(posted, LOST, type(error).__name__)
            else:
                took_s = time.time() - begun
                return Outcome(
                    state=ANSWERED, request=posted.request, at=time.time(), duration_s=took_s, message=message
                )

    def _asked(self, params: Mapping[str, Any]) -> dict[str, Any]:
        options: Any = {"timeout": TIMEOUT_S}
        message = self.client.post("/v1/messages", cast_to=object, body=params, options=options)
        return message if isinstance(message, dict) else {}


def _refused(posted: Posted, error: "APIStatusError") -> Outcome:
    if is_unavailable(error) or error.status_code in _NOT_ALLOWED:
        return _unsent(posted, refused(error))
    told = f"{error.status_code}: {reason_of(error)}"
    return _without_answer(posted, LOST if is_open(error) else FAILED, told)


def _unsent(posted: Posted, error: CostscanError) -> Outcome:
    return Outcome(
        state=UNSENT, request=posted.request, at=time.time(), error=error.what, hint=error.hint or AGAIN
    )


def _without_answer(posted: Posted, state: str, error: str) -> Outcome:
    return Outcome(state=state, request=posted.request, at=time.time(), error=error)


def main(path: str, client: "Callable[..., Anthropic]" = asking.client) -> None:
    """Serve a command: its requests come and go by the standard streams.

    Args:
        path: of the file of outcomes.
        client: makes a client of the SDK.
    """
    with outcomes.held(Path(path)) as fd:
        Worker(client("trial", retries=0), fd, sys.stdout.buffer).work(sys.stdin.buffer)


if __name__ == "__main__":
    main(sys.argv[1])
