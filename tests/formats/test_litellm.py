"""LiteLLM's log of calls: prompt counters that hold the cache, a recorded cost, whole prompts."""

from base64 import b64encode
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from command import Capture
from logs import HAIKU, Json, usd
from other_agents import read_alike, read_lines, recorded, taken_by, tokens
from tables_of import csv_of, parquet_at

SYSTEM: Json = {"role": "system", "content": "You are careful."}
ASKED: Json = {"role": "user", "content": "Count the ports."}
TOOL: Json = {"type": "function", "function": {"name": "bash", "parameters": {"type": "object"}}}
ANSWER: Json = {
    "role": "assistant",
    "content": "I look.",
    "tool_calls": [{"id": "t1", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}],
}
RESULT: Json = {"role": "tool", "tool_call_id": "t1", "content": "porto.txt"}


def used(**details: Any) -> Json:
    return {
        "prompt_tokens": 1_000,
        "completion_tokens": 50,
        "total_tokens": 1_050,
        "completion_tokens_details": {"reasoning_tokens": 20},
        "prompt_tokens_details": details,
    }


def call(call_id: str = "c1", usage: Json | None = None, **more: Any) -> Json:
    return {
        "id": call_id,
        "trace_id": "run-1",
        "session_id": "",
        "call_type": "completion",
        "status": "success",
        "cache_hit": None,
        "custom_llm_provider": "anthropic",
        "startTime": 1_793_613_600.5,
        "endTime": 1_793_613_603.0,
        "model": HAIKU,
        "metadata": {"usage_object": used(cached_tokens=700) if usage is None else usage},
        "response_cost": 0.25,
        "cost_breakdown": {"input_cost": 0.2, "cache_read_cost": 0.1, "output_cost": 0.05},
        "prompt_tokens": 1_000,
        "completion_tokens": 50,
        "total_tokens": 1_050,
        "messages": [SYSTEM, ASKED],
        "model_parameters": {"tools": [TOOL]},
        "response": {"choices": [{"finish_reason": "tool_calls", "message": ANSWER}]},
        **more,
    }


def test_the_prompt_counter_holds_what_was_cached(tmp_path: Path, capsys: Capture) -> None:
    split = {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40}
    usage = used(cached_tokens=700, cache_creation_tokens=100, cache_creation_token_details=split)
    report = read_lines(capsys, tmp_path, call(usage=usage))
    assert tokens(report.turns) == [(200, 700, 60, 40, 50)]
    assert report.turns["thinking_tokens"].to_list() == [20]
    assert report.summary.totals.usd == usd(HAIKU, **{"in": 200}, read=700, w5m=60, w1h=40, out=50)
    assert recorded(report.turns) == [Decimal("0.25")]
    assert report.turns["duration_s"].to_list() == [2.5]


def test_writes_for_twelve_hours_have_no_known_price(tmp_path: Path, capsys: Capture) -> None:
    split = {"ephemeral_12h_input_tokens": 40}
    usage = used(cached_tokens=0, cache_creation_tokens=40, cache_creation_token_details=split)
    report = read_lines(capsys, tmp_path, call(usage=usage))
    assert report.turns["cache_write_1h_tokens"].to_list() == [None]
    assert not report.summary.totals.usd_exact


@pytest.mark.parametrize(
    "told", ["resp_68af4030592c81938ec0a5fbab4a3e9f05438e46b5f69a3b", "resp_!", "resp_", "c1"]
)
def test_an_id_that_wraps_that_of_the_provider(told: str, tmp_path: Path, capsys: Capture) -> None:
    inside = f"litellm:custom_llm_provider:openai;model_id:None;response_id:{told}"
    wrapped = f"resp_{b64encode(inside.encode()).decode()}"
    report = read_lines(capsys, tmp_path, call(wrapped), call(told))
    assert report.turns["message_id"].to_list() == [told]


