"""Message batches: what was asked in one is kept until its results are read."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Raw

from costscan.capturing.attempts import Attempt
from costscan.capturing.context import Run
from costscan.capturing.lines import Line, raw_object

MOST_BYTES: Final = 64 << 20


class _Item(msgspec.Struct):
    """One request of a batch."""

    custom_id: str
    params: Raw


class _Asked(msgspec.Struct):
    """The body of a request for a batch."""

    requests: list[_Item]


class _Made(msgspec.Struct):
    """The batch as the API answers."""

    id: str
    created_at: str | None = None


class _Result(msgspec.Struct):
    """A line of results."""

    custom_id: str
    result: Raw


class Batch(msgspec.Struct):
    """A batch that this program asked for."""

    created_at: str | None
    run: Run
    requests: dict[str, Raw]
    n_bytes: int


class Batches:
    """The batches that this program asked for, the newest `MOST_BYTES` of them."""

    def __init__(self) -> None:
        self._batches: OrderedDict[str, Batch] = OrderedDict()
        self._mutex = threading.RLock()

    def note(self, asked: bytes, answered: bytes, run: Run) -> None:
        """Keep what a batch asks for.

        Raises:
            msgspec.MsgspecError: it is no batch.
        """
        made = msgspec.json.decode(answered, type=_Made)
        # Copied out of the body, which else would stay for as long as one of them.
        items = {i.custom_id: i.params.copy() for i in msgspec.json.decode(asked, type=_Asked).requests}
        with self._mutex:
            self._batches[made.id] = Batch(made.created_at, run, items, len(asked))
            while sum(batch.n_bytes for batch in self._batches.values()) > MOST_BYTES:
                self._batches.popitem(last=False)

    def of(self, url: str) -> Batch | None:
        """Return the batch whose results are at an address, None where this program did not ask for it."""
        parts = url.split("?", maxsplit=1)[0].split("/")
        with self._mutex:
            return self._batches.get(parts[-2]) if len(parts) > 1 else None


class Results:
    """Hears the results of a batch, each a line of the log as soon as it is there."""

    def __init__(self, attempt: Attempt, batch: Batch | None, write: Callable[[Line], None]) -> None:
        """Listen.

        Args:
            attempt: the request for the results.
            batch: what was asked, if that is known.
            write: writes a line; it must not raise.
        """
        self._batch, self._write = batch, write
        now = datetime.now(UTC).isoformat()
        self._at = (batch.created_at if batch else None) or now
        self._run = batch.run if batch and attempt.run == Run() else attempt.run
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Hear the next bytes of JSON lines."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._take(line)

    def end(self, error: BaseException | None, *, is_whole: bool) -> None:  # noqa: ARG002 - a `Listener`
        """Take the last line, which may have no line feed."""
        self._take(self._rest)

    def _take(self, text: bytes) -> None:
        if raw_object(text.strip()) is None:
            return
        try:
            told = msgspec.json.decode(text, type=_Result)
        except msgspec.MsgspecError:
            return
        request: Any = self._batch.requests.get(told.custom_id) if self._batch else None
        line = {"timestamp": self._at, "request": request, "custom_id": told.custom_id, "result": told.result}
        self._write(run_fields(self._run) | line)


def run_fields(run: Run) -> Line:
    """Return the fields that name a run."""
    return {n: getattr(run, n) for n in ("run_id", "task", "agent", "parent_run_id")}
