"""A client of OpenAI's whose transport logs its calls."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

import costscan
from captured import lines, report_of
from model_server import Server, completion

KEY = "sk-proj-0123456789abcdef"
CHAT: dict[str, Any] = {"model": "gpt-5.5", "messages": [{"role": "user", "content": f"Is {KEY} a key?"}]}


def _options(server: Server) -> dict[str, Any]:
    return {"api_key": KEY, "base_url": f"{server.url}/v1", "max_retries": 0}


def test_calls_and_streams(server: Server, log: Path) -> None:
    http = openai.DefaultHttpxClient(transport=costscan.capture_transport(log, task="ask"))
    with openai.OpenAI(**_options(server), http_client=http) as own, costscan.run("chat", run_id="r1"):
        assert own.chat.completions.create(**CHAT).choices[0].message.content == "Yes."
        told = own.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True})
        assert "".join(part.choices[0].delta.content or "" for part in told if part.choices) == "Yes."
        server.failures.append(400)
        with pytest.raises(openai.BadRequestError):
            own.chat.completions.create(**CHAT)
    plain, streamed, failed = lines(log)
    assert plain["response"] == completion("msg_000001")
    assert (plain["run_id"], plain["task"], plain["status"]) == ("r1", "chat", 200)
    assert plain["request"]["messages"][0]["content"] == "Is [key] a key?"
    assert 0 < streamed["ttft_ms"] <= streamed["duration_ms"]
    assert failed["status"] == 400
    assert KEY in str(server.headers[0])
    assert KEY not in log.read_text()
    turns = costscan.read(log).turns
    assert turns.select("input_tokens", "output_tokens").rows() == [(1000, 100), (1000, 100)]
    # GPT-5.5: 5 and 30 dollars a million tokens of input and output.
    once = (1000 * Decimal(5) + 100 * Decimal(30)) / 1_000_000
    assert report_of(log).summary.totals.usd == 2 * once


def test_an_asynchronous_client(server: Server, log: Path) -> None:
    async def ask() -> None:
        http = openai.DefaultAsyncHttpxClient(transport=costscan.capture_transport(log))
        async with openai.AsyncOpenAI(**_options(server), http_client=http) as own:
            await asyncio.gather(*(own.chat.completions.create(**CHAT) for _ in range(3)))

    asyncio.run(ask())
    assert {line["response"]["id"] for line in lines(log)} == {f"chatcmpl_00000{n}" for n in (1, 2, 3)}


def test_texts_stay_out(server: Server, log: Path) -> None:
    transport = costscan.capture_transport(log, redact="content", transport=httpx2.HTTPTransport())
    with httpx2.Client(transport=transport) as own:
        own.post(f"{server.url}/v1/chat/completions", json=CHAT).raise_for_status()
        own.post(f"{server.url}/v1/chat/completions", json={**CHAT, "stream": True}).raise_for_status()
        server.failures.append(400)
        own.post(f"{server.url}/v1/responses", json={"model": "m", "input": [{"content": "Is it?"}]})
        own.get(f"{server.url}/v1/models")
    text = log.read_text()
    assert "Yes" not in text
    assert "Is " not in text
    assert costscan.read(log).turns["output_tokens"].to_list() == [100, 100]


def test_an_api_that_cannot_be_reached(log: Path) -> None:
    with httpx2.Client(transport=costscan.capture_transport(log)) as own, pytest.raises(httpx2.ConnectError):
        own.post("http://127.0.0.1:9/v1/responses", json=CHAT)
    assert [line["error"] for line in lines(log)] == ["ConnectError"]
