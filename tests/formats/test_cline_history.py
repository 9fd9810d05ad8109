"""What stands beside the requests of a task: messages, with their models, and what was used."""

from pathlib import Path
from typing import Any

import pytest
from test_odd_values import ODD, changed, places

from cline_tasks import ANTHROPIC, USD, USED, T, asked, read, roo, says, tagged, task
from command import Capture
from costscan.formats.cline import FORMAT
from costscan.formats.interface import LogFile
from costscan.reading.io.rows import Rows
from logs import HAIKU, Json
from other_agents import read_alike


def test_the_model_of_roo_code_is_in_what_it_adds_to_messages(tmp_path: Path, capsys: Capture) -> None:
    """The first message is written just after the request; a later request keeps the model before it."""
    history = [tagged(HAIKU, T + 24), tagged("claude-opus-4-8", T + 60_000)]
    calls = roo(USED), roo(USED, T + 30_000), roo(USED, T + 59_980)
    report = read(capsys, tmp_path, *calls, api_conversation_history=history)
    assert report.turns["model"].to_list() == ["claude-haiku-4-5", "claude-haiku-4-5", "claude-opus-4-8"]


def test_older_tasks_of_cline_tell_the_model_beside_them(tmp_path: Path, capsys: Capture) -> None:
    used = [
        {"ts": T - 10, "model_id": HAIKU, "model_provider_id": "anthropic", "mode": "act"},
        {"ts": T + 20_000, "model_id": "claude-opus-4-8", "model_provider_id": "anthropic", "mode": "act"},
    ]
    report = read(capsys, tmp_path, asked(USED), asked(USED, T + 25_000), task_metadata={"model_usage": used})
    assert report.turns["model"].to_list() == ["claude-haiku-4-5", "claude-opus-4-8"]
    assert report.turns["usage_from"].to_list() == ["reported", "reported"]


HISTORY: list[Json] = [
    {"role": "user", "content": [{"type": "text", "text": "<task>\nFix it.\n</task>"}]},
    {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "t1", "name": "read_file", "input": {"path": "a.py"}},
        ],
    },
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": "pass"},
            {"type": "text", "text": "# Current Working Directory (/src/app) Files\na.py"},
        ],
    },
    {"role": "assistant", "content": [{"type": "text", "text": "Done."}]},
]


@pytest.mark.parametrize(
    "indexed", [pytest.param(True, id="counted"), pytest.param(False, id="in their order")]
)
def test_what_was_sent_and_answered_is_in_the_file_beside(
    tmp_path: Path, capsys: Capture, indexed: bool
) -> None:
    """A request that failed and was tried again stands at the same place, and has no answer."""
    places: list[Json] = [{"conversationHistoryIndex": n} if indexed else {} for n in (-1, 1, 1)]
    failed = {"request": "x", "streamingFailedMessage": "529"}
    report = read(
        capsys,
        tmp_path,
        asked(USED, **ANTHROPIC, **places[0]),
        asked(failed, T + 10, **ANTHROPIC, **places[1]),
        asked(USED, T + 20, **ANTHROPIC, **places[2]),
        api_conversation_history=HISTORY,
    )
    results = report.blocks.filter(kind="tool_result")
    assert results.select("tool", "turn_in", "chars").rows() == [("read_file", 1, 4)]
    wrote = report.blocks.filter(role="assistant").select("kind", "turn_in", "chars")
    assert wrote.rows() == [("text", 1, 7), ("tool_use", 1, 24), ("text", 2, 5)]
    assert report.runs["project"].to_list() == ["/src/app"]


def test_messages_with_times_belong_to_the_request_before_them(tmp_path: Path, capsys: Capture) -> None:
    at = (24, 900, 1_010, 2_500)
    history = [{**message, "ts": T + ms} for message, ms in zip(HISTORY, at, strict=True)]
    report = read(capsys, tmp_path, roo(USED), roo(USED, T + 1_000), api_conversation_history=history)
    assert report.blocks.filter(kind="tool_result")["turn_in"].to_list() == [1]


def test_messages_of_newer_versions_are_read(tmp_path: Path, capsys: Capture) -> None:
    call = {"type": "tool-call", "toolCallId": "t1", "toolName": "read_file", "input": {"path": "a.py"}}
    gave = {
        "type": "tool-result",
        "toolCallId": "t1",
        "toolName": "read_file",
        "output": {"type": "text", "value": "pass"},
    }
    messages = [
        {"role": "user", "content": "Fix it."},
        {"role": "assistant", "content": [{"type": "reasoning", "text": "Hm."}, call]},
        {"role": "tool", "content": [gave]},
        {"role": "assistant", "content": "Done."},
    ]
    history = {"version": 2, "messages": messages}
    report = read(capsys, tmp_path, roo(USED), roo(USED, T + 1_000), api_conversation_history=history)
    assert report.blocks.filter(kind="tool_result").select("tool", "chars").rows() == [("read_file", 4)]


def test_without_the_file_beside_it_the_window_tells_what_was_said(tmp_path: Path, capsys: Capture) -> None:
    report = read(
        capsys, tmp_path, asked({**USED, "request": "Fix it."}, **ANTHROPIC), says("text", "Done.", T + 5)
    )
    said = report.blocks.filter(report.blocks["kind"] == "text")
    assert said.select("role", "chars").rows() == [("user", 7), ("assistant", 5)]


def test_a_damaged_file_beside_it_costs_no_call(tmp_path: Path, capsys: Capture) -> None:
    path = task(tmp_path, [says("task", "Fix it."), asked(USED, **ANTHROPIC)])
    (path.parent / "api_conversation_history.json").write_bytes(b'[{"role": "user", "content": [{"ty')
    assert read_alike(capsys, path).summary.totals.usd == USD


def test_a_file_cut_short_gives_the_requests_before(tmp_path: Path, capsys: Capture) -> None:
    path = task(
        tmp_path, [says("task", "Fix it."), asked(USED, **ANTHROPIC), asked(USED, T + 9, **ANTHROPIC)]
    )
    path.write_bytes(path.read_bytes()[:-150])
    report = read_alike(capsys, path)
    assert report.turns.height == 1
    assert report.summary.inputs.skipped_lines == 1


@pytest.mark.parametrize("odd", ODD)
def test_no_value_of_a_request_or_beside_it_breaks_the_reader(tmp_path: Path, odd: Any) -> None:
    ui = [says("task", "x"), *(asked({**USED, key: odd}, **ANTHROPIC) for key in (*USED, "request"))]
    ui += [says("deleted_api_reqs", {**USED, key: odd}) for key in USED]
    beside = [changed(HISTORY, place, odd) for place in places(HISTORY)]
    messages = [message for history in beside if isinstance(history, list) for message in history]
    path, rows = (
        task(tmp_path, ui, api_conversation_history=messages, task_metadata={"model_usage": odd}),
        Rows(),
    )
    FORMAT.read(LogFile(str(path)), rows)
    assert rows.calls
    assert [row for row in rows.skipped if "defect" in row.reason] == []
