"""Each call of a client is a line with what went over the wire, when, and what came back."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import anthropic
import pytest

from captured import ASKED, async_client, client, lines, report_of
from model_server import Server, message


def test_a_call_is_a_line(server: Server, log: Path) -> None:
    before = datetime.now(UTC)
    answer = client(server, log, task="ask", run_id="r1").messages.create(**ASKED)
    after = datetime.now(UTC)
    assert answer.id == "msg_000001"
    (line,) = lines(log)
    assert line["request"] == ASKED == server.seen[0][1]
    assert line["response"] == message("msg_000001")
    assert (line["run_id"], line["task"], line["status"], line["request_id"]) == ("r1", "ask", 200, "req_1")
    assert before <= datetime.fromisoformat(line["timestamp"]) <= after
    assert 0 < line["duration_ms"] <= (after - before).total_seconds() * 1000
    assert "attempts" not in line
    assert "error" not in line


def test_calls_of_an_asynchronous_client(server: Server, log: Path) -> None:
    async def ask() -> None:
        async with async_client(server, log) as own:
            await asyncio.gather(*(own.messages.create(**ASKED) for _ in range(5)))

    asyncio.run(ask())
    assert {line["response"]["id"] for line in lines(log)} == {f"msg_{n:06}" for n in range(1, 6)}


def test_what_is_not_billed_is_not_logged(server: Server, log: Path) -> None:
    own = client(server, log)
    counted = own.messages.count_tokens(model=ASKED["model"], messages=ASKED["messages"])
    assert counted.input_tokens == 7
    assert not log.exists()


def test_the_beta_interface_and_raw_responses(server: Server, log: Path) -> None:
    own = client(server, log)
    own.beta.messages.create(**ASKED)
    raw = own.messages.with_raw_response.create(**ASKED)
    assert raw.parse().id == "msg_000002"
    with own.messages.with_streaming_response.create(**ASKED) as response:
        assert len(lines(log)) == 2
        assert response.json() == message("msg_000003")
    assert [line["response"]["id"] for line in lines(log)] == ["msg_000001", "msg_000002", "msg_000003"]


def test_compressed_answers(server: Server, log: Path) -> None:
    server.encoded = True
    own = client(server, log)
    own.messages.create(**ASKED)
    with own.messages.with_streaming_response.create(**ASKED) as response:
        assert response.json() == message("msg_000002")
    assert [line["response"]["id"] for line in lines(log)] == ["msg_000001", "msg_000002"]


def test_requests_whose_json_has_line_feeds(server: Server, log: Path) -> None:
    """A text with line feeds, and with separators that Python takes for some, is one line."""
    messages = [{"role": "user", "content": "a\nb\r\u2028\x85c"}]
    client(server, log).messages.create(**{**ASKED, "messages": messages})
    assert [line["request"]["messages"] for line in lines(log)] == [messages]


def test_analyze_reads_the_log_with_exact_costs(server: Server, log: Path) -> None:
    own = client(server, log, task="ask")
    own.messages.create(**ASKED)
    with own.messages.stream(**ASKED) as stream:
        stream.until_done()
    server.failures.extend([529, 400])
    with pytest.raises(anthropic.BadRequestError):
        own.messages.create(**ASKED)
    report = report_of(log)
    # Sonnet 5.5: 2, 0.1 and 10 dollars a million tokens of input, cache reads and output.
    once = (1000 * Decimal(2) + 20000 * Decimal("0.1") + 100 * Decimal(10)) / 1_000_000
    assert report.turns.height == 2
    assert report.summary.totals.usd == 2 * once
    assert set(report.runs["task"]) == {"ask"}
    assert report.turns["duration_s"].null_count() == 0
