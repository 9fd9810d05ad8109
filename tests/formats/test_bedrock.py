"""Bedrock's invocation log: bodies of Claude and of Converse, and records that have none."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import costscan
from command import Capture
from costscan.formats.bedrock import ELSEWHERE
from costscan.formats.interface import LogFile
from costscan.ingest import kept_readings
from costscan.ingest.walk import is_log
from logs import HAIKU, Json, assistant, message, usage, usd, write
from other_agents import read_alike, read_lines, taken_by, tokens

MODEL = "global.anthropic.claude-haiku-4-5-20251001-v1:0"
USD = usd(HAIKU, **{"in": 100}, read=4_000, w5m=300, out=50)
BODY: Json = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 1_000,
    "system": [{"type": "text", "text": "You count.", "cache_control": {"type": "ephemeral"}}],
    "messages": [{"role": "user", "content": "Count the ports."}],
}
NAMED = "msg_bdrk_01AbCdEfGhJkMnPqRs"
ANSWER = message(NAMED, usage(100, read=4_000, w5m=300, out=50), model=HAIKU)


def record(request: Any = BODY, answer: Any = ANSWER, number: str = "r1", **more: Any) -> Json:
    asked = {"inputContentType": "application/json", "inputBodyJson": request, "inputTokenCount": 100}
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": "2026-11-02T10:00:00Z",
        "accountId": "123456789012",
        "identity": {"arn": "arn:aws:iam::123456789012:user/ann"},
        "region": "us-east-1",
        "requestId": number,
        "operation": "InvokeModel",
        "modelId": MODEL,
        "input": {**asked, "cacheReadInputTokenCount": 4_000, "cacheWriteInputTokenCount": 300},
        "output": {"outputBodyJson": answer, "outputTokenCount": 50},
        **more,
    }


def converse(used: Json, **more: Any) -> Json:
    """Return a record of Converse: a tool was called, and its result is cached for an hour."""
    result = {"toolUseId": "t1", "content": [{"text": "ports.txt"}], "status": "success"}
    request = {
        "system": [{"text": "You count."}],
        "messages": [
            {"role": "user", "content": [{"text": "Count the ports."}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "ls", "input": {}}}]},
            {
                "role": "user",
                "content": [{"toolResult": result}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
            },
        ],
        "toolConfig": {"tools": [{"toolSpec": {"name": "ls", "inputSchema": {"json": {"type": "object"}}}}]},
    }
    answer = {
        "output": {"message": {"role": "assistant", "content": [{"text": "Two."}]}},
        "stopReason": "end_turn",
        "metrics": {"latencyMs": 2_000},
        "usage": used,
    }
    return record(request, answer, operation="Converse", **more)


def test_the_usage_of_the_answer_is_billed(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, record())
    assert tokens(report.turns) == [(100, 4_000, 300, 0, 50)]
    assert report.summary.totals.usd == USD == Decimal("0.001125")
    assert report.turns.select("model", "message_id").rows() == [("claude-haiku-4-5", NAMED)]
    assert report.blocks.filter(kind="system").select("chars", "breakpoint").rows() == [(10, "5m")]
    assert report.runs["task"].to_list() == ["Count the ports."]
    assert report.runs["user"].to_list() == ["user/ann"]


def test_lifetimes_of_writes_are_in_the_body_alone(tmp_path: Path, capsys: Capture) -> None:
    answer = message(NAMED, usage(100, read=4_000, w5m=100, w1h=200, out=50))
    assert tokens(read_lines(capsys, tmp_path, record(answer=answer)).turns) == [(100, 4_000, 100, 200, 50)]


@pytest.mark.parametrize(
    ("model", "share"),
    [
        pytest.param(MODEL, "1", id="global"),
        pytest.param("us.anthropic.claude-haiku-4-5-20251001-v1:0", "1.1", id="United States"),
        pytest.param("anthropic.claude-haiku-4-5-20251001-v1:0", "1.1", id="in the region"),
        pytest.param(
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
            "1.1",
            id="profile",
        ),
    ],
)
def test_the_model_id_tells_the_price_of_the_region(
    tmp_path: Path, capsys: Capture, model: str, share: str
) -> None:
    assert read_lines(capsys, tmp_path, record(modelId=model)).summary.totals.usd == USD * Decimal(share)


def test_behind_a_profile_of_ones_own_the_body_tells_the_model(tmp_path: Path, capsys: Capture) -> None:
    own = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"
    report = read_lines(capsys, tmp_path, record(modelId=own))
    assert report.summary.totals.usd == USD
    assert not report.summary.totals.usd_exact
    unknown = read_lines(capsys, tmp_path, record(answer=None, modelId=own))
    assert unknown.summary.totals.usd is None


@pytest.mark.parametrize("cut", [pytest.param(False, id="whole"), pytest.param(True, id="cut off")])
def test_a_stream_is_put_together_from_its_chunks(tmp_path: Path, capsys: Capture, cut: bool) -> None:
    started = {**message(NAMED, usage(100, read=4_000, w5m=300, out=1)), "stop_reason": None}
    chunks = [
        {"type": "message_start", "message": started},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Two."}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 50}},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"outputTokenCount": 50}},
    ]
    told = record(answer=chunks[:3] if cut else chunks, operation="InvokeModelWithResponseStream")
    report = read_lines(capsys, tmp_path, told)
    assert tokens(report.turns) == [(100, 4_000, 300, 0, 50)]
    assert report.blocks.filter(role="assistant")["chars"].to_list() == [4]


def test_converse_is_read_like_the_messages_api(tmp_path: Path, capsys: Capture) -> None:
    used = {
        "inputTokens": 100,
        "outputTokens": 50,
        "totalTokens": 4_450,
        "cacheReadInputTokens": 4_000,
        "cacheWriteInputTokens": 300,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 200}, {"ttl": "5m", "inputTokens": 100}],
    }
    report = read_lines(capsys, tmp_path, converse(used))
    assert tokens(report.turns) == [(100, 4_000, 100, 200, 50)]
    assert report.turns.select("stop_reason", "duration_s").rows() == [("end_turn", 2.0)]
    results = report.blocks.filter(kind="tool_result")
    assert results.select("tool", "chars", "breakpoint").rows() == [("ls", 9, "1h")]
    assert report.blocks.filter(kind="tool_def")["tool"].to_list() == ["ls"]


def test_without_details_writes_live_five_minutes(tmp_path: Path, capsys: Capture) -> None:
    used = {
        "inputTokens": 100,
        "outputTokens": 50,
        "cacheReadInputTokens": 4_000,
        "cacheWriteInputTokens": 300,
    }
    assert tokens(read_lines(capsys, tmp_path, converse(used)).turns) == [(100, 4_000, 300, 0, 50)]


NUMBER = "0a1b2c3d-1111-2222-3333-444455556666"


def apart(name: str = f"{NUMBER}_input.json.gz", answer: str = f"{NUMBER}_output.json.gz") -> Json:
    """Return a record whose bodies are in objects of their own."""
    told = record(number=NUMBER)
    told["input"] |= {"inputBodyJson": None, "inputBodyS3Path": f"s3://logs/AWSLogs/data/{name}"}
    told["output"] = {"outputBodyS3Path": f"s3://logs/AWSLogs/data/{answer}", "outputTokenCount": 50}
    return told


def put(folder: Path, side: str, body: Any) -> None:
    (folder / "data").mkdir(exist_ok=True)
    packed = gzip.compress(json.dumps(body).encode())
    (folder / "data" / f"{NUMBER}_{side}.json.gz").write_bytes(packed)


def test_bodies_that_are_elsewhere_leave_the_counts(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, apart())
    assert tokens(report.turns) == [(100, 4_000, 300, 0, 50)]
    assert report.summary.totals.usd == USD
    assert report.turns["usage_from"].to_list() == ["reported"]
    assert set(report.blocks["kind"]) <= {"hidden"}
    assert report.summary.inputs.unknown == [{"kind": ELSEWHERE, "other": False, "lines": 1, "files": 1}]


@pytest.mark.parametrize("as_folder", [False, True])
def test_bodies_beside_the_records_are_read(tmp_path: Path, capsys: Capture, as_folder: bool) -> None:
    """The lifetimes of writes, the system prompt and the task are in the bodies alone; they are no logs."""
    put(tmp_path, "input", BODY)
    put(tmp_path, "output", message(NAMED, usage(100, read=4_000, w5m=100, w1h=200, out=50), model=HAIKU))
    log = write(tmp_path / "log.jsonl", apart())
    report = read_alike(capsys, tmp_path if as_folder else log)
    assert tokens(report.turns) == [(100, 4_000, 100, 200, 50)]
    assert report.turns["message_id"].to_list() == [NAMED]
    assert report.blocks.filter(kind="system").select("chars", "breakpoint").rows() == [(10, "5m")]
    assert report.runs["task"].to_list() == ["Count the ports."]
    inputs = report.summary.inputs
    assert (inputs.unknown, inputs.skipped, inputs.files) == ([], [], 1)


def test_bodies_are_told_from_logs_by_their_names() -> None:
    assert not any(
        is_log(Path(f"{NUMBER}_{side}.json{packed}"))
        for side in ("input", "output")
        for packed in ("", ".gz")
    )
    assert all(map(is_log, map(Path, ("my_input.json.gz", f"{NUMBER}.json", f"{NUMBER}_inputs.json"))))


def test_a_stream_in_an_object_of_its_own_is_put_together(tmp_path: Path, capsys: Capture) -> None:
    put(tmp_path, "input", BODY)
    put(tmp_path, "output", [{"type": "message_start", "message": ANSWER}])
    report = read_alike(capsys, write(tmp_path / "log.jsonl", apart()))
    assert report.turns["message_id"].to_list() == [NAMED]


@pytest.mark.parametrize("damage", [b"", b"\x1f\x8b\x08 no gzip", gzip.compress(b"{", mtime=0)[:-9]])
def test_a_damaged_object_is_as_if_it_were_not_there(tmp_path: Path, capsys: Capture, damage: bytes) -> None:
    put(tmp_path, "output", ANSWER)
    (tmp_path / "data" / f"{NUMBER}_input.json.gz").write_bytes(damage)
    report = read_alike(capsys, write(tmp_path / "log.jsonl", apart()))
    assert report.summary.totals.usd == USD
    assert report.summary.inputs.unknown_lines == 1


@pytest.mark.parametrize("name", ["..", ".hidden", "a\x00b", "", "x" * 300])
def test_a_name_that_leads_elsewhere_is_no_object(tmp_path: Path, capsys: Capture, name: str) -> None:
    report = read_lines(capsys, tmp_path, apart(name, name))
    assert report.summary.totals.usd == USD
    assert report.summary.inputs.unknown_lines == 1


def test_bodies_that_come_later_are_read_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costscan.ingest.kept_readings._SETTLED_NS", -(10**12))
    log = write(tmp_path / "log.jsonl", apart())
    before = kept_readings.key_of(LogFile(str(log)))
    assert before is not None
    assert kept_readings.key_of(LogFile(str(log))) == before
    put(tmp_path, "input", BODY)
    assert kept_readings.key_of(LogFile(str(log))) != before


def test_a_record_that_does_not_tell_of_the_cache_leaves_it_unknown(tmp_path: Path, capsys: Capture) -> None:
    told = record({"inputText": "Hi"}, {"results": []}, modelId="amazon.titan-text-express-v1")
    told["input"] = {"inputBodyJson": {"inputText": "Hi"}, "inputTokenCount": 7}
    report = read_lines(capsys, tmp_path, told)
    assert tokens(report.turns) == [(7, None, None, None, 50)]
    assert report.summary.totals.usd is None


def test_an_error_costs_nothing(tmp_path: Path, capsys: Capture) -> None:
    failed = record(answer=None, number="r2", errorCode="ThrottlingException")
    report = read_lines(capsys, tmp_path, record(), failed)
    assert report.summary.totals.usd == USD
    assert report.summary.inputs.unknown == []


def test_a_record_delivered_twice_is_one_call(tmp_path: Path, capsys: Capture) -> None:
    """Once to S3 with its bodies, and once where they were too large."""
    bare = record()
    bare["input"]["inputBodyJson"] = bare["output"]["outputBodyJson"] = None
    assert read_lines(capsys, tmp_path, record(), record(), bare).summary.totals.usd == USD


def test_a_log_of_the_client_tells_the_same_call(tmp_path: Path) -> None:
    write(tmp_path / "bedrock.jsonl", record())
    line = assistant(NAMED, usage(100, read=4_000, w5m=300, out=50), model=HAIKU)
    write(tmp_path / "claude.jsonl", line)
    assert costscan.analyze(tmp_path, workers=1).turns.height == 1


@pytest.mark.parametrize(
    "around",
    [
        pytest.param(lambda text: [{"events": [{"timestamp": 1, "message": text}]}], id="get-log-events"),
        pytest.param(lambda text: [{"logEvents": [{"id": "1", "message": text}]}], id="subscription"),
        pytest.param(lambda text: [{"@timestamp": "x", "@message": text}], id="Insights"),
    ],
)
def test_records_in_what_cloudwatch_puts_around_them(tmp_path: Path, capsys: Capture, around: Any) -> None:
    lines = around(json.dumps(record()))
    assert read_alike(capsys, write(tmp_path / "log.jsonl", *lines)).summary.totals.usd == USD
    assert taken_by(*lines) == ["bedrock"]


def test_metadata_of_a_request_may_name_its_run(tmp_path: Path, capsys: Capture) -> None:
    named = {"session_id": "s1", "task": "count"}
    report = read_lines(capsys, tmp_path, record(requestMetadata=named))
    assert report.runs.select("run_id", "task").rows() == [("s1", "count")]


def test_a_request_that_goes_on_continues_its_run(tmp_path: Path, capsys: Capture) -> None:
    more = [*BODY["messages"], {"role": "assistant", "content": "Two."}, {"role": "user", "content": "Sure?"}]
    second = message("msg_bdrk_2", usage(9, out=5))
    later = record({**BODY, "messages": more}, second, "r2", timestamp="2026-11-02T10:00:09Z")
    later["output"]["outputTokenCount"] = 5
    report = read_lines(capsys, tmp_path, record(), later)
    assert report.runs.height == 1
    assert report.turns["output_tokens"].to_list() == [50, 5]
