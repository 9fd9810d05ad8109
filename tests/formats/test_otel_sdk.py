"""Spans and log records as SDKs of OpenTelemetry write them: the calls they tell, each once."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from test_odd_values import defects

import costscan
from costscan.formats.otel import FORMAT
from logs import HAIKU, Json, usd, write
from other_agents import taken_by, tokens

USAGE: Final = "gen_ai.usage."
CALL: Final = {
    "gen_ai.operation.name": "chat",
    "gen_ai.response.model": HAIKU,
    "gen_ai.conversation.id": "talk-1",
    f"{USAGE}input_tokens": 600,
    f"{USAGE}output_tokens": 50,
    f"{USAGE}cache_read.input_tokens": 200,
}
"""Of 600 that went in, 200 were read."""
BEGAN, ENDED = [1_775_934_260, 250_000_000], [1_775_934_264, 750_000_000]


def span(name: str = "s1", response: str | None = "resp_1", **more: Any) -> Json:
    """A span of the file exporter of Copilot CLI."""
    told = CALL if response is None else {**CALL, "gen_ai.response.id": response}
    ids = {"traceId": "t1", "spanId": name, "parentSpanId": "agent"}
    return {
        "type": "span",
        **ids,
        "startTime": BEGAN,
        "endTime": ENDED,
        "name": "chat",
        "attributes": told,
        **more,
    }


def log(response: str | None = "resp_1", **more: Any) -> Json:
    """A log record of a call, which tells nothing of the cache."""
    told = {name: value for name, value in CALL.items() if "cache" not in name and "operation" not in name}
    own = {"event.name": "gen_ai.client.inference.operation.details"}
    ids = {} if response is None else {"gen_ai.response.id": response}
    return {"hrTime": ENDED, "_body": "GenAI inference", "attributes": {**told, **own, **ids}, **more}


def console(name: str = "0x01", parent: str | None = None, **attributes: Any) -> Json:
    """A span of Python's console exporter."""
    return {
        "name": "chat",
        "context": {"trace_id": "0xabc", "span_id": name, "trace_state": "[]"},
        "kind": "SpanKind.CLIENT",
        "parent_id": parent,
        "start_time": "2026-10-01T10:00:00.500000Z",
        "end_time": "2026-10-01T10:00:03.000000Z",
        "attributes": {**CALL, **attributes},
        "resource": {"attributes": {"service.name": "ports"}},
    }


def read(path: Path, *lines: Any) -> Any:
    return costscan.read(write(path / "otel.jsonl", *lines), workers=1).turns


def test_a_span_of_a_call_is_a_call(tmp_path: Path) -> None:
    (turn,) = read(tmp_path, span()).to_dicts()
    assert (turn["run_id"], turn["message_id"], turn["model"]) == ("talk-1", "resp_1", "claude-haiku-4-5")
    assert (turn["input_tokens"], turn["cache_read_tokens"], turn["output_tokens"]) == (400, 200, 50)
    assert turn["usd"] == usd(HAIKU, **{"in": 400}, read=200, out=50)
    assert str(turn["at"]) == "2026-04-11 19:04:20.250000+00:00"
    assert turn["duration_s"] == 4.5


ONCE: Final = {
    "a log record by the same response": [log(), span()],
    "a log record of the same span": [span(response=None), log(None, traceId="t1", spanId="s1")],
    "the agent above": [
        span(),
        {**span("agent", None), "attributes": {**CALL, "gen_ai.operation.name": "invoke_agent"}},
    ],
    "a span inside it": [console(), console("0x02", "0x01")],
    "the metric": [span(), {"type": "metric", "name": "gen_ai.client.token.usage"}],
    "a span twice": [span(response=None), span(response=None)],
}


@pytest.mark.parametrize("lines", ONCE.values(), ids=ONCE)
def test_a_call_that_several_tell_is_counted_once(tmp_path: Path, lines: list[Json]) -> None:
    report = costscan.analyze(write(tmp_path / "otel.jsonl", *lines), workers=1)
    assert tokens(report.turns) == [(400, 200, 0, 0, 50)]
    assert (report.summary.inputs.unknown_lines, report.summary.inputs.skipped_lines) == (0, 0)


def test_calls_of_one_trace_are_told_apart(tmp_path: Path) -> None:
    lines = [span(), log("resp_2"), span("s3", None), span("s4", None)]
    assert read(tmp_path, *lines).height == 4


def test_of_a_log_record_alone_what_was_cached_is_unknown(tmp_path: Path) -> None:
    (turn,) = read(tmp_path, log()).to_dicts()
    assert (turn["input_tokens"], turn["cache_read_tokens"], turn["output_tokens"]) == (None, None, 50)


def test_what_python_prints_to_the_console_is_read(tmp_path: Path) -> None:
    """Its objects go over several lines, one behind the other."""
    path = tmp_path / "spans.json"
    told = [console(), console("0x02", **{"gen_ai.response.id": "resp_2"})]
    path.write_text("\n".join(json.dumps(one, indent=4) for one in told), "utf-8")
    turns = costscan.read(path, workers=1).turns
    assert turns.height == 2
    assert str(turns["at"][0]) == "2026-10-01 10:00:00.500000+00:00"
    assert turns["duration_s"].to_list() == [2.5, 2.5]


TIMES: Final = {
    "javascript, in microseconds": {"timestamp": 1_775_934_260_250_000, "duration": 4_500_000},
    "ids in a context": {"startTime": BEGAN, "endTime": ENDED},
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_spans_of_the_javascript_sdk_are_read(tmp_path: Path, times: Json) -> None:
    told = {"_spanContext": {"traceId": "t1", "spanId": "s1"}, "name": "chat", "attributes": CALL, **times}
    (turn,) = read(tmp_path, told).to_dicts()
    assert (str(turn["at"]), turn["duration_s"]) == ("2026-04-11 19:04:20.250000+00:00", 4.5)


def test_no_other_format_takes_them() -> None:
    assert [taken_by(line) for line in (span(), log(), console())] == [["otel"]] * 3


@pytest.mark.parametrize("line", [span(), log(), console()], ids=["span", "log", "console"])
def test_no_value_is_a_defect(tmp_path: Path, line: Json) -> None:
    assert defects(FORMAT, line, tmp_path / "otel.jsonl") == []
