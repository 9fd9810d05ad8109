"""Events with which command-line agents tell their calls: each call once, with what the client counts."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from test_odd_values import defects

import costscan
from costscan.formats.otel import FORMAT
from logs import HAIKU, Json, write
from other_agents import tokens

GEMINI: Final = "gemini-2.5-pro"
SECOND: Final = 1_775_934_260


def record(at: int, attributes: Json) -> Json:
    """A log record as the JavaScript SDK writes it, in the span of a whole prompt."""
    return {
        "hrTime": [SECOND + at, 0],
        "spanContext": {"traceId": "t1", "spanId": "prompt"},
        "_body": "API response",
        "attributes": {"session.id": "s1", **attributes},
    }


def response(at: int = 0, client: str = "gemini_cli", **more: Any) -> Json:
    """An event of Gemini CLI: of 12,000 that went in 8,000 were read; 420 were thought beside 350 written."""
    counts = {"input": 12_000, "output": 350, "cached_content": 8_000, "thoughts": 420, "tool": 0}
    told = {f"{name}_token_count": count for name, count in counts.items()}
    named = {"event.name": f"{client}.api_response", "model": GEMINI, "total_token_count": 12_770}
    return record(at, {**named, **told, **more})


def again(at: int = 0, **more: Any) -> Json:
    """The same call as an event of the GenAI conventions."""
    named = {"event.name": "gen_ai.client.inference.operation.details", "gen_ai.response.model": GEMINI}
    usage = {"gen_ai.usage.input_tokens": 12_000, "gen_ai.usage.output_tokens": 350}
    return record(at, {**named, **usage, **more})


def claude(at: int, **more: Any) -> Json:
    """An event of a version of Claude Code that tells no request id."""
    counts = {"input_tokens": 10, "output_tokens": 5, "cache_read_tokens": 0, "cache_creation_tokens": 0}
    return record(at, {"event.name": "claude_code.api_request", "model": HAIKU, **counts, **more})


def read(tmp_path: Path, *lines: Json) -> costscan.Report:
    return costscan.analyze(write(tmp_path / "telemetry.log", *lines))


def test_what_was_thought_is_billed_and_what_was_read_is_not_fresh(tmp_path: Path) -> None:
    assert tokens(read(tmp_path, response()).turns) == [(4_000, 8_000, 0, 0, 770)]


@pytest.mark.parametrize("order", [1, -1])
def test_a_call_is_told_twice_and_counted_once(tmp_path: Path, order: int) -> None:
    lines = [response(), again(), response(60), again(61, **{"gen_ai.response.id": "r2"})][::order]
    assert tokens(read(tmp_path, *lines).turns) == 2 * [(4_000, 8_000, 0, 0, 770)]


def test_a_record_that_restates_no_event_is_a_call(tmp_path: Path) -> None:
    other = again(60, **{"gen_ai.usage.input_tokens": 500})
    assert tokens(read(tmp_path, response(), again(), other).turns) == [
        (4_000, 8_000, 0, 0, 770),
        (None, None, 0, 0, 350),
    ]


def test_a_fork_counts_thoughts_inside_the_output_where_its_total_says_so(tmp_path: Path) -> None:
    fork = response(client="qwen-code", output_token_count=770, model="qwen3-coder-plus")
    assert tokens(read(tmp_path, fork).turns) == [(4_000, 8_000, 0, 0, 770)]


def test_calls_without_an_id_are_told_apart_and_an_event_sent_twice_is_not(tmp_path: Path) -> None:
    twice = claude(1)
    report = read(tmp_path, claude(0), twice, twice, claude(1, input_tokens=11), claude(2))
    assert tokens(report.turns) == [
        (10, 0, 0, 0, 5),
        (10, 0, 0, 0, 5),
        (11, 0, 0, 0, 5),
        (10, 0, 0, 0, 5),
    ]


def test_a_call_beside_the_main_loop_is_a_run_under_the_session(tmp_path: Path) -> None:
    report = read(tmp_path, response(role="main"), response(60, role="utility_router"))
    assert sorted(report.runs["run_id"]) == ["s1", "s1/utility_router"]


def test_the_file_of_a_client_may_spread_a_record_over_lines(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.log"
    path.write_text("\n".join(json.dumps(line, indent=2) for line in (response(), again(), response(60))))
    assert len(costscan.analyze(path).turns) == 2


def test_no_value_is_a_defect(tmp_path: Path) -> None:
    assert defects(FORMAT, response(), tmp_path / "telemetry.log", again()) == []
