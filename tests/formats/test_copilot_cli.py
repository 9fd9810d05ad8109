"""Copilot CLI: records of calls in new versions, output alone and totals at the end in old ones, and the store."""

import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from test_odd_values import defects

from command import Capture
from costscan.formats.copilot_cli import FORMAT
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


def streamed(call: str | None = None, agent: str | None = None, **more: Any) -> Json:
    """A call as `--output-format json` and the SDK tell it."""
    named = {} if call is None else {"apiCallId": call}
    told = line("assistant.usage", model=SONNET, **SPENT, **named, **more)
    return told if agent is None else {**told, "agentId": agent}


STREAM_ENDS: Json = {"type": "result", "sessionId": "s2", "exitCode": 0, "usage": {"premiumRequests": 1}}


@pytest.mark.parametrize("first", ["usage", "message"])
def test_a_streamed_usage_is_a_call_and_its_message_is_none(
    tmp_path: Path, capsys: Capture, first: str
) -> None:
    message = line("assistant.message", content="I look.", outputTokens=50)
    one = [streamed(), message][:: 1 if first == "usage" else -1]
    report = read_lines(capsys, tmp_path, ASKED, *one, *one, STREAM_ENDS)
    assert tokens(report.turns) == [CLASSES, CLASSES]
    assert report.runs["run_id"].to_list() == ["s2"]
    wrote = report.blocks.filter(kind="text", role="assistant")
    assert wrote["turn_in"].to_list() == [1, 2]


def test_streams_after_one_another_are_sessions_of_their_own(tmp_path: Path, capsys: Capture) -> None:
    second = {**STREAM_ENDS, "sessionId": "s3"}
    report = read_lines(capsys, tmp_path, ASKED, streamed(), STREAM_ENDS, ASKED, streamed(), second)
    assert sorted(report.runs["run_id"]) == ["s2", "s3"]


def test_a_call_that_two_events_tell_is_counted_once(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, START, ASKED, streamed("msg_1"), record(), answer(), end())
    assert tokens(report.turns) == [CLASSES]


def test_calls_of_a_sub_agent_are_a_run_under_the_session(tmp_path: Path, capsys: Capture) -> None:
    begins = {**line("subagent.started", toolCallId="t1", agentName="explore"), "agentId": "a1"}
    inside = {**record("msg_2"), "agentId": "a1"}
    report = read_lines(capsys, tmp_path, START, ASKED, record(), answer(), begins, inside, record("msg_3"))
    runs = report.runs.sort("run_id").select("run_id", "parent_run_id", "agent")
    assert runs.rows() == [("s1", None, None), ("s1/a1", "s1", "explore")]
    assert sorted(report.turns["run_id"]) == ["s1", "s1", "s1/a1"]


def summed_up(request: str = "req_9", **used: Any) -> Json:
    told = {
        "model": SONNET,
        "inputTokens": 1_100,
        "outputTokens": 40,
        "cacheReadTokens": 1_000,
        "cacheWriteTokens": 0,
    }
    return line(
        "session.compaction_complete",
        success=True,
        requestId=request,
        summaryContent="We counted ports.",
        compactionTokensUsed=used or told,
    )


def test_summing_a_conversation_up_is_a_call(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, START, ASKED, record(), answer(), summed_up(), record("msg_2"))
    assert tokens(report.turns) == [CLASSES, (100, 1_000, 0, 0, 40), CLASSES]
    assert report.summary.totals.usd_exact
    said = report.blocks.filter(kind="text").select("role", "turn_in", "turn_out").rows()
    assert said == [("user", 0, 2), ("assistant", 1, 2), ("user", 2, 3)]


@pytest.mark.parametrize("told", [{"providerCallId": "req_9"}, {"inputTokens": 1_100, "outputTokens": 40}])
def test_a_record_of_the_same_call_tells_it(tmp_path: Path, capsys: Capture, told: Json) -> None:
    events = [START, ASKED, record(), answer(), record("msg_2", **told), summed_up()]
    assert len(read_lines(capsys, tmp_path, *events).turns) == 2


def test_what_older_versions_wrote_to_sum_up_is_a_lower_bound(tmp_path: Path, capsys: Capture) -> None:
    old = summed_up(input=900, output=40, cachedInput=800)
    report = read_lines(capsys, tmp_path, START, ASKED, record(), answer(), old)
    assert tokens(report.turns)[1] == (100, 800, 0, 0, 40)
    assert not report.summary.totals.usd_exact


def test_no_value_is_a_defect(tmp_path: Path) -> None:
    for event in (streamed("msg_1", agent="a1"), summed_up(), STREAM_ENDS):
        assert defects(FORMAT, event, tmp_path / "events.jsonl", answer()) == []
