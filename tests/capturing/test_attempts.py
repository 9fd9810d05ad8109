"""The attempts of a call are one line; a call that failed for good is a line that costs nothing."""

import asyncio
import subprocess
import sys
from pathlib import Path

import anthropic
import pytest

import costscan
from captured import ASKED, async_client, client, lines
from costscan.capturing import attempts
from model_server import Server


@pytest.mark.parametrize("streamed", [False, True])
def test_attempts_before_an_answer(server: Server, log: Path, *, streamed: bool) -> None:
    server.failures.extend([429, 529])
    answer = client(server, log).messages.create(stream=streamed, **ASKED)
    if isinstance(answer, anthropic.Stream):
        list(answer)
    (line,) = lines(log)
    assert [attempt["status"] for attempt in line["attempts"]] == [429, 529]
    assert [attempt["request_id"] for attempt in line["attempts"]] == ["req_1", "req_2"]
    assert line["status"] == 200
    assert line["request_id"] == "req_3"
    first, second = line["attempts"]
    assert first["timestamp"] < second["timestamp"] < line["timestamp"]


def test_a_call_that_never_succeeds(server: Server, log: Path) -> None:
    server.failures.extend([500] * 3)
    with pytest.raises(anthropic.InternalServerError):
        client(server, log).messages.create(**ASKED)
    (line,) = lines(log)
    assert line["response"]["error"]["type"] == "overloaded_error"
    assert len(line["attempts"]) == 2


def test_attempts_of_calls_at_the_same_time(server: Server, log: Path) -> None:
    server.failures.extend([529] * 4)

    async def ask() -> None:
        async with async_client(server, log) as own:
            patient = own.with_options(max_retries=9)
            await asyncio.gather(*(patient.messages.create(**ASKED) for _ in range(4)))

    asyncio.run(ask())
    found = lines(log)
    assert len(found) == 4
    assert sum(len(line.get("attempts", [])) for line in found) == 4
    assert {line["status"] for line in found} == {200}


def test_a_call_without_a_connection(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How often a client tries is not told with an error: the line waits until nothing can follow it."""
    middleware = costscan.capture(log)
    own = anthropic.Anthropic(api_key="k", base_url="http://127.0.0.1:9", middleware=[middleware])
    monkeypatch.setattr(own, "_calculate_retry_timeout", lambda *_: 0)
    with pytest.raises(anthropic.APIConnectionError):
        own.messages.create(**ASKED)
    assert not log.exists()
    middleware._waiting.let_go()
    (line,) = lines(log)
    assert line["error"] == line["response"]["error"]["type"] == "APIConnectionError"
    assert line["request"] == ASKED
    assert [attempt["error"] for attempt in line["attempts"]] == ["APIConnectionError"] * 2


def test_calls_without_a_connection_are_logged_when_the_program_ends(log: Path) -> None:
    code = (
        "import anthropic, costscan, sys\n"
        "own = anthropic.Anthropic(api_key='k', base_url='http://127.0.0.1:9', max_retries=0,"
        " middleware=[costscan.capture(sys.argv[1])])\n"
        "own.messages.create(model='m', max_tokens=1, messages=[])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(log)], capture_output=True, text=True, check=False)
    assert "APIConnectionError" in done.stderr
    assert [line["error"] for line in lines(log)] == ["APIConnectionError"]


def test_what_a_later_call_lets_go(server: Server, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "LONGEST_PAUSE_S", -1)
    middleware = costscan.capture(log)
    lost = anthropic.Anthropic(
        api_key="k", base_url="http://127.0.0.1:9", max_retries=0, middleware=[middleware]
    )
    with pytest.raises(anthropic.APIConnectionError):
        lost.messages.create(**ASKED)
    assert not log.exists()
    anthropic.Anthropic(api_key="k", base_url=server.url, middleware=[middleware]).messages.create(**ASKED)
    assert [line.get("error") for line in lines(log)] == ["APIConnectionError", None]


def test_a_call_that_is_cancelled(server: Server, log: Path) -> None:
    server.gate.clear()

    async def ask() -> None:
        async with async_client(server, log) as own:
            task = asyncio.ensure_future(own.messages.create(**{**ASKED, "stream": True}))
            stream = await task
            reading = asyncio.ensure_future(_read(stream))
            await asyncio.sleep(0.02)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading

    asyncio.run(ask())
    (line,) = lines(log)
    assert line["error"] in ("CancelledError", "ClosedByProgram")


async def _read(stream: anthropic.AsyncStream[object]) -> None:
    async for _ in stream:
        pass
