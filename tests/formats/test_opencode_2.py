"""OpenCode 2: messages of its own in the store, reasoning beside the output, copies in forks once."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from test_odd_values import defects

import costscan
from command import Capture
from costscan.formats.opencode import FORMAT
from logs import HAIKU, Json, usd
from other_agents import read_alike, read_lines, recorded, taken_by, tokens

T: Final = 1_793_613_600_000
BASH: Final[Json] = {
    "type": "tool",
    "id": "t1",
    "name": "bash",
    "state": {
        "status": "completed",
        "input": {"command": "ls"},
        "content": [{"type": "text", "text": "a.py"}],
    },
}
USED: Final[Json] = {"input": 100, "output": 50, "reasoning": 30, "cache": {"read": 700, "write": 200}}
USD: Final = usd(HAIKU, **{"in": 100}, read=700, w5m=200, out=80)

_Row = tuple[str, str, str, Json]


def user(text: str = "Count the ports.", at: int = T) -> Json:
    return {"text": text, "time": {"created": at}}


def answer(at: int = T + 1_000, **more: Any) -> Json:
    thought = {"type": "reasoning", "text": "They are in ports.py."}
    return {
        "agent": "build",
        "model": {"providerID": "anthropic", "id": HAIKU, "variant": "high"},
        "content": [thought, {"type": "text", "text": "I look."}, BASH],
        "finish": "tool-calls",
        "cost": 0.25,
        "tokens": USED,
        "time": {"created": at, "completed": at + 2_000},
        **more,
    }


STORY: Final[Sequence[_Row]] = [("m1", "ses_1", "user", user()), ("m2", "ses_1", "assistant", answer())]


def store(
    folder: Path,
    rows: Iterable[_Row] = STORY,
    *,
    events: Iterable[Sequence[Any]] = (),
    old: Iterable[Sequence[Any]] = (),
) -> Path:
    """Write a store: two sessions, the second under the first, and a third that is forked from it."""
    folder.mkdir(exist_ok=True)
    with closing(sqlite3.connect(folder / "opencode.db")) as made:
        made.execute(
            "CREATE TABLE session_v2 (id, parent_id, fork_session_id, directory, agent, time_created)"
        )
        for name, parent, source in (
            ("ses_1", None, None),
            ("ses_2", "ses_1", None),
            ("ses_3", None, "ses_1"),
        ):
            made.execute(
                "INSERT INTO session_v2 VALUES (?, ?, ?, '/src/ports', 'explore', ?)",
                (name, parent, source, T),
            )
        made.execute(
            "CREATE TABLE session_message (id, session_id, type, seq, time_created, time_updated, data)"
        )
        for seq, (name, session, kind, data) in enumerate(rows):
            told = (name, session, kind, seq, data["time"]["created"], T, json.dumps(data))
            made.execute("INSERT INTO session_message VALUES (?, ?, ?, ?, ?, ?, ?)", told)
        made.execute("CREATE TABLE event (id, aggregate_id, seq, type, created, data)")
        made.executemany("INSERT INTO event VALUES (?, 'ses_1', 1, ?, ?, ?)", events)
        if old:
            made.execute("CREATE TABLE session (id, parent_id, directory, time_created)")
            made.execute("CREATE TABLE part (id, message_id, data)")
            made.execute("CREATE TABLE message (id, session_id, time_created, data)")
            made.executemany("INSERT INTO message VALUES (?, 'ses_1', ?, ?)", old)
        made.commit()
    return folder


def test_a_step_is_a_call_and_its_reasoning_stands_beside_the_output(tmp_path: Path, capsys: Capture) -> None:
    report = read_alike(capsys, store(tmp_path / "s"))
    assert tokens(report.turns) == [(100, 700, 200, 0, 80)]
    assert report.turns.select("thinking_tokens", "effort", "message_id").rows() == [(30, "high", "m2")]
    assert report.summary.totals.usd == USD
    assert recorded(report.turns) == [Decimal("0.25")]
    assert report.runs.select("run_id", "task", "project").rows() == [
        ("ses_1", "Count the ports.", "/src/ports")
    ]
    (turn,) = report.turns.to_dicts()
    assert (str(turn["at"]), turn["duration_s"]) == ("2026-11-02 10:00:01+00:00", 2)


def test_what_was_said_is_in_the_next_prompt(tmp_path: Path, capsys: Capture) -> None:
    failed = {
        **BASH,
        "id": "t2",
        "state": {"status": "error", "input": {}, "error": {"message": "no such file"}},
    }
    more: list[_Row] = [
        ("m3", "ses_1", "synthetic", {"text": "A task ended.", "time": {"created": T + 4_000}}),
        ("m4", "ses_1", "assistant", answer(T + 5_000, content=[failed])),
        ("m5", "ses_1", "assistant", answer(T + 9_000, content=[])),
    ]
    report = read_alike(capsys, store(tmp_path / "s", [*STORY, *more]))
    told = report.blocks.filter(turn_in=1).sort("block").select("role", "kind", "tool", "chars").rows()
    assert told == [
        ("assistant", "thinking", None, len("They are in ports.py.")),
        ("assistant", "text", None, len("I look.")),
        ("assistant", "tool_use", "bash", len('bash{"command":"ls"}')),
        ("user", "tool_result", "bash", len("a.py")),
        ("user", "text", None, len("A task ended.")),
    ]
    (result,) = report.blocks.filter(kind="tool_result", turn_in=2).to_dicts()
    assert (result["is_error"], result["chars"]) == (True, len("no such file"))


def test_a_compaction_ends_a_context(tmp_path: Path, capsys: Capture) -> None:
    summary = {
        "status": "completed",
        "summary": "Ports were counted.",
        "recent": "",
        "time": {"created": T + 4_000},
    }
    running = {"status": "running", "summary": "Ports", "recent": "", "time": {"created": T + 8_000}}
    more: list[_Row] = [
        ("m3", "ses_1", "compaction", summary),
        ("m4", "ses_1", "assistant", answer(T + 5_000)),
        ("m5", "ses_1", "compaction", running),
        ("m6", "ses_1", "assistant", answer(T + 9_000)),
    ]
    report = read_alike(capsys, store(tmp_path / "s", [*STORY, *more]))
    sent = report.blocks.filter(role="user", kind="text").sort("block")
    assert sent.select("chars", "turn_in", "turn_out").rows() == [
        (len("Count the ports."), 0, 1),
        (len("Ports were counted."), 1, 3),
    ]


def test_what_a_fork_copied_is_billed_once(tmp_path: Path, capsys: Capture) -> None:
    """Copies have ids of their own, and the times and tokens of what they copy."""
    copied: list[_Row] = [("m8", "ses_3", kind, data) for _, _, kind, data in STORY]
    own: list[_Row] = [("m9", "ses_3", "assistant", answer(T + 60_000))]
    report = read_alike(capsys, store(tmp_path / "s", [*STORY, *copied, *own]))
    assert report.turns.group_by("run_id").len().sort("run_id").rows() == [("ses_1", 1), ("ses_3", 1)]
    assert report.summary.totals.usd == 2 * USD


def test_a_sub_session_is_a_run_under_its_parent(tmp_path: Path, capsys: Capture) -> None:
    report = read_alike(
        capsys, store(tmp_path / "s", [*STORY, ("m3", "ses_2", "assistant", answer(T + 5_000))])
    )
    assert report.runs.select("run_id", "root_run_id", "agent").sort("run_id").rows() == [
        ("ses_1", "ses_1", None),
        ("ses_2", "ses_1", "explore"),
    ]


def test_messages_that_version_2_took_over_count_once(tmp_path: Path, capsys: Capture) -> None:
    """The tables of before stay where they are; what they alone hold was billed, too."""
    info = {"role": "assistant", "modelID": HAIKU, "cost": 0.25}
    used = {"tokens": {**USED, "total": 1_080}}
    before = [
        (name, T, json.dumps({**info, **used, "time": {"created": at, "completed": at + 9}}))
        for at, name in enumerate(("m0", "m2"), T)
    ]
    report = read_alike(capsys, store(tmp_path / "s", STORY, old=before))
    assert sorted(report.turns["message_id"].to_list()) == ["m0", "m2"]
    assert report.summary.totals.usd == 2 * USD


def test_what_a_title_used_is_told_and_its_model_is_not(tmp_path: Path, capsys: Capture) -> None:
    told = json.dumps(
        {"sessionID": "ses_1", "source": "title", "cost": 0.001, "tokens": {**USED, "reasoning": 0}}
    )
    events = [
        ("evt_1", "session.usage.recorded.1", T + 3_000, told),
        ("evt_2", "session.text.delta.1", T + 3_000, told),
        ("evt_3", "message.part.updated.1", T + 3_000, "{"),
    ]
    totals = read_alike(capsys, store(tmp_path / "s", events=events)).summary.totals
    assert (totals.turns, totals.output_tokens, totals.unpriced_turns) == (2, 130, 1)
    assert (totals.usd, totals.unpriced_models) == (USD, ["unknown"])


@pytest.mark.parametrize(
    ("more", "calls"),
    [
        (
            {
                "tokens": {
                    **dict.fromkeys(("input", "output", "reasoning"), 0),
                    "cache": {"read": 0, "write": 0},
                }
            },
            0,
        ),
        ({"tokens": None, "error": {"type": "provider", "message": "overloaded"}}, 0),
        ({"error": {"type": "aborted", "message": "stopped"}}, 1),
        ({"tokens": None}, 1),
    ],
    ids=["of nothing", "failed", "failed, with usage", "stopped, without usage"],
)
def test_a_step_that_failed_is_billed_by_what_it_tells(tmp_path: Path, more: Json, calls: int) -> None:
    rows: list[_Row] = [*STORY, ("m3", "ses_1", "assistant", answer(T + 5_000, **more))]
    turns = costscan.read(store(tmp_path / "s", rows), workers=1).turns
    assert turns.height == 1 + calls
    assert (turns["output_tokens"].null_count() == 1) == (more == {"tokens": None})


def export() -> Json:
    info = {"id": "ses_1", "projectID": "global", "location": {"directory": "/src/ports"}, "agent": "build"}
    switched = {"id": "m0", "type": "model-switched", "time": {"created": T}}
    messages = [{"id": name, "type": kind, **data} for name, _, kind, data in STORY]
    return {"info": info, "messages": [switched, *messages]}


def test_an_export_tells_the_same(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, export())
    assert tokens(report.turns) == [(100, 700, 200, 0, 80)]
    assert report.runs.select("run_id", "task", "project").rows() == [
        ("ses_1", "Count the ports.", "/src/ports")
    ]
    assert report.summary.inputs.unknown_lines == 0
    assert taken_by(export()) == ["opencode"]


def test_no_value_is_a_defect(tmp_path: Path) -> None:
    assert defects(FORMAT, export(), tmp_path / "export.json") == []
