"""OpenCode's store, exports and message files: one call a message, reasoning inside or beside the output."""

import json
import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import costscan
from command import Capture
from logs import HAIKU, Json, usd, write
from other_agents import read_alike, read_lines, recorded, taken_by, tokens

INFO: Json = {"id": "ses_1", "slug": "calm", "projectID": "global", "directory": "/src/ports"}
ASKED: Json = {
    "info": {"id": "msg_1", "sessionID": "ses_1", "role": "user"},
    "parts": [{"type": "text", "text": "Count the ports."}],
}
BASH: Json = {
    "type": "tool",
    "tool": "bash",
    "callID": "t1",
    "state": {"status": "error", "input": {"command": "ls"}, "error": "no such folder"},
}
TOTALS = {"in": 100, "read": 700, "w5m": 200}


def answer(
    number: str = "msg_2", *, total: int | None = 1_080, parts: Sequence[Json] = (BASH,), **more: Any
) -> Json:
    counted: Json = {"input": 100, "output": 50, "reasoning": 30, "cache": {"read": 700, "write": 200}}
    if total is not None:
        counted["total"] = total
    info: Json = {
        "id": number,
        "sessionID": "ses_1",
        "role": "assistant",
        "modelID": HAIKU,
        "providerID": "anthropic",
        "cost": 0.25,
        "tokens": counted,
        "time": {"created": 1_793_613_600_000, "completed": 1_793_613_602_000},
        "finish": "tool-calls",
        **more,
    }
    return {"info": info, "parts": list(parts)}


def export(*messages: Json) -> Json:
    return {"info": INFO, "messages": [ASKED, *messages]}


@pytest.mark.parametrize(("total", "output"), [(1_080, 80), (1_050, 50), (None, 50)])
def test_the_total_says_whether_the_output_holds_what_was_reasoned(
    tmp_path: Path, capsys: Capture, total: int | None, output: int
) -> None:
    report = read_lines(capsys, tmp_path, export(answer(total=total)))
    assert tokens(report.turns) == [(100, 700, 200, 0, output)]
    assert report.turns["thinking_tokens"].to_list() == [30]
    assert report.summary.totals.usd == usd(HAIKU, **TOTALS, out=output)
    assert recorded(report.turns) == [Decimal("0.25")]
    assert report.summary.totals.usd_exact


def test_a_total_that_fits_nothing_is_a_lower_bound(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, export(answer(total=5_000)))
    assert report.turns["usage_from"].to_list() == ["placeholder"]


def test_steps_of_one_message_are_calls_of_their_own(tmp_path: Path, capsys: Capture) -> None:
    step: Json = {
        "type": "step-finish",
        "tokens": answer()["info"]["tokens"],
        "cost": 0.125,
        "reason": "stop",
    }
    report = read_lines(capsys, tmp_path, export(answer(parts=[BASH, step, {**step, "cost": 0.5}])))
    assert recorded(report.turns) == [Decimal("0.125"), Decimal("0.5")]


def test_results_are_sent_with_the_next_call(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, export(answer(), answer("msg_3", parts=[])))
    (result,) = report.blocks.filter(report.blocks["kind"] == "tool_result").to_dicts()
    assert (result["tool"], result["turn_in"], result["is_error"]) == ("bash", 1, True)
    assert report.runs.select("task", "project").rows() == [("Count the ports.", "/src/ports")]


def stored(folder: Path) -> sqlite3.Connection:
    """Return an open store: what is written to it stands in its write-ahead log."""
    store = sqlite3.connect(folder / "opencode.db")
    store.execute("PRAGMA journal_mode = WAL")
    store.execute(
        "CREATE TABLE session (id TEXT, parent_id TEXT, directory TEXT, agent TEXT, time_created INT)"
    )
    store.execute("CREATE TABLE message (id TEXT, session_id TEXT, time_created INT, data TEXT)")
    store.execute("CREATE TABLE part (id TEXT, message_id TEXT, data TEXT)")
    for session, parent in (("ses_1", None), ("ses_2", "ses_1")):
        store.execute("INSERT INTO session VALUES (?, ?, '/src/ports', 'general', 1)", (session, parent))
    later = answer("msg_9", time={"created": 1_793_613_600_500, "completed": 1_793_613_601_000})
    for session, message in (("ses_1", ASKED), ("ses_1", answer()), ("ses_2", later)):
        number = message["info"]["id"]
        store.execute(
            "INSERT INTO message VALUES (?, ?, 1, ?)", (number, session, json.dumps(message["info"]))
        )
        for n, part in enumerate(message["parts"]):
            store.execute("INSERT INTO part VALUES (?, ?, ?)", (f"{number} {n}", number, json.dumps(part)))
    store.commit()
    return store