def test_answers_of_its_own_store_and_failures_are_no_calls(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(
        capsys, tmp_path, call(), call("c2", cache_hit=True), call("c3", status="failure", response_cost=0)
    )
    assert report.turns["message_id"].to_list() == ["c1"]
    assert report.summary.inputs.unknown == []


def test_a_call_that_two_callbacks_wrote_counts_once(tmp_path: Path, capsys: Capture) -> None:
    assert read_lines(capsys, tmp_path, call(), call()).turns.height == 1


def test_a_row_without_a_split_does_not_tell_the_prompt(tmp_path: Path, capsys: Capture) -> None:
    row: Json = {
        "request_id": "c1",
        "call_type": "acompletion",
        "spend": 0.25,
        "startTime": "2026-11-02T10:00:00Z",
        "endTime": "2026-11-02T10:00:02Z",
        "model": HAIKU,
        "prompt_tokens": 1_000,
        "completion_tokens": 50,
        "total_tokens": 1_050,
        "metadata": "{}",
    }
    report = read_lines(capsys, tmp_path, row)
    assert tokens(report.turns) == [(None, None, 0, 0, 50)]
    assert report.summary.totals.usd == usd(HAIKU, out=50)
    assert not report.summary.totals.usd_exact
    assert recorded(report.turns) == [Decimal("0.25")]


SPEND: Json = {
    "request_id": "c1",
    "call_type": "acompletion",
    "spend": 0.25,
    "total_tokens": 1_050,
    "prompt_tokens": 1_000,
    "completion_tokens": 50,
    "startTime": "2026-11-02 10:00:00.5",
    "endTime": "2026-11-02 10:00:03",
    "model": HAIKU,
    "metadata": {
        "additional_usage_values": {"cache_read_input_tokens": 700, "cache_creation_input_tokens": 100}
    },
    "cache_hit": "False",
    "messages": {},
    "response": {"choices": [{"finish_reason": "stop", "message": {"content": "Two."}}]},
    "session_id": "run-1",
    "end_user": "ann",
    "proxy_server_request": {"messages": [SYSTEM, ASKED], "tools": [TOOL]},
}


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_spend_logs_come_as_csv_too(tmp_path: Path, capsys: Capture, delimiter: str) -> None:
    path = tmp_path / "LiteLLM_SpendLogs.csv"
    again = {**SPEND, "request_id": "c2", "cache_hit": "True"}
    path.write_text(csv_of([SPEND, again, {**SPEND, "request_id": "c3", "status": "failure"}], delimiter))
    report = read_alike(capsys, tmp_path)
    assert tokens(report.turns) == [(200, 700, 100, 0, 50)]
    assert report.summary.totals.usd == usd(HAIKU, **{"in": 200}, read=700, w5m=100, out=50)
    assert recorded(report.turns) == [Decimal("0.25")]
    assert report.turns["line"].to_list() == [2]
    assert report.turns["duration_s"].to_list() == [2.5]
    assert report.runs.select("run_id", "task", "user").rows() == [("run-1", "Count the ports.", "ann")]
    assert {"tools", "system", "messages"} <= set(report.blocks["layer"])


def test_spend_logs_come_as_parquet_too(tmp_path: Path, capsys: Capture) -> None:
    texts = {"metadata", "messages", "response", "proxy_server_request"}
    columns = {name: pa.array([str(value) if name in texts else value]) for name, value in SPEND.items()} | {
        "metadata": pa.array([SPEND["metadata"]])
    }
    report = read_alike(capsys, parquet_at(tmp_path / "spend.parquet", columns))
    assert tokens(report.turns) == [(200, 700, 100, 0, 50)]
    assert report.turns["line"].to_list() == [1]


def test_a_prompt_that_goes_on_carries_what_was_in_it(tmp_path: Path, capsys: Capture) -> None:
    later = call("c2", messages=[SYSTEM, ASKED, ANSWER, RESULT])
    report = read_lines(capsys, tmp_path, call(), later)
    assert report.turns["run_id"].to_list() == ["run-1", "run-1"]
    blocks = report.blocks.filter(report.blocks["kind"] != "hidden").sort("block")
    placed = blocks.select("layer", "kind", "turn_in").rows()
    assert placed[:6] == [
        ("tools", "tool_def", 0),
        ("system", "system", 0),
        ("messages", "text", 0),
        ("messages", "text", 1),
        ("messages", "tool_use", 1),
        ("messages", "tool_result", 1),
    ]


def test_messages_that_are_not_logged_leave_the_bill_exact(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, call(messages="redacted-by-litellm", response={}))
    assert tokens(report.turns) == [(300, 700, 0, 0, 50)]
    assert report.summary.totals.usd_exact


def test_no_other_format_takes_its_lines() -> None:
    assert taken_by(call()) == ["litellm"]


@pytest.mark.parametrize(
    ("split", "ttl"),
    [
        ({"ephemeral_30m_input_tokens": 100}, "30m"),
        ({"ephemeral_5m_input_tokens": 100}, None),
        ({"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40}, None),
        (None, "unknown"),
    ],
)
def test_how_long_writes_live_is_told_or_unknown(
    split: Json | None, ttl: str | None, tmp_path: Path, capsys: Capture
) -> None:
    more = {} if split is None else {"cache_creation_token_details": split}
    report = read_lines(
        capsys, tmp_path, call(usage=used(cached_tokens=700, cache_creation_tokens=100, **more))
    )
    assert report.turns["cache_write_ttl"].to_list() == [ttl]
    short = report.turns["cache_write_5m_tokens"][0]
    assert report.summary.totals.cache_write_other_tokens == (short if ttl else 0)


def test_nothing_written_has_no_lifetime(tmp_path: Path, capsys: Capture) -> None:
    assert read_lines(capsys, tmp_path, call()).turns["cache_write_ttl"].to_list() == [None]


@pytest.mark.parametrize(
    ("more", "is_exact"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 700, "audio_tokens": 40}}, False),
        ({"prompt_tokens_details": {"cached_tokens": 700, "audio_tokens": 0, "image_tokens": 40}}, True),
        ({"completion_tokens_details": {"audio_tokens": 40}}, False),
        ({"completion_tokens_details": {"image_tokens": 40}}, False),
    ],
)
def test_tokens_that_cost_more_than_text_make_a_lower_bound(
    more: Json, is_exact: bool, tmp_path: Path, capsys: Capture
) -> None:
    report = read_lines(capsys, tmp_path, call(usage=used(cached_tokens=700) | more))
    assert report.summary.totals.usd_exact is is_exact
    # 300 at 1, 700 at 0.10 and 50 at 5 USD a million, as text.
    assert report.summary.totals.usd == Decimal("0.00062")


def test_the_first_token_of_a_stream(capsys: Capture, tmp_path: Path) -> None:
    """Where nothing was streamed it says that the first token came with the end."""
    report = read_lines(
        capsys,
        tmp_path,
        call("c1", completionStartTime=1_793_613_601.75),
        call("c2", completionStartTime=1_793_613_603.0),
        call("c3", completionStartTime="soon"),
    )
    assert report.turns.sort("message_id")["first_token_s"].to_list() == [1.25, None, None]
