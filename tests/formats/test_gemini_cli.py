"""Chats of Gemini CLI: messages written twice, thoughts beside the output, rewound calls that stay billed."""

from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from test_odd_values import defects

from command import Capture
from costscan.formats.gemini_cli import FORMAT
from logs import Json
from other_agents import read_lines, taken_by, tokens

HEADER: Json = {"sessionId": "g1", "projectHash": "ab", "startTime": "2026-11-02T10:00:00Z", "kind": "main"}
USED: Json = {"input": 1_000, "output": 50, "cached": 700, "thoughts": 30, "tool": 0, "total": 1_080}
PROMPT, CACHED, OUTPUT = Decimal("0.3"), Decimal("0.03"), Decimal("2.5")
"""List prices of Gemini 2.5 Flash in November 2026, USD per million tokens."""


def asked(text: str = "Count the ports.") -> Json:
    return {"id": "u1", "timestamp": "2026-11-02T10:00:01Z", "type": "user", "content": [{"text": text}]}


def answer(number: str = "m1", usage: Json | None = USED, **more: Any) -> Json:
    line: Json = {
        "id": number,
        "timestamp": "2026-11-02T10:00:05Z",
        "type": "gemini",
        "content": "",
        "model": "gemini-2.5-flash",
        **more,
    }
    return line if usage is None else {**line, "tokens": usage}


def test_thoughts_are_billed_beside_the_output(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, HEADER, asked(), answer())
    assert tokens(report.turns) == [(300, 700, 0, 0, 80)]
    assert report.turns["thinking_tokens"].to_list() == [30]
    assert report.summary.totals.usd == (300 * PROMPT + 700 * CACHED + 80 * OUTPUT) / 10**6
    assert report.runs.select("run_id", "task").rows() == [("g1", "Count the ports.")]


def test_a_total_decides_where_the_output_holds_the_thoughts(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, HEADER, asked(), answer(usage={**USED, "total": 1_050}))
    assert tokens(report.turns) == [(300, 700, 0, 0, 50)]


def test_the_prompt_of_a_tool_stands_beside_the_input(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, HEADER, asked(), answer(usage={**USED, "tool": 40, "total": 1_120}))
    assert tokens(report.turns) == [(340, 700, 0, 0, 80)]


def test_of_the_lines_of_a_message_the_last_counts(tmp_path: Path, capsys: Capture) -> None:
    result: Json = {"functionResponse": {"id": "t1", "name": "ls", "response": {"output": "porto.txt"}}}
    calls = [{"id": "t1", "name": "ls", "args": {"dir": "."}, "result": [result]}]
    again: Json = {"id": "u2", "type": "user", "content": [result]}
    report = read_lines(
        capsys, tmp_path, HEADER, asked(), answer(), answer(toolCalls=calls), again, answer("m2")
    )
    assert report.turns["message_id"].to_list() == ["m1", "m2"]
    results = report.blocks.filter(report.blocks["kind"] == "tool_result")
    assert results.select("tool", "turn_in").rows() == [("ls", 1)]


def test_rewound_messages_stay_billed(tmp_path: Path, capsys: Capture) -> None:
    lines = HEADER, asked(), answer(), {"$rewindTo": "u1"}, {"$set": {"messages": [asked()]}}, answer("m2")
    report = read_lines(capsys, tmp_path, *lines)
    assert report.turns.height == 2
    assert report.summary.inputs.unknown == []


def test_a_message_without_tokens_is_unknown(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, HEADER, asked(), answer(), answer("m2", None))
    assert report.turns["usage_from"].to_list() == ["reported", "unreported"]


def test_one_document_is_a_chat_too(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, {**HEADER, "messages": [asked(), answer()]})
    assert tokens(report.turns) == [(300, 700, 0, 0, 80)]


def test_what_the_client_says_of_the_folder_is_no_request(tmp_path: Path, capsys: Capture) -> None:
    context = {**asked("<session_context>\nThis is the Gemini CLI."), "id": "u0"}
    assert read_lines(capsys, tmp_path, HEADER, context, asked(), answer()).runs["task"].to_list() == [
        "Count the ports."
    ]