def test_a_store_is_read_with_its_write_ahead_log(tmp_path: Path, capsys: Capture) -> None:
    store = stored(tmp_path)
    before = (tmp_path / "opencode.db").read_bytes()
    report = read_alike(capsys, tmp_path)
    assert tokens(report.turns) == 2 * [(100, 700, 200, 0, 80)]
    runs = report.runs.sort("run_id").select("run_id", "parent_run_id", "root_run_id", "agent").rows()
    assert runs == [("ses_1", None, "ses_1", None), ("ses_2", "ses_1", "ses_1", "general")]
    assert (tmp_path / "opencode.db").read_bytes() == before
    store.close()


def test_a_fork_copies_answers_that_are_counted_once(tmp_path: Path, capsys: Capture) -> None:
    """What differs in a moment or in what it used, or is not finished, is another call."""
    store = stored(tmp_path)
    store.execute("INSERT INTO session VALUES ('ses_3', NULL, '/src/ports', NULL, 2)")
    created = 1_793_613_600_000
    for number, info in (
        ("copy", answer()["info"]),
        ("later", answer(time={"created": created, "completed": created + 2_001})["info"]),
        ("other", answer(tokens={"input": 7, "output": 50, "total": 57})["info"]),
        ("open 1", answer(time={"created": created})["info"]),
        ("open 2", answer(time={"created": created})["info"]),
    ):
        store.execute("INSERT INTO message VALUES (?, 'ses_3', 2, ?)", (number, json.dumps(info)))
    store.commit()
    store.close()
    report = read_alike(capsys, tmp_path)
    numbers = ["later", "msg_2", "msg_9", "open 1", "open 2", "other"]
    assert sorted(report.turns["message_id"].to_list()) == numbers
    assert report.turns["output_tokens"].sum() == 5 * 80 + 50


def test_the_store_of_kilo_is_one(tmp_path: Path, capsys: Capture) -> None:
    stored(tmp_path).close()
    (tmp_path / "opencode.db").rename(tmp_path / "kilo.db")
    report = read_alike(capsys, tmp_path)
    assert tokens(report.turns) == 2 * [(100, 700, 200, 0, 80)]
    assert set(report.runs["source"]) == {"opencode"}


def test_store_export_and_message_file_tell_the_same_call(tmp_path: Path, capsys: Capture) -> None:
    stored(tmp_path).close()
    write(tmp_path / "export.json", export(answer()))
    write(tmp_path / "msg_2.json", answer()["info"])
    assert read_alike(capsys, tmp_path).turns["message_id"].sort().to_list() == ["msg_2", "msg_9"]


def test_a_store_that_computes_its_tables_is_not_read(tmp_path: Path) -> None:
    store = sqlite3.connect(tmp_path / "opencode.db")
    for name in ("session", "message", "part"):
        store.execute(f"CREATE VIEW {name} AS SELECT 1 AS id")
    store.close()
    with pytest.raises(costscan.CostscanError, match=r"opencode\.db"):
        costscan.analyze(tmp_path / "opencode.db", workers=1)


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    stored(tmp_path).close()
    log = tmp_path / "opencode.db"
    log.write_bytes(log.read_bytes()[:5_000])
    with pytest.raises(costscan.CostscanError, match=r"opencode\.db"):
        costscan.analyze(log, workers=1)


def test_no_other_format_takes_its_files() -> None:
    assert taken_by(export(answer())) == ["opencode"]
    assert taken_by(answer()["info"]) == ["opencode"]
