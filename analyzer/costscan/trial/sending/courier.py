"""The command's end of the process that posts requests: it hands them over, and hears what came of them."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO, Final

import msgspec

from costscan.errors import CostscanError
from costscan.trial.sending.interface import AGAIN, Ask
from costscan.trial.sending.outcomes import READY, Outcome

_MODULE: Final = "costscan.trial.sending.worker"
_LOOK_EVERY_S: Final = 0.2


class Courier:
    """Hands requests over, and hears what came of them."""

    def __init__(self, asks: IO[bytes], told: IO[bytes], wait: Callable[[], object]) -> None:
        """Begin to hear.

        Args:
            asks: where requests are written.
            told: where outcomes are read.
            wait: returns when the process has ended, after it was told that nothing more comes.
        """
        self._asks, self._told, self._wait = asks, told, wait
        self._heard: SimpleQueue[Outcome] = SimpleQueue()
        self._hearing = Thread(target=self._hear, daemon=True)
        self._hearing.start()

    def ask(self, ask: Ask) -> None:
        """Hand a request over.

        Raises:
            CostscanError: the process has ended.
        """
        try:
            self._asks.write(msgspec.json.encode({"request": ask.name, "params": ask.params}) + b"\n")
            self._asks.flush()
        except OSError:
            raise has_ended() from None

    def heard(self) -> Outcome | None:
        """Return what came of the next request, None where the process has ended."""
        while self._hearing.is_alive() or not self._heard.empty():
            with suppress(Empty):  # Polars has a read go on after Ctrl-C
                return self._heard.get(timeout=_LOOK_EVERY_S)
        return None

    def close(self) -> None:
        """Say that nothing more comes; what is on its way can still be heard."""
        with suppress(OSError):
            self._asks.close()

    def end(self) -> None:
        """Return when the process has ended."""
        self.close()
        self._hearing.join()
        self._told.close()
        self._wait()

    def _hear(self) -> None:
        for line in self._told:
            if line.endswith(b"\n"):
                self._heard.put(msgspec.json.decode(line, type=Outcome))


def has_ended() -> CostscanError:
    """Return the error where the process ended before it was told to."""
    return CostscanError("the process that sends requests has ended", AGAIN)


def ready(courier: Courier) -> Courier:
    """Return a courier when its process holds the file of outcomes: nothing is handed over before.

    Raises:
        CostscanError: the process has ended.
    """
    first = courier.heard()
    if first is None or first.state != READY:
        courier.end()
        raise has_ended()
    return courier


def started(path: Path) -> Courier:
    """Start the process, and return what reaches it.

    What ends the command, its process group or its terminal does not reach it. It has the key by the
    environment.

    Args:
        path: of the file of outcomes.

    Raises:
        CostscanError: it does not start.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", _MODULE, str(path.absolute())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        creationflags=_apart(),
    )
    assert process.stdin is not None  # noqa: S101 - for the type checker
    assert process.stdout is not None  # noqa: S101
    return ready(Courier(process.stdin, process.stdout, process.wait))


def _apart() -> int:
    """Return what keeps Ctrl-C from a process where there are no sessions."""
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP
    return 0


__all__ = ["Courier", "has_ended", "ready", "started"]