def test_no_other_format_takes_its_lines() -> None:
    assert taken_by(HEADER, asked(), answer()) == ["gemini_cli"]
    assert taken_by(answer()) == ["gemini_cli"]


QWEN_USED: Json = {
    "promptTokenCount": 1_000,
    "candidatesTokenCount": 80,
    "thoughtsTokenCount": 30,
    "totalTokenCount": 1_080,
    "cachedContentTokenCount": 700,
}


def record(kind: str, number: str, **more: Any) -> Json:
    """A record of a chat of Qwen Code."""
    own = {"uuid": number, "parentUuid": None, "sessionId": "q1", "timestamp": "2026-11-02T10:00:05Z"}
    return {**own, "type": kind, "cwd": "/src/ports", "version": "0.15.10", **more}


QWEN_ASKED: Final = record("user", "u1", message={"role": "user", "parts": [{"text": "Count the ports."}]})
QWEN_CALL: Final = {"functionCall": {"id": "c1", "name": "run_shell_command", "args": {"command": "ls"}}}
QWEN_RAN: Final = {
    "functionResponse": {"id": "c1", "name": "run_shell_command", "response": {"output": "docs"}}
}
QWEN_TOLD: Final = record("tool_result", "u3", message={"role": "user", "parts": [QWEN_RAN]})
QWEN_AGAIN: Final = record(
    "system",
    "u4",
    subtype="ui_telemetry",
    systemPayload={"uiEvent": {"event.name": "qwen-code.api_response", "input_token_count": 1_000}},
)


def qwen(number: str = "u2", *parts: Json) -> Json:
    said = {"role": "model", "parts": list(parts) or [{"text": "Two."}]}
    return record("assistant", number, model="gemini-2.5-flash", message=said, usageMetadata=QWEN_USED)


def test_a_record_of_qwen_code_is_a_call_and_its_telemetry_is_none(tmp_path: Path, capsys: Capture) -> None:
    lines = [QWEN_ASKED, qwen("u2", {"text": "I look.", "thought": True}, QWEN_CALL), QWEN_TOLD, QWEN_AGAIN]
    report = read_lines(capsys, tmp_path, *lines, qwen("u5"))
    assert tokens(report.turns) == [(300, 700, 0, 0, 80)] * 2
    assert report.summary.totals.usd == 2 * (300 * PROMPT + 700 * CACHED + 80 * OUTPUT) / 10**6
    assert report.runs.select("run_id", "task", "project").rows() == [
        ("q1", "Count the ports.", "/src/ports")
    ]
    assert report.blocks.filter(kind="tool_result")["tool"].to_list() == ["run_shell_command"]
    assert report.summary.inputs.unknown_lines == 0


def test_of_qwen_code_a_summary_takes_the_place_of_what_was_said(tmp_path: Path, capsys: Capture) -> None:
    left = [{"role": "user", "parts": [{"text": "We counted ports."}]}]
    summed_up = record("system", "u3", subtype="chat_compression", systemPayload={"compressedHistory": left})
    report = read_lines(capsys, tmp_path, QWEN_ASKED, qwen(), summed_up, qwen("u4"))
    said = report.blocks.filter(kind="text", role="user").select("turn_in", "turn_out").rows()
    assert said == [(0, 1), (1, 2)]


def test_no_other_format_takes_records_of_qwen_code() -> None:
    lines = (QWEN_ASKED, qwen(), QWEN_TOLD, QWEN_AGAIN)
    assert [taken_by(line) for line in lines] == [["gemini_cli"]] * len(lines)


def test_no_value_of_qwen_code_is_a_defect(tmp_path: Path) -> None:
    for line in (QWEN_ASKED, qwen("u2", QWEN_CALL), QWEN_TOLD, QWEN_AGAIN):
        assert defects(FORMAT, line, tmp_path / "chat.jsonl") == []
