"""Pi sessions: a call a line, counters side by side, cost recorded by the client."""

from decimal import Decimal
from pathlib import Path

from command import Capture
from logs import HAIKU, Json, usd
from other_agents import read_lines, recorded, taken_by, tokens

HEADER: Json = {
    "type": "session",
    "version": 3,
    "id": "pi-1",
    "timestamp": "2026-11-02T10:00:00.000Z",
    "cwd": "/src/ports",
}
NONE: Json = {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0, "cost": {"total": 0}}


def person(entry: str, text: str) -> Json:
    return {
        "type": "message",
        "id": entry,
        "parentId": None,
        "timestamp": "2026-11-02T10:00:01.000Z",
        "message": {"role": "user", "content": [{"type": "text", "text": text}]},
    }


def answer(entry: str | None, usage: Json, *, made: int = 1_793_613_602_000, reason: str = "stop") -> Json:
    line: Json = {
        "type": "message",
        "timestamp": "2026-11-02T10:00:05.000Z",
        "message": {
            "role": "assistant",
            "provider": "anthropic",
            "model": HAIKU,
            "content": [
                {"type": "text", "text": "Porto, Hamburg."},
                {"type": "toolCall", "id": "t1", "name": "bash", "arguments": {"command": "ls"}},
            ],
            "usage": usage,
            "stopReason": reason,
            "timestamp": made,
        },
    }
    return line if entry is None else {**line, "id": entry, "parentId": "a"}


def used(*, cost: float = 0.01) -> Json:
    return {"input": 100, "output": 50, "cacheRead": 4_000, "cacheWrite": 300, "cost": {"total": cost}}


def test_counters_stand_side_by_side_and_writes_live_five_minutes(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, HEADER, person("a", "List the ports."), answer("b", used(cost=0.5)))
    assert tokens(report.turns) == [(100, 4_000, 300, 0, 50)]
    assert report.turns["thinking_tokens"].to_list() == [None]
    assert report.summary.totals.usd == usd(HAIKU, **{"in": 100}, read=4_000, w5m=300, out=50)
    assert recorded(report.turns) == [Decimal("0.5")]
    assert report.turns["run_id"].to_list() == ["pi-1"]
    assert report.runs.select("task", "project").rows() == [("List the ports.", "/src/ports")]


def test_an_aborted_call_is_none(tmp_path: Path, capsys: Capture) -> None:
    lines = HEADER, person("a", "Go."), answer("b", NONE, reason="aborted"), answer("c", used())
    assert read_lines(capsys, tmp_path, *lines).turns.height == 1


def test_a_counter_that_is_missing_is_unknown(tmp_path: Path, capsys: Capture) -> None:
    lacking = {key: value for key, value in used().items() if key != "cacheRead"}
    report = read_lines(capsys, tmp_path, HEADER, person("a", "Go."), answer("b", lacking))
    assert tokens(report.turns) == [(100, None, 300, 0, 50)]
    assert not report.summary.totals.usd_exact


def test_zero_dollars_beside_tokens_are_no_record(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, HEADER, person("a", "Go."), answer("b", used(cost=0)))
    assert recorded(report.turns) == [None]


def test_a_forked_session_repeats_calls_that_count_once(tmp_path: Path, capsys: Capture) -> None:
    fork = {**HEADER, "id": "pi-2", "parentSession": "pi-1.jsonl"}
    later = answer("c", used(), made=1_793_613_700_000)
    report = read_lines(
        capsys, tmp_path, HEADER, person("a", "Go."), answer("b", used()), fork, answer("b", used()), later
    )
    assert report.turns.height == 2


def test_older_files_tell_calls_apart_by_the_millisecond(tmp_path: Path, capsys: Capture) -> None:
    first, other = answer(None, used(), made=1_793_613_602_001), answer(None, used(), made=1_793_613_602_002)
    assert read_lines(capsys, tmp_path, HEADER, first, first, other).turns.height == 2


def test_results_and_summaries_come_into_the_prompt(tmp_path: Path, capsys: Capture) -> None:
    result: Json = {
        "type": "message",
        "id": "r",
        "message": {
            "role": "toolResult",
            "toolCallId": "t1",
            "toolName": "bash",
            "content": [{"type": "text", "text": "ports.txt"}],
            "isError": True,
        },
    }
    summed: Json = {"type": "compaction", "id": "s", "summary": "Two ports were found."}
    lines = HEADER, person("a", "Go."), answer("b", used()), result, answer("c", used())
    report = read_lines(capsys, tmp_path, *lines, summed, answer("d", used()))
    blocks = report.blocks.filter(report.blocks["kind"] == "tool_result")
    assert blocks.select("tool", "is_error").rows() == [("bash", True)]
    assert report.summary.inputs.unknown == []
    summary = report.blocks.filter(report.blocks["turn_in"] == 2, report.blocks["role"] == "user")
    assert summary["chars"].to_list() == [len("Two ports were found.")]


def test_no_other_format_takes_its_lines() -> None:
    assert taken_by(HEADER, person("a", "Go."), answer("b", used())) == ["pi"]
    assert taken_by({"type": "session.start", "data": {"sessionId": "s"}}) == ["copilot_cli"]
