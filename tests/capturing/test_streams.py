"""Streams reach the program event by event, and the log whole, whichever way they end."""

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

from captured import ASKED, async_client, client, lines
from costscan.formats.api.sse import response_of
from model_server import Server


def _response(line: dict[str, Any]) -> dict[str, Any]:
    response = response_of(line["response_sse"])
    assert response is not None
    return response


def _is_whole(line: dict[str, Any]) -> bool:
    response = _response(line)
    return (response["usage"]["output_tokens"], response["content"][0]["text"]) == (100, "Yes.")


@pytest.mark.parametrize("encoded", [False, True])
def test_the_program_gets_events_before_the_stream_ends(server: Server, log: Path, *, encoded: bool) -> None:
    server.gate.clear()
    server.encoded = encoded
    stream = client(server, log).messages.create(stream=True, **ASKED)
    kinds = [next(stream).type for _ in range(3)]
    assert kinds == ["message_start", "content_block_start", "content_block_delta"]
    assert not log.exists()
    server.gate.set()
    assert [event.type for event in stream][-1] == "message_stop"
    (line,) = lines(log)
    assert _is_whole(line)
    assert line["request"]["stream"] is True
    assert 0 < line["ttft_ms"] < line["duration_ms"]
    assert "error" not in line


def test_streams_of_an_asynchronous_client(server: Server, log: Path) -> None:
    was_logged = log.exists

    async def ask() -> str:
        server.gate.clear()
        async with async_client(server, log) as own, own.messages.stream(**ASKED) as stream:
            async for text in stream.text_stream:
                assert text in ("Ye", "s.")
                assert server.gate.is_set() or not was_logged()
                server.gate.set()
            return await stream.get_final_text()

    assert asyncio.run(ask()) == "Yes."
    (line,) = lines(log)
    assert _is_whole(line)


def test_a_stream_that_the_program_leaves(server: Server, log: Path) -> None:
    server.gate.clear()
    with client(server, log).messages.create(stream=True, **ASKED) as stream:
        next(stream)
    (line,) = lines(log)
    assert line["error"] == "ClosedByProgram"
    assert _response(line)["usage"]["input_tokens"] == 1000


def test_a_stream_that_the_program_drops(server: Server, log: Path) -> None:
    server.gate.clear()
    gc.disable()
    try:
        stream = client(server, log).messages.create(stream=True, **ASKED)
        next(stream)
        del stream
        assert [line["error"] for line in lines(log)] == ["ClosedByProgram"]
    finally:
        gc.enable()


def test_a_stream_that_the_server_breaks_off(server: Server, log: Path) -> None:
    server.cut = True
    stream = client(server, log).messages.create(stream=True, **ASKED)
    with pytest.raises(Exception, match=r"peer closed|incomplete"):
        list(stream)
    (line,) = lines(log)
    assert line["error"] == "RemoteProtocolError"
    assert _response(line)["content"][0]["text"] == "Ye"


def test_bytes_read_by_hand(server: Server, log: Path) -> None:
    own = client(server, log)
    with own.messages.with_streaming_response.create(stream=True, **ASKED) as response:
        raw = b"".join(response.iter_bytes())
    (line,) = lines(log)
    assert line["response_sse"] == raw.decode()
