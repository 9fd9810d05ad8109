"""No format takes the files of another: samples of all of them, whole and line by line."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

import codex_lines as codex
import gemini_pairs as gemini
import openai_pairs as oai
from costscan import formats
from costscan.formats import foreign
from costscan.formats.interface import LogFile
from costscan.ingest.worker import detect
from logs import assistant, message, pair, streamed, usage, user, write

_PI: Final = {"input": 1, "output": 2, "cacheRead": 3, "cacheWrite": 4}
_OPENCODE: Final = {
    "info": {"id": "msg_1", "sessionID": "ses_1", "role": "assistant", "tokens": {}},
    "parts": [],
}
SAMPLES: Final[dict[str, list[Any]]] = {
    "claude_code": [user(), assistant("msg_1")],
    "claude_stream": [streamed("msg_1"), {"type": "result", "session_id": "s", "total_cost_usd": 1}],
    "messages_api": [
        pair(),
        {"custom_id": "1", "result": {"type": "succeeded", "message": message("msg_b", usage(10, out=4))}},
    ],
    "atif": [{"schema_version": "ATIF-v1.6", "session_id": "a", "agent": {"name": "x"}, "steps": []}],
    "bedrock": [
        {"schemaType": "ModelInvocationLog", "requestId": "r", "modelId": "m", "input": {}, "output": {}},
        {"@message": '{"schemaType":"ModelInvocationLog","requestId":"s"}'},
    ],
    "cline": [
        {"ts": 1_793_613_600_000, "type": "say", "say": "task", "text": "Fix it."},
        {"ts": 2, "type": "say", "say": "api_req_started", "text": '{"tokensIn":1,"tokensOut":2,"cost":0.1}'},
        {"ts": 3, "type": "ask", "ask": "completion_result", "text": ""},
        {"version": 1, "updated_at": "x", "agent": "lead", "sessionId": "s", "messages": []},
        {"session_id": "s", "workspace_root": "/src", "pid": 7, "messages_path": "x"},
    ],
    "codex": [
        codex.meta(),
        codex.context(),
        codex.said("assistant", "hi"),
        codex.counted(codex.used(5, 0, 1)),
        codex.record("resp_1", codex.used(5, 0, 1)),
        codex.line("compacted", {"message": ""}),
    ],
    "gemini_api": [
        gemini.pair(),
        gemini.answer(),
        {"key": "item-1", "response": gemini.answer()},
        {"request": {}, "response_sse": gemini.events(gemini.answer())},
        {"request": {}, "response": {"status": 200, "body": json.dumps(gemini.answer())}},
    ],
    "pi": [
        {"type": "session", "version": 3, "id": "pi-1", "cwd": "/src"},
        {"type": "message", "id": "b", "parentId": "a", "message": {"role": "assistant", "usage": _PI}},
    ],
    "litellm": [{"id": "c", "call_type": "completion", "startTime": 1.5, "response_cost": 0.1, "model": "m"}],
    "swe_agent": [
        {"trajectory": [], "history": [], "info": {"model_stats": {}}},
        {"trajectory": [{"action": "ls", "observation": "a"}], "info": {}},
    ],
    "otel": [{"resourceSpans": []}, {"resourceLogs": []}, {"resourceMetrics": []}],
    "mini_swe_agent": [
        {"trajectory_format": "mini-swe-agent-1.1", "messages": [], "info": {"model_stats": {}}}
    ],
    "opencode": [
        {"info": {"id": "ses_1", "slug": "calm", "projectID": "global"}, "messages": [_OPENCODE]},
    ],
    "gemini_cli": [
        {"sessionId": "g1", "projectHash": "ab", "startTime": "2026-11-02T10:00:00Z"},
        {"id": "m1", "type": "gemini", "content": "", "model": "gemini-2.5-flash"},
    ],
    "langsmith": [
        {"id": "r1", "run_type": "llm", "trace_id": "t1", "inputs": {}, "outputs": {}},
        {"runs": [{"id": "t1", "run_type": "chain", "session_id": "p1"}]},
    ],
    "langfuse": [
        {"trace": {"id": "t1"}, "observations": []},
        {"id": "o1", "traceId": "t1", "type": "GENERATION", "usageDetails": {"input": 3}},
    ],
    "inspect": [{"version": 2, "status": "success", "eval": {"run_id": "r1"}, "samples": [], "stats": {}}],
    "copilot_cli": [
        {"type": "session.start", "id": "1", "data": {"sessionId": "s1"}},
        {"type": "assistant.message", "id": "2", "data": {"model": "m", "content": "I look."}},
    ],
    "managed_agents": [
        {"type": "session", "id": "sesn_1", "environment_id": "env_1", "agent": {"model": {"id": "m"}}},
        {"type": "session_thread", "id": "sthr_1", "session_id": "sesn_1", "agent": {}},
        {"type": "span.model_request_end", "id": "sevt_1", "model_usage": {"input_tokens": 1}},
        {"type": "user.message", "id": "sevt_2", "content": [{"type": "text", "text": "hi"}]},
        {"data": [{"type": "session.usage", "usage": {}}]},
    ],
    "usage_export": [
        {
            "data": [{"starting_at": "2026-11-02", "ending_at": "2026-11-03", "results": []}],
            "has_more": False,
        },
        {"starting_at": "x", "ending_at": "y", "results": [{"uncached_input_tokens": 1, "output_tokens": 2}]},
        {"starting_at": "x", "ending_at": "y", "results": [{"amount": "1", "currency": "USD"}]},
        {"usage_date_utc": "2026-11-02", "model_version": "m", "usage_input_tokens_no_cache": "3"},
        {
            "object": "bucket",
            "start_time": 1,
            "results": [{"object": "organization.costs.result", "amount": {}}],
        },
    ],
    "openrouter": [
        {
            "generation_id": "gen-1",
            "model_permaslug": "openai/gpt-5-mini",
            "cost_total": "0.1",
            "tokens_prompt": "1",
        },
        {"data": {"id": "gen-2", "model": "x", "total_cost": 0.1, "native_tokens_prompt": 3}},
    ],
    "openai_api": [
        oai.chat_pair(),
        oai.pair(),
        oai.batch(oai.chat()),
        oai.response(),
        oai.chat(),
        {"request": {}, "response_sse": oai.events(oai.chunk(content="hi"))},
        {"request": {}, "response_sse": oai.events({"type": "response.created", "response": oai.response()})},
        {"request": {}, "response": {"status": 200, "body": json.dumps(oai.chat())}},
    ],
}


def takers(lines: list[Any]) -> list[str]:
    return [name for name, log_format in formats.available().items() if log_format.sniff(lines)]


def test_every_format_has_a_sample() -> None:
    assert sorted(SAMPLES) == formats.names()


@pytest.mark.parametrize("name", SAMPLES)
def test_only_its_own_format_takes_a_file(tmp_path: Path, name: str) -> None:
    assert takers(SAMPLES[name]) == [name]
    path = str(write(tmp_path / "log.jsonl", *SAMPLES[name]))
    found = detect(LogFile(path), list(formats.available().values()))
    assert not isinstance(found, str)
    assert found.name == name


@pytest.mark.parametrize("name", SAMPLES)
def test_only_its_own_format_takes_a_line(name: str) -> None:
    for line in SAMPLES[name]:
        assert takers([line]) == [name], json.dumps(line)


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_read_is_not_refused_by_another_name(name: str) -> None:
    assert [line for line in SAMPLES[name] if foreign.named(line) is not None] == []
