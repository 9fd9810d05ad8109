"""Many streams through the proxy at once: none waits for another one, and each is logged once, as it was billed."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from captured import ASKED, lines, proxied, report_of
from model_server import MODEL, Server, events, sse

STREAMS = 50
WAIT_S = 30
"""The server lets a stream that has begun wait for twice as long."""


def test_fifty_streams_at_once(server: Server, log: Path) -> None:
    """No stream goes on after its first token before each client has read the beginning of its own."""
    server.gate.clear()
    server.usage_of = _usage
    have_begun = threading.Barrier(STREAMS, action=server.gate.set)
    with proxied(server.url, log) as address, ThreadPoolExecutor(STREAMS) as clients:
        came = list(clients.map(lambda nth: _stream(address, nth, have_begun), range(STREAMS)))
    for nth, (before, after) in enumerate(came):
        start = json.loads(before.split(b"data: ")[1].split(b"\n")[0])
        told = [sse(event) for event in events(start["message"]["id"], _usage(_asked(nth)))]
        assert before == b"".join(told[:3])
        assert before + after == b"".join(told)
    _are_logged_once(log, [before + after for before, after in came])


def _are_logged_once(log: Path, came: list[bytes]) -> None:
    logged = {line["request"]["messages"][0]["content"]: line for line in lines(log)}
    assert len(lines(log)) == len(logged) == STREAMS
    for nth, body in enumerate(came):
        line = logged[f"Question {nth}."]
        assert line["response_sse"].encode() == body
        assert "error" not in line
    report = report_of(log)
    # Sonnet 5.5: 2 dollars a million tokens of input, 10 of output.
    usd = [(Decimal(1000 + nth) * 2 + Decimal(10 + nth) * 10) / 1_000_000 for nth in range(STREAMS)]
    assert report.summary.totals.usd == sum(usd)
    first = sorted(line["ttft_ms"] / 1000 for line in logged.values())
    assert report.turns["first_token_s"].sort().to_list() == pytest.approx(first)
    billed = report.turns.select("input_tokens", "output_tokens").rows()
    assert sorted(billed) == [(1000 + nth, 10 + nth) for nth in range(STREAMS)]


def _asked(nth: int) -> dict[str, Any]:
    content = [{"role": "user", "content": f"Question {nth}."}]
    return {**ASKED, "model": MODEL, "messages": content, "stream": True}


def _usage(body: dict[str, Any]) -> dict[str, int]:
    """Return what the request of a number is billed."""
    nth = int(body["messages"][0]["content"].split()[1].strip("."))
    return {"input_tokens": 1000 + nth, "output_tokens": 10 + nth}


def _stream(address: str, nth: int, have_begun: threading.Barrier) -> tuple[bytes, bytes]:
    """Return what came of a stream before all had begun, and after that."""
    url = f"{address}/anthropic/v1/messages"
    before = b""
    with httpx2.stream("POST", url, json=_asked(nth), timeout=WAIT_S) as response:
        chunks = response.iter_raw()
        while before.count(b"\n\n") < 3:
            before += next(chunks)
        have_begun.wait(WAIT_S)
        return before, b"".join(chunks)
