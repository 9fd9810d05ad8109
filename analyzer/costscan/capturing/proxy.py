"""A proxy on this machine that passes requests on to the APIs it was given, and logs those that are billed.

An ASGI application. `/NAME/...` goes to the upstream of that name and nowhere else. Answers are passed on as
the bytes that came, as soon as they come; keys pass through and are not kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import httpx2
import msgspec

from costscan.capturing.answers import name_of
from costscan.capturing.attempts import Attempt
from costscan.capturing.context import RUN_HEADER, TASK_HEADER, Run
from costscan.capturing.exchange import Api, Exchange, attempt_of
from costscan.capturing.routes import split_path

Event: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Event], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

_OF_A_CONNECTION: Final = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
    b"trailer", b"transfer-encoding", b"upgrade",
})  # fmt: skip
_OWN: Final = frozenset({b"host", b"content-length", b"expect", RUN_HEADER.encode(), TASK_HEADER.encode()})
_ACCEPTED: Final = b"accept-encoding"
_READABLE: Final = frozenset({b"gzip", b"deflate", b"identity"})
"""Content codings that need nothing installed; a client may accept more, and then could not be heard."""
_HERE: Final = frozenset({b"127.0.0.1", b"localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream(Api):
    """An API with its address; its name is what paths begin with here."""

    url: str


class Proxy:
    """Passes requests on."""

    def __init__(self, upstreams: Iterable[Upstream], run: Run, client: httpx2.AsyncClient) -> None:
        """Name where requests may go.

        Args:
            upstreams: the APIs.
            run: the run of calls that name none.
            client: sends them.
        """
        self._upstreams = {one.name: one for one in upstreams}
        self._run, self._client = run, client

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        """Answer a request."""
        name, rest = split_path(scope["raw_path"].decode("ascii", "replace"))
        upstream = self._upstreams.get(name)
        host = dict(scope["headers"]).get(b"host", b"").rpartition(b":")[0]
        if upstream is None or host not in _HERE:
            await _refuse(send, 404, "no such API here")
            return
        asked = await _body(receive)
        if asked is None:
            return
        query = scope["query_string"].decode("ascii", "replace")
        url = upstream.url.rstrip("/") + rest + (f"?{query}" if query else "")
        headers = [_readable(*header) for header in _passed_on(scope["headers"], _OF_A_CONNECTION | _OWN)]
        request = httpx2.Request(scope["method"], url, headers=headers, content=asked)
        call = Exchange(upstream, request, rest, self._attempt(scope["headers"]))
        await _unless_gone(receive, self._relay(call, send))

    def _attempt(self, headers: Sequence[tuple[bytes, bytes]]) -> Attempt:
        told = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        return attempt_of(told, self._run)

    async def _relay(self, call: Exchange, send: Send) -> None:
        """Send a request and pass its answer on."""
        try:
            response = await self._client.send(call.request, stream=True)
        except httpx2.HTTPError as error:
            call.failed(error)
            await _refuse(send, 502, f"costscan cannot reach {call.api.name}: {name_of(error)}")
            return
        try:
            call.listen(response)
            headers = _passed_on(response.headers.raw, _OF_A_CONNECTION)
            await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
            await _pass_on(response, send)
        finally:
            await response.aclose()


async def _body(receive: Receive) -> bytes | None:
    """Return the body of a request, None where the client went away before its end."""
    parts = []
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        parts.append(event.get("body", b""))
        if not event.get("more_body"):
            return b"".join(parts)


def _passed_on(headers: Iterable[tuple[bytes, bytes]], but: frozenset[bytes]) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in but]


def _readable(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Return a header, that of the codings that a client accepts with those alone that can be read here."""
    if name.lower() != _ACCEPTED:
        return name, value
    codings = [coding for coding in value.split(b",") if coding.split(b";")[0].strip() in _READABLE]
    return name, b",".join(codings) or b"identity"


async def _pass_on(response: httpx2.Response, send: Send) -> None:
    """Pass the chunks of a body on as they come; the last is logged before, where sizes tell which it is."""
    missing = int(response.headers.get("content-length", -1))
    last = b""
    async for chunk in response.aiter_raw():
        missing -= len(chunk)
        if missing == 0:
            last = chunk
        else:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": last})


async def _refuse(send: Send, status: int, why: str) -> None:
    body = msgspec.json.encode({"type": "error", "error": {"type": "api_error", "message": why}})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _unless_gone(receive: Receive, work: Any) -> None:
    """Do something for a client, until it is done or the client has gone."""
    doing, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
    finally:
        for task in (doing, leaving):
            task.cancel()
        await asyncio.gather(doing, leaving, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
