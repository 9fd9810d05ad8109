"""OTLP exports: calls told by spans, events and metrics, each counted once."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from command import Capture
from logs import HAIKU, Json, assistant, usage, usd, write
from other_agents import read_alike, read_lines, recorded, taken_by, tokens

START = 1_793_613_600_000_000_000
SPENT: Json = {"gen_ai.usage.input_tokens": "1000", "gen_ai.usage.output_tokens": "50"}
CHAT: Json = {"gen_ai.operation.name": "chat", "gen_ai.request.model": HAIKU}
READ: Json = {"gen_ai.usage.cache_read.input_tokens": "700"}


def listed(attributes: Json) -> list[Json]:
    kinds = {str: "stringValue", int: "intValue", float: "doubleValue"}
    return [{"key": key, "value": {kinds[type(value)]: value}} for key, value in attributes.items()]


def span(name: str, attributes: Json, *, scope: str = "app", parent: str | None = None, **more: Any) -> Json:
    own: Json = {
        "traceId": "t1",
        "spanId": name,
        "name": name,
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + 2 * 10**9),
        "attributes": listed(attributes),
        **more,
    }
    if parent is not None:
        own["parentSpanId"] = parent
    return {"resourceSpans": [{"scopeSpans": [{"scope": {"name": scope}, "spans": [own]}]}]}


def event(attributes: Json, name: str = "claude_code.api_request") -> Json:
    record: Json = {"timeUnixNano": START, "body": {"stringValue": name}, "attributes": listed(attributes)}
    return {"resourceLogs": [{"scopeLogs": [{"scope": {"name": "events"}, "logRecords": [record]}]}]}


def metric(name: str, *points: tuple[Json, float], temporality: int = 1) -> Json:
    data = [
        {"attributes": listed({"session.id": "s1", "model": HAIKU, **own}), "asDouble": value,
         "startTimeUnixNano": "1", "timeUnixNano": str(START)}
        for own, value in points
    ]  # fmt: skip
    counted = {"name": name, "sum": {"aggregationTemporality": temporality, "dataPoints": data}}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [counted]}]}]}


def request(number: str = "req_1", **more: Any) -> Json:
    return {
        "session.id": "s1",
        "model": HAIKU,
        "input_tokens": 100,
        "output_tokens": 50,
        "cache_read_tokens": 700,
        "cache_creation_tokens": 200,
        "cache_creation_5m_tokens": 0,
        "cache_creation_1h_tokens": 200,
        "cost_usd": 0.25,
        "duration_ms": 1_500,
        "request_id": number,
        "speed": "normal",
        "query_source": "sdk",
        **more,
    }


REQUEST_SPAN: Json = {
    **CHAT,
    **READ,
    "session.id": "s1",
    "input_tokens": 100,
    "gen_ai.usage.input_tokens": 1_000,
    "gen_ai.usage.output_tokens": 50,
    "gen_ai.usage.cache_write.input_tokens": 200,
    "request_id": "req_1",
    "gen_ai.response.id": "req_1",
}


def test_the_input_counter_holds_the_cache_and_new_names_mean_what_old_ones_did(
    tmp_path: Path, capsys: Capture
) -> None:
    old: Json = {
        **CHAT,
        "gen_ai.usage.prompt_tokens": 1_000,
        "gen_ai.usage.completion_tokens": 50,
        "gen_ai.usage.cache_read_input_tokens": 700,
        "gen_ai.usage.cache_creation.input_tokens": 200,
    }
    inference: Json = {
        "openinference.span.kind": "LLM",
        "llm.model_name": HAIKU,
        "llm.token_count.prompt": 1_000,
        "llm.token_count.completion": 50,
        "llm.token_count.prompt_details.cache_read": 700,
        "llm.token_count.prompt_details.cache_write": 200,
    }
    new: Json = {**CHAT, **SPENT, **READ, "gen_ai.usage.cache_write.input_tokens": "200"}
    report = read_lines(capsys, tmp_path, span("a", old), span("b", inference), span("c", new))
    assert tokens(report.turns) == 3 * [(100, 700, 200, 0, 50)]
    assert report.summary.totals.usd == 3 * usd(HAIKU, **{"in": 100}, read=700, w5m=200, out=50)


def test_the_sum_of_an_agent_is_no_call(tmp_path: Path, capsys: Capture) -> None:
    agent = span("agent", {**SPENT, **READ, "gen_ai.operation.name": "invoke_agent"})
    tool = span("tool", {"gen_ai.operation.name": "execute_tool"}, parent="agent")
    call = span("call", {**CHAT, **SPENT, **READ}, parent="agent")
    assert read_lines(capsys, tmp_path, call, tool, agent).turns["message_id"].to_list() == ["t1 call"]


def test_an_sdk_that_traces_itself_tells_the_call_of_the_span_around_it(
    tmp_path: Path, capsys: Capture
) -> None:
    split: Json = {
        "gen_ai.response.id": "msg_1",
        "gen_ai.usage.cache_write.input_tokens": 200,
        "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 200,
    }
    inner = span(
        "inner", {**CHAT, **SPENT, **READ, **split}, scope="com.anthropic.sdk.python", parent="outer"
    )
    outer = span("outer", {**CHAT, **SPENT, **READ, "gen_ai.usage.cache_write.input_tokens": 200})
    report = read_lines(capsys, tmp_path, inner, outer)
    assert tokens(report.turns) == [(100, 700, 0, 200, 50)]
    assert report.turns["message_id"].to_list() == ["msg_1"]


def test_spans_of_two_traces_with_one_response_are_one_call(tmp_path: Path, capsys: Capture) -> None:
    told: Json = {**CHAT, **SPENT, **READ, "gen_ai.response.id": "msg_1"}
    report = read_lines(capsys, tmp_path, span("a", told), span("b", told, traceId="t2"))
    assert report.turns.height == 1


def test_who_never_tells_of_the_cache_leaves_the_prompt_unknown(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, span("a", {**CHAT, **SPENT}))
    assert tokens(report.turns) == [(None, None, 0, 0, 50)]
    assert not report.summary.totals.usd_exact
    some = read_lines(capsys, tmp_path, span("a", {**CHAT, **SPENT}), span("b", {**CHAT, **SPENT, **READ}))
    assert tokens(some.turns) == [(1_000, 0, 0, 0, 50), (300, 700, 0, 0, 50)]


def test_events_and_spans_of_claude_code_are_one_call(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, span("llm", REQUEST_SPAN), event(request()))
    assert tokens(report.turns) == [(100, 700, 0, 200, 50)]
    assert recorded(report.turns) == [Decimal("0.25")]
    assert report.turns["run_id"].to_list() == ["s1"]
    assert report.summary.totals.usd == usd(HAIKU, **{"in": 100}, read=700, w1h=200, out=50)


def test_events_and_spans_in_files_of_their_own_are_one_call(tmp_path: Path, capsys: Capture) -> None:
    write(tmp_path / "traces.jsonl", span("llm", REQUEST_SPAN))
    write(tmp_path / "logs.jsonl", event(request()))
    assert tokens(read_alike(capsys, tmp_path).turns) == [(100, 700, 0, 200, 50)]


def test_a_transcript_of_the_session_keeps_the_call(tmp_path: Path, capsys: Capture) -> None:
    line = assistant("msg_1", usage(100, read=700, w1h=200, out=50), model=HAIKU, requestId="req_1")
    write(tmp_path / "s1.jsonl", line)
    write(tmp_path / "logs.jsonl", event(request()))
    turns = read_alike(capsys, tmp_path).turns
    assert turns["message_id"].to_list() == ["msg_1"]
    assert recorded(turns) == [Decimal("0.25")]


def test_side_calls_are_runs_under_the_session(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(
        capsys, tmp_path, event(request()), event(request("req_2", query_source="generate_session_title"))
    )
    assert report.runs.sort("run_id").select("run_id", "parent_run_id").rows() == [
        ("s1", None),
        ("s1/generate_session_title", "s1"),
    ]


COUNTED = (
    ({"type": "input"}, 100),
    ({"type": "output"}, 50),
    ({"type": "cacheRead"}, 700),
    ({"type": "cacheCreation"}, 0),
)


def test_metrics_beside_events_add_nothing(tmp_path: Path, capsys: Capture) -> None:
    told = request(cache_creation_tokens=0, cache_creation_1h_tokens=0)
    report = read_lines(capsys, tmp_path, event(told), metric("claude_code.token.usage", *COUNTED))
    assert tokens(report.turns) == [(100, 700, 0, 0, 50)]


def test_metrics_alone_are_a_total_of_the_session(tmp_path: Path, capsys: Capture) -> None:
    spent = usd(HAIKU, **{"in": 100}, read=700, out=50)
    lines = metric("claude_code.token.usage", *COUNTED), metric("claude_code.cost.usage", ({}, float(spent)))
    report = read_lines(capsys, tmp_path, *lines, *lines)
    assert tokens(report.turns) == [(200, 1_400, 0, 0, 100)]
    assert report.summary.totals.usd == 2 * spent


def test_metrics_that_count_on_are_taken_at_what_they_grew_by(tmp_path: Path, capsys: Capture) -> None:
    more = [(own, 3 * value) for own, value in COUNTED]
    report = read_lines(
        capsys,
        tmp_path,
        metric("claude_code.token.usage", *COUNTED, temporality=2),
        metric("claude_code.token.usage", *more, temporality=2),
    )
    assert tokens(report.turns) == [(300, 2_100, 0, 0, 150)]


def test_captured_prompts_are_shown(tmp_path: Path, capsys: Capture) -> None:
    asked: Json = {
        "gen_ai.system_instructions": '[{"type": "text", "content": "Be careful."}]',
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Count."}]}]',
        "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "Two."}]}]',
    }
    report = read_lines(capsys, tmp_path, span("a", {**CHAT, **SPENT, **READ, **asked}))
    shown = report.blocks.filter(report.blocks["kind"] != "hidden").sort("block")
    assert shown.select("layer", "role", "chars").rows() == [
        ("system", "system", 11),
        ("messages", "user", 6),
        ("messages", "assistant", 4),
    ]
    assert report.runs["task"].to_list() == ["Count."]


def test_no_other_format_takes_its_lines() -> None:
    assert taken_by(span("a", CHAT), event(request()), metric("m")) == ["otel"]


def test_sound_makes_a_lower_bound(tmp_path: Path, capsys: Capture) -> None:
    told = CHAT | SPENT | READ | {"gen_ai.response.id": "resp-1"}
    plain = read_lines(capsys, tmp_path / "plain", span("a", told))
    heard = read_lines(
        capsys, tmp_path / "heard", span("a", told | {"gen_ai.usage.details.input_audio_tokens": "40"})
    )
    assert plain.summary.totals.usd_exact
    assert not heard.summary.totals.usd_exact
    assert heard.summary.totals.usd == plain.summary.totals.usd


def test_audio_has_its_own_price(tmp_path: Path, capsys: Capture) -> None:
    """100 of text at 0.30, 200 of audio at 1, 700 of it cached at 0.10, 50 out at 2.50 USD a million."""
    told = CHAT | SPENT | READ | {"gen_ai.request.model": "gemini-2.5-flash"}
    own = {"input_audio_tokens": "900", "cache_audio_read_tokens": "700"}
    details = {f"gen_ai.usage.details.{name}": count for name, count in own.items()}
    report = read_lines(capsys, tmp_path, span("a", told | details))
    assert report.summary.totals.usd == Decimal("0.000425")
    assert report.summary.totals.usd_exact
    other = {"gen_ai.usage.details.audio_minutes": 1}
    assert not read_lines(capsys, tmp_path, span("a", told | details | other)).summary.totals.usd_exact


def test_the_first_token(capsys: Capture, tmp_path: Path) -> None:
    """Claude Code tells milliseconds, the conventions seconds; whichever of those that tell a call has it."""
    report = read_lines(
        capsys,
        tmp_path,
        span("a", REQUEST_SPAN),
        event(request(ttft_ms=400)),
        span("b", {**CHAT, **SPENT, "gen_ai.server.time_to_first_token": 0.25, "gen_ai.response.id": "r2"}),
        span("c", {**CHAT, **SPENT, "gen_ai.response.id": "r3"}),
        span("d", {**CHAT, **SPENT, "gen_ai.server.time_to_first_token": -1.0, "gen_ai.response.id": "r4"}),
    )
    assert report.turns["first_token_s"].sort(nulls_last=True).to_list() == [0.25, 0.4, None, None]
