"""A request to an API and its answer, where no client tells more than what goes over the wire."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx2

from costscan.capturing.answers import Answer, Head, error_body, name_of
from costscan.capturing.attempts import Attempt
from costscan.capturing.batches import Batches, Results, run_fields
from costscan.capturing.bodies import Listener, overhear
from costscan.capturing.context import Run, run_of
from costscan.capturing.lines import Line, keys_in, raw_object, without_tokens
from costscan.capturing.recorder import Recorder
from costscan.capturing.routes import Route, api_route_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """An API, `anthropic` or `openai`, and where its calls are logged."""

    name: str
    recorder: Recorder
    batches: Batches = field(default_factory=Batches)


def attempt_of(headers: Mapping[str, str], run: Run) -> Attempt:
    """Return an attempt that begins now.

    Args:
        headers: those of the request, which may name its run.
        run: the run where neither they nor the program names one.
    """
    return Attempt(None, datetime.now(UTC).isoformat(), time.perf_counter(), run_of(headers, run))


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request to an API and its answer: what is logged of it. `path` is below the address of the API."""

    api: Api
    request: httpx2.Request
    path: str
    attempt: Attempt

    @property
    def route(self) -> Route | None:
        """What it asks for, None where that is not billed."""
        return api_route_of(self.api.name, self.request.method, self.path)

    def listen(self, response: httpx2.Response) -> None:
        """Hear the answer, if it is of a call that is billed."""
        recorder = self.api.recorder
        try:
            if self.route is not None:
                overhear(response, self._listener(Head.of(response)), recorder.warn)
        except Exception as error:  # noqa: BLE001 - traffic goes on
            recorder.warn(error)

    def failed(self, error: Exception) -> None:
        """Log that there was no answer."""
        if self.route is not None:
            line: Line = {"duration_ms": self.attempt.ms(), "error": name_of(error)}
            self._write(line | {"response": error_body(name_of(error))})

    def _listener(self, head: Head) -> Listener:
        batches, keys = self.api.batches, keys_in(self.request.headers)
        if self.route is Route.BATCH_RESULTS and head.is_success:
            write = self.api.recorder.write
            return Results(self.attempt, batches.of(self.path), lambda line: write(line, keys))

        def done(attempt: Attempt, line: Line, body: bytes) -> None:
            if self.route is Route.BATCH and head.is_success:
                batches.note(without_tokens(self.request.content), body, attempt.run)
            else:
                self._write(line)

        return Answer(self.attempt, head, done)

    def _write(self, answered: Line) -> None:
        line = run_fields(self.attempt.run) | {"timestamp": self.attempt.at}
        line["request"] = raw_object(without_tokens(self.request.content))
        self.api.recorder.write(line | answered, keys_in(self.request.headers))
