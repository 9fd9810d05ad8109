"""Copilot CLI: records of calls in new versions, output alone and totals at the end in old ones, and the store."""

import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from command import Capture
from logs import SONNET, Json, usd, write
from other_agents import read_alike, read_lines, recorded, taken_by, tokens

SPENT: Json = {"inputTokens": 1_000, "outputTokens": 50, "cacheReadTokens": 700, "cacheWriteTokens": 200}
CLASSES = (100, 700, 200, 0, 50)


def line(kind: str, **data: Any) -> Json:
    return {"type": kind, "data": data, "id": "e", "timestamp": "2026-11-02T10:00:05.000Z", "parentId": None}


START = line("session.start", sessionId="s1", context={"cwd": "/src/ports", "branch": "main"})
ASKED = line("user.message", content="Count the ports.", transformedContent="<now>Count the ports.")


def record(call: str = "msg_1", **more: Any) -> Json:
    usage = {"model": SONNET, **SPENT, "apiCallId": call, "cost": 3.0, "finishReason": "tool_calls", **more}
    return line("session.usage_record", usage=usage)


def answer(call: str = "msg_1", **more: Any) -> Json:
    wanted = [{"toolCallId": "t1", "name": "bash", "arguments": {"command": "ls"}}]
    return line(
        "assistant.message", model=SONNET, content="I look.", toolRequests=wanted, apiCallId=call, **more
    )


def end(count: int = 1, **usage: int) -> Json:
    own = {"requests": {"count": count, "cost": 1}, "usage": usage or SPENT}
    return line("session.shutdown", modelMetrics={SONNET: own}, totalPremiumRequests=1)


def test_a_record_is_a_call_whose_input_holds_the_cache(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, START, ASKED, record(), answer(), end())
    assert tokens(report.turns) == [CLASSES]
    assert report.summary.totals.usd == usd(SONNET, **{"in": 100}, read=700, w5m=200, out=50)
    assert recorded(report.turns) == [None]
    assert report.runs.select("run_id", "task", "project").rows() == [
        ("s1", "Count the ports.", "/src/ports")
    ]
    assert report.summary.totals.usd_exact


def test_results_are_sent_with_the_next_call(tmp_path: Path, capsys: Capture) -> None:
    failed = line("tool.execution_complete", toolCallId="t1", success=False, error={"message": "no folder"})
    more = record("msg_2", inputTokens=1_200)
    report = read_lines(capsys, tmp_path, START, ASKED, record(), answer(), failed, more)
    results = report.blocks.filter(report.blocks["kind"] == "tool_result")
    assert results.select("tool", "turn_in", "is_error").rows() == [("bash", 1, True)]


def test_a_session_that_was_killed_tells_its_output_alone(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, START, ASKED, answer(outputTokens=50))
    assert tokens(report.turns) == [(None, None, None, None, 50)]
    assert report.summary.totals.usd == usd(SONNET, out=50)
    assert not report.summary.totals.usd_exact


def test_the_totals_of_one_call_are_its_own(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, START, ASKED, answer(outputTokens=50), end())
    assert tokens(report.turns) == [CLASSES]
    assert report.turns["message_id"].to_list() == ["msg_1"]


def test_totals_fill_what_calls_do_not_tell(tmp_path: Path, capsys: Capture) -> None:
    calls = [answer(f"msg_{n}", outputTokens=25) for n in (1, 2)]
    report = read_lines(capsys, tmp_path, START, ASKED, *calls, end(2))
    spent = usd(SONNET, **{"in": 100}, read=700, w5m=200, out=50)
    assert report.summary.totals.usd == spent
    assert report.turns["output_tokens"].sum() == 50


def test_totals_that_are_all_zero_were_never_counted(tmp_path: Path, capsys: Capture) -> None:
    none = dict.fromkeys(SPENT, 0)
    report = read_lines(capsys, tmp_path, START, ASKED, answer(outputTokens=50), end(**none))
    assert tokens(report.turns) == [(None, None, None, None, 50)]


def stored(path: Path) -> None:
    with sqlite3.connect(path) as store:
        store.execute(
            "CREATE TABLE assistant_usage_events (id INTEGER, session_id TEXT, agent_id TEXT, model TEXT,"
            " input_tokens INT, output_tokens INT, cache_read_tokens INT, cache_write_tokens INT, created_at TEXT)"
        )
        row = (1, "s1", None, SONNET, 1_000, 50, 700, 200, "2026-11-02T10:00:05.009Z")
        store.execute("INSERT INTO assistant_usage_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    store.close()


@pytest.mark.parametrize("with_events", [True, False])
def test_the_store_tells_the_same_calls(tmp_path: Path, capsys: Capture, *, with_events: bool) -> None:
    stored(tmp_path / "session-store.db")
    if with_events:
        write(tmp_path / "events.jsonl", START, ASKED, record(), answer())
    report = read_alike(capsys, tmp_path)
    assert tokens(report.turns) == [CLASSES]
    assert report.turns["run_id"].to_list() == ["s1"]
    assert report.summary.totals.usd == Decimal("0.00201")


def test_no_other_format_takes_its_lines() -> None:
    assert taken_by(START, ASKED, record(), answer(), end()) == ["copilot_cli"]
