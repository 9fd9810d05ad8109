"""Sessions of Cline 4: what went in holds what was cached, and each answer is one call."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from test_odd_values import ODD, changed, places

import costscan
from cline_tasks import T
from command import Capture
from costscan.formats.cline import FORMAT
from costscan.formats.interface import LogFile
from costscan.reading.io.rows import Rows
from logs import HAIKU, Json, usd
from other_agents import read_alike, recorded, taken_by, tokens

METRICS: Json = {
    "inputTokens": 4_400,
    "outputTokens": 50,
    "cacheReadTokens": 4_000,
    "cacheWriteTokens": 300,
    "cost": 0.001125,
}
"""Of 4,400 that went in, 4,000 were read and 300 written: 100 are fresh."""
USD = usd(HAIKU, **{"in": 100}, w5m=300, read=4_000, out=50)
MODEL: Json = {"id": HAIKU, "provider": "anthropic"}


def asked(text: str = "Fix the login.", ts: int = T) -> Json:
    content = [{"type": "text", "text": f'<user_input mode="act">{text}</user_input>'}]
    return {"id": f"u{ts}", "role": "user", "content": content, "ts": ts}


def answered(number: str = "msg_a", ts: int = T + 3_000, **more: Any) -> Json:
    used = {"type": "tool_use", "id": f"t_{number}", "name": "read_files", "input": {"paths": ["a.py"]}}
    content = [{"type": "text", "text": "I look."}, used]
    answer: Json = {"id": number, "role": "assistant", "content": content, "ts": ts, "modelInfo": MODEL}
    return {**answer, "metrics": METRICS, **more}


def result(number: str = "msg_a", ts: int = T + 3_500) -> Json:
    content = [{"type": "tool_result", "tool_use_id": f"t_{number}", "name": "read_files", "content": "pass"}]
    return {"id": f"r{ts}", "role": "user", "content": content, "ts": ts}


def session(*messages: Json, **more: Any) -> Json:
    head: Json = {"version": 1, "updated_at": "2026-11-02T10:00:09Z", "agent": "lead", "sessionId": "s1"}
    return {**head, "messages": list(messages), "system_prompt": "You mend.", **more}


def manifest(**metadata: Any) -> Json:
    return {
        "version": 1,
        "session_id": "s1",
        "source": "cli",
        "pid": 7,
        "provider": "anthropic",
        "model": HAIKU,
        "cwd": "/src/app",
        "workspace_root": "/src/app",
        "metadata": metadata,
    }


def write(folder: Path, **files: Json) -> Path:
    """Write the files of a session, by the beginnings of their names."""
    own = folder / "sessions" / "s1"
    own.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (own / f"{name.replace('_messages', '.messages')}.json").write_text(json.dumps(value), "utf-8")
    return folder / "sessions"


def test_an_answer_is_a_call_whose_input_holds_what_was_cached(tmp_path: Path, capsys: Capture) -> None:
    folder = write(tmp_path, s1_messages=session(asked(), answered()), s1=manifest())
    report = read_alike(capsys, folder)
    assert tokens(report.turns) == [(100, 4_000, 300, 0, 50)]
    assert report.summary.totals.usd == USD == Decimal("0.001125")
    assert report.summary.totals.usd_exact
    assert recorded(report.turns) == [USD]
    assert report.runs.select("run_id", "task", "project").rows() == [("s1", "Fix the login.", "/src/app")]
    (turn,) = report.turns.to_dicts()
    assert str(turn["at"]).startswith("2026-11-02 10:00:00")
    assert turn["duration_s"] == 3
    assert not report.summary.inputs.unknown_lines
    assert report.summary.inputs.skipped_lines == 0


def test_where_less_went_in_than_was_cached_it_was_left_out(tmp_path: Path, capsys: Capture) -> None:
    told = answered(metrics={**METRICS, "inputTokens": 100})
    report = read_alike(capsys, write(tmp_path, s1_messages=session(asked(), told)))
    assert tokens(report.turns) == [(100, 4_000, 300, 0, 50)]


def test_what_was_said_is_in_the_prompt_of_the_next_call(tmp_path: Path, capsys: Capture) -> None:
    messages = (
        asked(),
        answered(),
        result(),
        answered("msg_b", T + 6_000),
        asked("And the logout.", T + 9_000),
    )
    report = read_alike(
        capsys, write(tmp_path, s1_messages=session(*messages, answered("msg_c", T + 12_000)))
    )
    assert report.turns.height == 3
    blocks = report.blocks
    (read,) = blocks.filter(blocks["kind"] == "tool_result").to_dicts()
    assert (read["tool"], read["turn_in"]) == ("read_files", 1)
    assert blocks.filter(blocks["kind"] == "system").height == 1
    assert report.runs["interactive"].to_list() == [True]


def test_sub_agents_and_teammates_are_runs_below_the_session(tmp_path: Path, capsys: Capture) -> None:
    child = session(asked(), answered("msg_b"), agent="subagent", taskType="subagent_task")
    mate = session(asked(), answered("msg_c"), agent="teammate", taskType="team")
    files = {
        "s1_messages": session(asked(), answered()),
        "agent-1_messages": child,
        "scout__x1_messages": mate,
    }
    report = read_alike(capsys, write(tmp_path, **files))
    columns = "run_id", "parent_run_id", "root_run_id", "agent"
    assert report.runs.sort("run_id").select(columns).rows() == [
        ("s1", None, "s1", None),
        ("s1__agent-1", "s1", "s1", "subagent"),
        ("s1__scout__x1", "s1", "s1", "scout"),
    ]
    assert report.summary.totals.usd == 3 * USD


def test_a_fork_copies_calls_that_are_counted_once(tmp_path: Path, capsys: Capture) -> None:
    folder = write(tmp_path, s1_messages=session(asked(), answered()))
    more = answered("msg_b", T + 90_000)
    fork = session(asked(), answered(), asked("Else.", T + 80_000), more, sessionId="s2")
    (folder / "s2").mkdir()
    (folder / "s2" / "s2.messages.json").write_text(json.dumps(fork), "utf-8")
    report = read_alike(capsys, folder)
    assert report.turns.sort("at")["message_id"].to_list() == ["msg_a", "msg_b"]
    assert report.summary.totals.usd == 2 * USD


def test_a_shortened_copy_of_the_messages_is_not_billed_again(tmp_path: Path, capsys: Capture) -> None:
    other = answered("another id", T + 9_000)
    copy = {"version": 1, "updated_at": "x", "source_message_count": 2, "messages": [other]}
    folder = write(tmp_path, s1_messages=session(asked(), answered()))
    (folder / "s1" / "s1.compaction.json").write_text(json.dumps(copy), "utf-8")
    report = read_alike(capsys, folder)
    assert report.turns.height == 1
    assert (report.summary.inputs.unknown_lines, report.summary.inputs.skipped_lines) == (0, 0)


def test_an_answer_without_usage_is_no_call_and_said_so(tmp_path: Path, capsys: Capture) -> None:
    broken = {**answered("msg_b", T + 6_000), "metrics": None}
    idle = answered("msg_c", T + 7_000, metrics={"inputTokens": 0, "outputTokens": 0})
    messages = asked(), answered(), result(), broken, idle
    usage = {"inputTokens": 9_999, "outputTokens": 99, "totalCost": 1}
    report = read_alike(capsys, write(tmp_path, s1_messages=session(*messages), s1=manifest(usage=usage)))
    assert tokens(report.turns) == [(100, 4_000, 300, 0, 50)]
    assert report.summary.inputs.unknown == [
        {"kind": "an answer without usage", "other": False, "lines": 1, "files": 1}
    ]


def test_a_session_that_tells_sums_alone_is_billed_as_unlogged(tmp_path: Path, capsys: Capture) -> None:
    usage = {**METRICS, "totalCost": METRICS["cost"]}
    silent = {**answered(), "metrics": None}
    folder = write(tmp_path, s1_messages=session(asked(), silent), s1=manifest(usage=usage))
    report = costscan.analyze(folder, workers=1)
    assert report.turns["run_id"].to_list() == ["s1/unlogged"]
    assert tokens(report.turns) == [(100, 4_000, 300, 0, 50)]
    assert report.summary.totals.usd == USD
    forked = write(tmp_path, s1=manifest(usage=usage, fork={"forkedFromSessionId": "s0"}))
    with pytest.raises(costscan.CostscanError):
        costscan.analyze(forked, workers=1)


def test_a_name_that_leads_elsewhere_is_not_followed(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "secret.json").write_text(json.dumps(manifest()), "utf-8")
    told = session(asked(), answered(), sessionId="../../secret")
    report = read_alike(capsys, write(tmp_path, s1_messages=told))
    assert report.runs["project"].to_list() == [None]


def test_no_other_format_takes_its_files() -> None:
    assert taken_by(session()) == ["cline"]
    assert taken_by(manifest()) == ["cline"]


def test_no_value_of_a_session_is_a_defect(tmp_path: Path) -> None:
    messages = asked(), answered(), result()
    path = write(tmp_path, s1=manifest()) / "s1" / "s1.messages.json"
    for place in places(session(*messages)):
        for odd in ODD:
            path.write_text(json.dumps(changed(session(*messages), place, odd)), "utf-8")
            rows = Rows()
            FORMAT.read(LogFile(str(path)), rows)
            assert [row for row in rows.skipped if "defect" in row.reason] == []
