"""The body of a response that the program reads as it arrives, overheard chunk by chunk."""

import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any, Final, Protocol

import httpx2

_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32
_ZLIB: Final = frozenset({"gzip", "x-gzip", "deflate"})


class Listener(Protocol):
    """Hears a body: its chunks without their content coding, then once that it ended."""

    def feed(self, chunk: bytes) -> None:
        """Hear the next bytes."""
        ...

    def end(self, error: BaseException | None, *, is_whole: bool) -> None:
        """Hear that no more bytes come: `error` broke it off, or the program closed it before its end."""
        ...


Failed = Callable[[Exception], None]
"""Gets what went wrong while listening; must not raise."""


class _Ear:
    """Passes chunks on to a listener, decoded, and the end once. Nothing that goes wrong there is raised."""

    def __init__(self, listener: Listener, coding: str, failed: Failed) -> None:
        self._listener, self._coding, self._failed = listener, coding, failed
        self._undecoded: list[bytes] = []
        self._decode: Callable[[bytes], bytes] | None = None
        if coding in ("", "identity"):
            self._decode = bytes
        elif coding in _ZLIB:
            self._decode = zlib.decompressobj(_GZIP_OR_ZLIB).decompress
        self._has_ended = False

    def feed(self, chunk: bytes) -> None:
        if self._has_ended:
            return
        try:
            if self._decode is None:
                self._undecoded.append(chunk)
            else:
                self._listener.feed(self._decode(chunk))
        except Exception as error:  # noqa: BLE001
            self._has_ended = True
            self._failed(error)

    def end(self, error: BaseException | None = None, *, is_whole: bool = False) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        try:
            if self._undecoded:
                headers = {"content-encoding": self._coding}
                coded = b"".join(self._undecoded)
                self._listener.feed(httpx2.Response(200, headers=headers, content=coded).content)
            self._listener.end(error, is_whole=is_whole)
        except Exception as fault:  # noqa: BLE001
            self._failed(fault)


class _Body:
    """What both kinds of body share."""

    stream_observer = None
    """The SDK looks for its own at each event: that it is not here must not take long to find out."""

    def __init__(self, body: Any, ear: _Ear) -> None:
        self._body, self._ear = body, ear

    @property
    def elapsed(self) -> timedelta | None:
        """What `Response.elapsed` is read from."""
        return getattr(self._body, "elapsed", None)

    def __del__(self) -> None:
        # A program may drop a response without reading or closing it.
        self._ear.end()


class SyncBody(_Body, httpx2.SyncByteStream):
    """A body that a synchronous client reads."""

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._body:
                self._ear.feed(chunk)
                yield chunk
        except Exception as error:
            self._ear.end(error)
            raise
        self._ear.end(is_whole=True)

    def close(self) -> None:
        """Close the body underneath."""
        self._ear.end()
        self._body.close()


class AsyncBody(_Body, httpx2.AsyncByteStream):
    """A body that an asynchronous client reads."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = self._body.__aiter__()
        try:
            async for chunk in chunks:
                self._ear.feed(chunk)
                yield chunk
            self._ear.end(is_whole=True)
        except Exception as error:
            self._ear.end(error)
            raise
        finally:
            # In the task that read it, else the event loop closes it in another.
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

    async def aclose(self) -> None:
        """Close the body underneath."""
        self._ear.end()
        await self._body.aclose()


def overhear(response: httpx2.Response, listener: Listener, failed: Failed) -> None:
    """Have a listener hear the body of a response, at once where it has been read already.

    Args:
        response: the response. The listener must not refer to it: a stream that a program drops is closed
            when nothing does.
        listener: hears it.
        failed: gets what the listener raises.
    """
    if response.is_stream_consumed:
        ear = _Ear(listener, "", failed)
        ear.feed(response.content)
        ear.end(is_whole=True)
        return
    ear = _Ear(listener, response.headers.get("content-encoding", "").strip().lower(), failed)
    kind = SyncBody if isinstance(response.stream, httpx2.SyncByteStream) else AsyncBody
    response.stream = kind(response.stream, ear)
