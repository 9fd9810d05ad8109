"""Requests sent through the Message Batches API, at half price: what an earlier process sent is found again.

A batch that was asked for when the process was killed may be there without anybody having noted its id. The
list of batches does not say what is in one: those of the same time and size are waited for, and known by the
names of their requests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from costscan.errors import CostscanError
from costscan.reading.io import lenient_json
from costscan.trial.sending.interface import (
    AGAIN,
    FAILED,
    LOST,
    Ask,
    Means,
    is_busy,
    is_open,
    is_unavailable,
    never_sent,
    no_answer,
    no_connection,
    pause_s,
    refused,
)
from costscan.trial.state import Sent

if TYPE_CHECKING:
    from anthropic import APIStatusError
    from anthropic.types.messages import MessageBatch

MOST_REQUESTS, MOST_BYTES = 10_000, 200_000_000
"""A batch may have 100,000 requests and 256 MB.

Source: https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""
POLL_S: Final = 20.0
SETTLES_S: Final = 60.0
"""A batch that is asked for is in the list after so long, or never will be."""
_CLOCKS_S: Final = 3600.0
"""The clock here may be off by so much."""
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Batches:
    """Sends requests as message batches.

    Attributes:
        means: what it works with.
        poll_s: how often it asks whether a batch has ended.
        settles_s: how long after it was asked for a batch may still appear.
    """

    means: Means
    poll_s: float = POLL_S
    settles_s: float = SETTLES_S

    def send(self, asks: Sequence[Ask]) -> None:
        """Send requests in one batch, or as few as there may be, and wait for them."""
        some: list[Ask] = []
        size = 0
        for ask in asks:
            its = len(msgspec.json.encode(ask.params))
            if some and (len(some) == MOST_REQUESTS or size + its > MOST_BYTES):
                self._send(some)
                some, size = [], 0
            some.append(ask)
            size += its
        if some:
            self._send(some)

    def resume(self) -> None:
        """Wait for the batches that an earlier process asked for; those that were not made are over."""
        for name, sent in list(self.means.state.sent.items()):
            if sent.is_over or sent.is_live:
                continue
            if sent.batch_id is None and not self._is_found(name, sent):
                self.means.state.over(name)
                continue
            self._finish(name, sent)

    def _send(self, asks: Sequence[Ask]) -> None:
        state = self.means.state
        name = f"batch {len(state.sent) + 1}"
        state.sending(name, self.means.clock(), {ask.name: ask.most_usd for ask in asks}, is_live=False)
        state.taken(name, self._created(name, asks))
        self._finish(name, state.sent[name])

    def _created(self, name: str, asks: Sequence[Ask]) -> str:
        """Ask for a batch, and return its id; what the API is too busy for is asked again."""
        from anthropic import APIConnectionError, APIStatusError  # noqa: PLC0415 - slow to import

        requests: Any = [{"custom_id": ask.name, "params": ask.params} for ask in asks]
        tries = 0
        while True:
            try:
                return self.means.client.messages.batches.create(requests=requests).id
            except APIStatusError as error:
                pause = pause_s(error, tries) if is_busy(error) else None
                if pause is None:
                    raise self._not_created(name, error) from None
                tries += 1
                self.means.sleep(pause)
            except APIConnectionError as error:
                if never_sent(error):
                    self.means.state.over(name)
                    raise no_connection() from None
                raise CostscanError("the connection broke while a batch was asked for", AGAIN) from None

    def _not_created(self, name: str, error: "APIStatusError") -> CostscanError:
        """Return the error for what the API refuses; where it failed it may have made the batch."""
        if is_busy(error) or not (is_unavailable(error) or is_open(error)):
            self.means.state.over(name)
        return refused(error)

    def _finish(self, name: str, sent: Sent) -> None:
        """Wait for a batch, and note its results."""
        self._ended(str(sent.batch_id), len(sent.most_usd))
        state = self.means.state
        for request, result in self._results(str(sent.batch_id)):
            if request in sent.most_usd and request not in state.answers:
                state.answered(request, self._line(result))
        for request, usd in sent.most_usd.items():
            if request not in state.answers:
                state.answered(request, no_answer(LOST, "the batch has no result of it", usd))
        state.over(name)

    def _ended(self, batch_id: str, size: int) -> None:
        """Wait until a batch has ended."""
        told = None
        while True:
            batch = _asked(lambda: self.means.client.messages.batches.retrieve(batch_id))
            if batch.processing_status == "ended":
                return
            done = size - batch.request_counts.processing
            if done != told:
                self.means.say(f"batch {batch_id}: {done} of {size} answered")
            told = done
            self.means.sleep(self.poll_s)

    def _results(self, batch_id: str) -> list[tuple[str, dict[str, Any]]]:
        """Return what came of each request of a batch that has ended.

        They are asked for where the API is documented to have them, and not where an answer says that they
        are.
        """
        from httpx2 import Response  # noqa: PLC0415 - slow to import

        path = f"/v1/messages/batches/{quote(batch_id, safe='')}/results"
        answer = _asked(lambda: self.means.client.get(path, cast_to=Response))
        told = [
            value for line in answer.content.splitlines() if (value := lenient_json.mapping(line)) is not None
        ]
        return [
            (str(one.get("custom_id")), one["result"]) for one in told if isinstance(one.get("result"), dict)
        ]

    def _line(self, result: dict[str, Any]) -> dict[str, Any]:
        if result.get("type") == "succeeded":
            return self.means.answer(_object(result.get("message")), None)
        error = _object(_object(result.get("error")).get("error"))
        return no_answer(FAILED, str(error.get("message") or result.get("type")))

    def _is_found(self, name: str, sent: Sent) -> bool:
        """Look for the batch made of what was sent under a name, and note its id; whether there is one."""
        wait = sent.at + self.settles_s - self.means.clock()
        if wait > 0:
            self.means.say(
                "an earlier run was interrupted while it asked for a batch: looking whether it was made"
            )
            self.means.sleep(wait)
        known = {one.batch_id for one in self.means.state.sent.values()}
        for batch in self._made_since(sent.at - _CLOCKS_S):
            if batch.id in known or _size(batch) != len(sent.most_usd):
                continue
            self._ended(batch.id, len(sent.most_usd))
            if any(request in sent.most_usd for request, _ in self._results(batch.id)):
                self.means.state.taken(name, batch.id)
                return True
        return False

    def _made_since(self, moment: float) -> "Iterator[MessageBatch]":
        since = datetime.fromtimestamp(moment, UTC)
        for batch in _asked(lambda: self.means.client.messages.batches.list(limit=_PAGE)):
            if batch.created_at < since:
                return
            yield batch


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _size(batch: "MessageBatch") -> int:
    counts = batch.request_counts
    return counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired


def _asked(call: Any) -> Any:
    """Return what the API says to a question that costs nothing."""
    from anthropic import APIConnectionError, APIStatusError  # noqa: PLC0415 - slow to import

    try:
        return call()
    except APIStatusError as error:
        raise refused(error) from None
    except APIConnectionError:
        raise no_connection() from None


__all__ = ["Batches"]
