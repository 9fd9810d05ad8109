"""A middleware of the Anthropic SDK that logs each call of a client as a line of the `messages_api` format.

    client = anthropic.Anthropic(middleware=[costscan.capture("runs.jsonl")])

It is called once for each attempt. It never raises into the program nor changes what goes over the wire.
"""

import atexit
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anthropic
import httpx2
import msgspec

from costscan.capturing.answers import Answer, Head, error_body, name_of
from costscan.capturing.attempts import Attempt, Waiting, is_retried
from costscan.capturing.batches import Batches, Results, run_fields
from costscan.capturing.bodies import Listener, overhear
from costscan.capturing.context import Run, run_of
from costscan.capturing.lines import Line, keys_in, raw_object, with_model, without_tokens
from costscan.capturing.log_file import LogFile
from costscan.capturing.recorder import MAX_BYTES, Recorder, Redact, redaction
from costscan.capturing.routes import Route, route_of

if TYPE_CHECKING:
    from anthropic import APIRequest, APIResponse
    from anthropic._middleware import AsyncCallNext, CallNext
    from anthropic._response import AsyncAPIResponse

_RETRIED: Final = (anthropic.APIConnectionError, anthropic.APIStatusError, anthropic.RetryableError)


def capture(
    path: str | os.PathLike[str],
    *,
    task: str | None = None,
    run_id: str | None = None,
    redact: Redact | None = None,
    max_bytes: int | None = MAX_BYTES,
) -> "Capture":
    """Return a middleware that logs the calls of a client, synchronous or not.

    Args:
        path: the log; many clients, threads and processes may have the same.
        task: what runs are compared by, where neither `costscan.run` nor a header of the call says.
        run_id: the run that calls belong to, likewise; without one, what continues a conversation is one run.
        redact: gets each line as a dictionary and returns what is written (None: nothing), or "content": as
            many invented characters stand in place of each text.
        max_bytes: the size from which the log is set aside, compressed, and begun anew; None never does.
    """
    recorder = Recorder(LogFile(Path(path).absolute(), max_bytes), redaction(redact))
    return Capture(recorder, Run(run_id, task))


class Capture(anthropic.Middleware):
    """Logs the calls of the clients that it is given to."""

    def __init__(self, recorder: Recorder, run: Run) -> None:
        """Log calls.

        Args:
            recorder: writes them.
            run: the run of calls that name none.
        """
        self._recorder, self._run = recorder, run
        self._waiting = Waiting(self._recorder.write)
        self._batches = Batches()
        atexit.register(self._waiting.let_go)

    def handle(self, request: "APIRequest", call_next: "CallNext") -> "APIResponse[Any]":
        """Pass an attempt of a synchronous client on, and hear its answer."""
        attempt = self._begin(request)
        try:
            response = call_next(request)
        except BaseException as error:
            self._raised(attempt, request, error)
            raise
        self._answered(attempt, request, response)
        return response

    async def handle_async(
        self, request: "APIRequest", call_next: "AsyncCallNext"
    ) -> "AsyncAPIResponse[Any]":
        """Pass an attempt of an asynchronous client on, and hear its answer."""
        attempt = self._begin(request)
        try:
            response = await call_next(request)
        except BaseException as error:
            self._raised(attempt, request, error)
            raise
        self._answered(attempt, request, response)
        return response

    def _begin(self, request: "APIRequest") -> Attempt | None:
        """Return the attempt that a request is, None for one that is not billed."""
        try:
            if route_of(request.method, request.url) is None:
                return None
            key = request.options.idempotency_key
            at = datetime.now(UTC).isoformat()
            run = run_of(dict(request.headers), self._run)
            return Attempt(key, at, time.perf_counter(), run, self._waiting.earlier(key))
        except Exception as error:  # noqa: BLE001 - nothing may reach the program
            self._recorder.warn(error)
            return None

    def _answered(self, attempt: Attempt | None, request: "APIRequest", result: Any) -> None:
        """Listen to what answers an attempt."""
        response = getattr(result, "http_response", result)
        if attempt is None or not isinstance(response, httpx2.Response):
            return
        try:
            overhear(response, self._listener(attempt, request, response, result), self._recorder.warn)
        except Exception as error:  # noqa: BLE001
            self._recorder.warn(error)

    def _listener(
        self, attempt: Attempt, request: "APIRequest", response: httpx2.Response, result: Any
    ) -> Listener:
        route = route_of(request.method, request.url)
        head, sent = Head.of(response), response.request
        keys = keys_in(sent.headers)
        if route is Route.BATCH_RESULTS and head.is_success:
            return Results(
                attempt, self._batches.of(request.url), lambda line: self._recorder.write(line, keys)
            )
        is_last = not (is_retried(response.status_code, response.headers) and _may_retry(request, result))

        def done(attempt: Attempt, line: Line, body: bytes) -> None:
            if route is Route.BATCH and head.is_success:
                self._batches.note(without_tokens(sent.content), body, attempt.run)
            else:
                self._finish(attempt, _asked(request, sent), line, keys, is_last=is_last)

        return Answer(attempt, head, done)

    def _raised(self, attempt: Attempt | None, request: "APIRequest", error: BaseException) -> None:
        """Log an attempt that got no answer."""
        if attempt is None:
            return
        try:
            sent = getattr(error, "request", None)
            keys = keys_in(sent.headers) if isinstance(sent, httpx2.Request) else []
            line = {
                "duration_ms": attempt.ms(),
                "error": name_of(error),
                "response": error_body(name_of(error)),
            }
            is_last = not (isinstance(error, _RETRIED) and _may_retry(request, None))
            self._finish(attempt, _asked(request, sent), line, keys, is_last=is_last)
        except Exception as fault:  # noqa: BLE001
            self._recorder.warn(fault)

    def _finish(
        self, attempt: Attempt, asked: msgspec.Raw | None, answered: Line, keys: list[bytes], *, is_last: bool
    ) -> None:
        """Write the line of a call, or keep it until the next attempt if it failed and may be tried again."""
        line = run_fields(attempt.run) | {"timestamp": attempt.at, "attempts": attempt.earlier or None}
        line |= {"request": asked} | answered
        if is_last or attempt.key is None:
            self._recorder.write(line, keys)
        else:
            self._waiting.hold(attempt.key, line, keys)


def _asked(request: "APIRequest", sent: object) -> msgspec.Raw | None:
    """Return the body of a request as it went over the wire, with the model that it asks for."""
    if not isinstance(sent, httpx2.Request):
        return raw_object(without_tokens(msgspec.json.encode(request.json)))
    body, fields = sent.content, request.json
    if not isinstance(fields, dict):
        return raw_object(without_tokens(body))
    if "mcp_servers" in fields:
        body = without_tokens(body)
    if not sent.url.path.endswith("/v1/messages"):
        body = with_model(body, fields.get("model"))
    # Of fields the SDK made the JSON: it need not be looked through.
    return raw_object(body) if b"\n" in body else msgspec.Raw(body)


def _may_retry(request: "APIRequest", result: Any) -> bool:
    """Whether the SDK has attempts left; where the client does not tell how many it makes, it may."""
    most: object = request.max_retries
    if not isinstance(most, int):
        most = getattr(getattr(result, "_client", None), "max_retries", None)
    return not isinstance(most, int) or request.retries_taken < most
