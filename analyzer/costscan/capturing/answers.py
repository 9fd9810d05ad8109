"""What comes back for a call, as it is heard: a message, a stream of events, an error."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import httpx2
import msgspec

from costscan.capturing.attempts import Attempt
from costscan.capturing.lines import Line, raw_object
from costscan.capturing.stream_frames import events_text

_FIRST_TOKEN: Final = re.compile(rb"content_block_|delta")
_LONGEST_MARK: Final = 13
_LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a response before its body."""

    status: int
    is_success: bool
    content_type: str
    request_id: str | None

    @classmethod
    def of(cls, response: httpx2.Response) -> Self:
        """Return that of a response."""
        headers = response.headers
        request_id = headers.get("request-id") or headers.get("x-amzn-requestid")
        kind = headers.get("content-type", "")
        return cls(response.status_code, response.is_success, kind, request_id)

    @property
    def is_stream(self) -> bool:
        """Whether a stream of events follows."""
        return self.is_success and ("event-stream" in self.content_type or "eventstream" in self.content_type)


Done = Callable[[Attempt, Line, bytes], None]
"""Gets what was attempted, the fields of its line, and the body."""


class Answer:
    """Hears the body of a response and tells, once it ended, the fields of the line that it is."""

    def __init__(self, attempt: Attempt, head: Head, done: Done) -> None:
        """Listen.

        Args:
            attempt: what it answers.
            head: what came before the body.
            done: gets what it comes to.
        """
        self._attempt, self._head, self._done = attempt, head, done
        self._chunks: list[bytes] = []
        self._first_token_s: float | None = None
        self._before = b""

    def feed(self, chunk: bytes) -> None:
        """Keep the next bytes, and when the first of them that are of a token came."""
        self._chunks.append(chunk)
        if self._first_token_s is None:
            # The mark may stand across two chunks.
            if _FIRST_TOKEN.search(self._before + chunk):
                self._first_token_s = time.perf_counter()
            self._before = chunk[-_LONGEST_MARK:]

    def end(self, error: BaseException | None, *, is_whole: bool) -> None:
        """Hand on the fields of the line."""
        line = self._timing()
        if error is not None:
            line["error"] = name_of(error)
        elif not is_whole:
            line["error"] = "ClosedByProgram"
        body = b"".join(self._chunks)
        self._done(self._attempt, line | answer_of(body, self._head), body)

    def _timing(self) -> Line:
        head = self._head
        line: Line = {"duration_ms": self._attempt.ms(), "status": head.status, "request_id": head.request_id}
        if self._first_token_s is not None and head.is_stream:
            line["ttft_ms"] = round((self._first_token_s - self._attempt.began_s) * 1000, 3)
        return line


def answer_of(body: bytes, head: Head) -> Line:
    """Return the field that a body is in a line: `response_sse`, or `response`."""
    if head.is_stream:
        return {"response_sse": events_text(body, head.content_type)}
    raw = raw_object(body)
    if raw is not None:
        return {"response": raw}
    if head.is_success:
        return {"response": None, "error": "NotJSON"}
    # An error of a gateway may come as a page.
    return {"response": error_body(f"http_{head.status}")}


def error_body(name: str) -> msgspec.Raw:
    """Return the response of a call that got none: an error, in the form that the API has for them."""
    return msgspec.Raw(msgspec.json.encode({"type": "error", "error": {"type": name}}))


def name_of(error: BaseException) -> str:
    """Return what an error is called; what it says may hold anything."""
    return type(error).__name__[:_LONGEST_NAME]
