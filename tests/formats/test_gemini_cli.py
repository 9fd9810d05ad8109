"""Chats of Gemini CLI: messages written twice, thoughts beside the output, rewound calls that stay billed."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from command import Capture
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
