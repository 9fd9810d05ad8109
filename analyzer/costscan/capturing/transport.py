"""A transport of `httpx2` that logs the calls of OpenAI's APIs, whichever client sends them through it.

http_client = openai.DefaultHttpxClient(transport=costscan.capture_transport("runs.jsonl"))
client = openai.OpenAI(http_client=http_client)
"""

import os
from pathlib import Path
from typing import Any

import httpx2

from costscan.capturing.context import Run
from costscan.capturing.exchange import Api, Exchange, attempt_of
from costscan.capturing.log_file import LogFile
from costscan.capturing.recorder import MAX_BYTES, Recorder, Redact, redaction


def capture_transport(
    path: str | os.PathLike[str],
    *,
    task: str | None = None,
    run_id: str | None = None,
    redact: Redact | None = None,
    max_bytes: int | None = MAX_BYTES,
    transport: httpx2.BaseTransport | httpx2.AsyncBaseTransport | None = None,
) -> "CaptureTransport":
    """Return a transport for a client of OpenAI's, synchronous or not, that logs its calls.

    Args:
        path: the log; that of `capture` must be another, as a log has one format.
        task: see `capture`.
        run_id: see `capture`.
        redact: see `capture`.
        max_bytes: see `capture`.
        transport: what sends the requests; by default what `httpx2` does.
    """
    recorder = Recorder(LogFile(Path(path).absolute(), max_bytes), redaction(redact))
    return CaptureTransport(Api(name="openai", recorder=recorder), Run(run_id, task), transport)


class CaptureTransport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Sends requests with another transport and hears the answers."""

    def __init__(self, api: Api, run: Run, transport: Any) -> None:
        """Log calls.

        Args:
            api: whose, and where to.
            run: the run of calls that name none.
            transport: sends them; None for what fits the client.
        """
        self._api, self._run, self._transport = api, run, transport

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request of a synchronous client."""
        call = self._begin(request)
        self._transport = self._transport or httpx2.HTTPTransport()
        try:
            response: httpx2.Response = self._transport.handle_request(request)
        except httpx2.HTTPError as error:
            call.failed(error)
            raise
        response.request = request
        call.listen(response)
        return response

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request of an asynchronous client."""
        call = self._begin(request)
        self._transport = self._transport or httpx2.AsyncHTTPTransport()
        try:
            response: httpx2.Response = await self._transport.handle_async_request(request)
        except httpx2.HTTPError as error:
            call.failed(error)
            raise
        response.request = request
        call.listen(response)
        return response

    def close(self) -> None:
        """Close the transport underneath."""
        if self._transport is not None:
            self._transport.close()

    async def aclose(self) -> None:
        """Close the transport underneath."""
        if self._transport is not None:
            await self._transport.aclose()

    def _begin(self, request: httpx2.Request) -> Exchange:
        return Exchange(self._api, request, request.url.path, attempt_of(request.headers, self._run))
