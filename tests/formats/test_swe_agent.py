"""SWE-agent's trajectories: calls of unknown usage, dollars of a run beside the bill, counters that are no usage."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from test_odd_values import defects

import costscan
from command import Capture, said
from costscan.formats.interface import LogFile
from costscan.formats.swe_agent import FORMAT
from costscan.ingest.walk import is_log
from costscan.reading.io.rows import Rows
from logs import HAIKU, Json, assistant, usage, usd, write
from other_agents import CLASSES, read_alike, taken_by

STATS: Json = {"instance_cost": 0.25, "tokens_sent": 9_000, "tokens_received": 300, "api_calls": 5}


def trajectory(stats: Json = STATS, *, action: str = "ls", **more: Any) -> Json:
    step = {"action": action, "observation": "a.py", "response": "I look.", "thought": "I look."}
    history = [{"role": "user", "content": "Fix it.", "agent": "main"}]
    info = {"exit_status": "submitted", "model_stats": stats}
    return {"environment": "main", "trajectory": [step], "history": history, "info": info, **more}


def put(folder: Path, name: str, told: Json) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(told, indent=2), "utf-8")
    return folder / name


def conversation(**more: Any) -> list[Json]:
    """A demonstration, two calls that tools answered, and one more that is not answered any longer."""
    demo = {"is_demo": True, "agent": "main"}
    act = {
        "function": {"name": "create", "arguments": '{"filename": "a.py"}'},
        "id": "call_1",
        "type": "function",
    }
    return [
        {"role": "system", "content": "You program.", "agent": "main"},
        {"role": "user", "content": "See how it is done: look, then mend.", **demo},
        {"role": "assistant", "content": "I look, then I mend.", **demo},
        {"role": "user", "content": "Mend the gauge.", "agent": "main"},
        {"role": "assistant", "content": "I look at it.", "action": "create a.py", "tool_calls": [act]},
        {"role": "tool", "content": "[File: a.py]", "tool_call_ids": ["call_1"]},
        {"role": "assistant", "content": "I mend it.", "action": "edit"},
        {"role": "user", "content": "Edited.", "agent": "main"},
        {"role": "assistant", "content": "Done.", "action": "submit"},
    ]


def config(form: str) -> Any:
    told = {"agent": {"model": {"name": "gpt-4o", "temperature": 0.0}}}
    return json.dumps(told) if form == "text" else told


@pytest.mark.parametrize("form", ["text", "object"])
def test_each_call_is_told_and_what_it_used_is_unknown(tmp_path: Path, capsys: Capture, form: str) -> None:
    told = trajectory({**STATS, "api_calls": 3}, history=conversation(), replay_config=config(form))
    put(tmp_path, "a.traj", told)
    report = read_alike(capsys, tmp_path)
    turns, totals = report.turns, report.summary.totals
    assert turns.height == totals.turns == totals.open_unreported_turns == 3
    assert turns["model"].unique().to_list() == ["gpt-4o"]
    assert turns["usage_from"].unique().to_list() == ["unreported"]
    assert all(turns[name].null_count() == 3 for name in CLASSES)
    assert [totals.usd, totals.input_tokens, totals.output_tokens, totals.prompt_tokens] == [None] * 4
    assert report.runs["task"].to_list() == ["Mend the gauge."]
    shown = " ".join(said(capsys, "analyze", str(tmp_path), brief=True).split())
    assert "COST unknown 3 calls without usage" in shown
    assert "$0.25 is recorded, not proven by the log" in shown
    assert "CAN SAVE unknown what the calls used is not logged" in shown


def test_what_calls_were_sent_and_wrote_is_read(tmp_path: Path) -> None:
    put(tmp_path, "a.traj", trajectory({**STATS, "api_calls": 3}, history=conversation()))
    rows = Rows()
    FORMAT.read(LogFile(str(tmp_path / "a.traj")), rows)
    columns = rows.blocks
    told = list(zip(columns.role, columns.kind, columns.tool, columns.turn_in, strict=True))
    assert told == [
        ("system", "system", None, 0),
        ("user", "text", None, 0),
        ("assistant", "text", None, 0),
        ("user", "text", None, 0),
        ("assistant", "text", None, 1),
        ("assistant", "tool_use", "create", 1),
        ("user", "tool_result", "create", 1),
        ("assistant", "text", None, 2),
        ("user", "text", None, 2),
        ("assistant", "text", None, 3),
    ]


@pytest.mark.parametrize("counted", [2, 3, 7])
def test_there_are_as_many_calls_as_are_counted(tmp_path: Path, counted: int) -> None:
    """Answers that were refused for their form are counted, and not always in the history."""
    put(tmp_path, "a.traj", trajectory({**STATS, "api_calls": counted}, history=conversation()))
    assert costscan.analyze(tmp_path, workers=1).turns.height == counted


def test_a_replay_asked_no_model(tmp_path: Path) -> None:
    """It counts its calls and tells no tokens: the model of its configuration was not asked."""
    stats = {"instance_cost": 0, "tokens_sent": 0, "tokens_received": 0, "api_calls": 3}
    put(tmp_path, "a.traj", trajectory(stats, history=conversation(), replay_config=config("text")))
    report = costscan.analyze(tmp_path, workers=1)
    assert report.turns["model"].unique().to_list() == ["unknown"]
    assert report.summary.totals.unreported_usd is None
    assert report.summary.totals.recorded_usd is None


@pytest.mark.parametrize("counted", [0, None, "?", -3, True, 10**9])
def test_a_run_that_counts_no_calls_has_none(tmp_path: Path, counted: object) -> None:
    put(tmp_path, "a.traj", trajectory({**STATS, "api_calls": counted}, history=conversation()))
    assert costscan.read(tmp_path, workers=1).turns.is_empty()


def test_what_a_run_cost_is_recorded_and_not_billed(tmp_path: Path, capsys: Capture) -> None:
    put(tmp_path, "a.traj", trajectory())
    put(tmp_path, "b.traj", trajectory({**STATS, "instance_cost": 0.5}))
    report = read_alike(capsys, tmp_path)
    totals = report.summary.totals
    assert report.turns.height == 10
    assert totals.usd is None
    assert (totals.recorded_usd, totals.unproven_recorded_usd) == (Decimal("0.75"), Decimal("0.75"))
    assert report.summary.inputs.formats == {"swe_agent": 2}
    assert "$0.75 is recorded, not proven" in " ".join(said(capsys, "analyze", str(tmp_path)).split())
    assert "$0.75 more stands in cost exports or trajectories" in said(capsys, "usage", str(tmp_path))


@pytest.mark.parametrize("cost", [0, None, "?", -1, True, 10**12])
def test_a_run_that_cost_nothing_records_nothing(tmp_path: Path, cost: object) -> None:
    put(tmp_path, "a.traj", trajectory({**STATS, "instance_cost": cost}))
    rows = Rows()
    FORMAT.read(LogFile(str(tmp_path / "a.traj")), rows)
    assert (rows.recorded, rows.unknown, rows.strange) == ([], [], {})


def test_the_same_trajectory_in_several_files_counts_once(tmp_path: Path, capsys: Capture) -> None:
    put(tmp_path, "a.traj", trajectory())
    (tmp_path / "copy.traj.gz").write_bytes(gzip.compress(json.dumps(trajectory()).encode()))
    assert read_alike(capsys, tmp_path).summary.totals.recorded_usd == Decimal("0.25")
    put(tmp_path, "other.traj", trajectory(action="pwd"))
    assert read_alike(capsys, tmp_path).summary.totals.recorded_usd == Decimal("0.5")


def test_logs_beside_it_are_billed_as_they_are(tmp_path: Path, capsys: Capture) -> None:
    put(tmp_path, "a.traj", trajectory())
    write(tmp_path / "log.jsonl", assistant("msg_1", usage(100, out=50), model=HAIKU))
    report = read_alike(capsys, tmp_path)
    assert report.turns.height == 6
    assert report.summary.totals.usd == usd(HAIKU, **{"in": 100}, out=50)
    assert report.summary.totals.unproven_recorded_usd == Decimal("0.25")


def test_older_files_and_attempts_are_told_alike(tmp_path: Path, capsys: Capture) -> None:
    """Of several attempts the sum stands above them."""
    old = trajectory({**STATS, "total_cost": 3})
    tried = trajectory({**STATS, "instance_cost": 1}, attempts=[trajectory(), trajectory(action="pwd")])
    put(tmp_path, "a.traj", old)
    put(tmp_path, "b.traj", tried)
    assert read_alike(capsys, tmp_path).summary.totals.recorded_usd == Decimal("1.25")


def test_a_trajectory_cut_off_is_named(tmp_path: Path) -> None:
    path = put(tmp_path, "a.traj", trajectory())
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(costscan.CostscanError):
        costscan.analyze(path, workers=1)


def test_its_files_are_found_and_taken_by_no_other_format() -> None:
    assert is_log(Path("a.traj"))
    assert taken_by(trajectory()) == ["swe_agent"]
    assert taken_by({"trajectory_format": "mini-swe-agent-1.1", "info": {}, "messages": []}) == [
        "mini_swe_agent"
    ]


def test_no_value_is_a_defect(tmp_path: Path) -> None:
    assert defects(FORMAT, trajectory(), tmp_path / "a.traj") == []
