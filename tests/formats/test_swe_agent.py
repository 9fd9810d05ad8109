"""SWE-agent's trajectories: dollars of a run beside the bill, and counters that are no usage."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from test_odd_values import ODD, changed, places

import costscan
from command import Capture, said
from costscan.formats.interface import LogFile
from costscan.formats.swe_agent import FORMAT
from costscan.ingest.walk import is_log
from costscan.reading.io.rows import Rows
from logs import HAIKU, Json, assistant, usage, usd, write
from other_agents import read_alike, taken_by

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


def test_what_a_run_cost_is_recorded_and_not_billed(tmp_path: Path, capsys: Capture) -> None:
    put(tmp_path, "a.traj", trajectory())
    put(tmp_path, "b.traj", trajectory({**STATS, "instance_cost": 0.5}))
    report = read_alike(capsys, tmp_path)
    totals = report.summary.totals
    assert report.turns.is_empty()
    assert not totals.usd
    assert (totals.recorded_usd, totals.unproven_recorded_usd) == (Decimal("0.75"), Decimal("0.75"))
    assert report.summary.inputs.formats == {"swe_agent": 2}
    assert "$0.75 more is recorded" in " ".join(said(capsys, "analyze", str(tmp_path)).split())
    assert "$0.75 more stands in cost exports or trajectories" in said(capsys, "usage", str(tmp_path))


@pytest.mark.parametrize("cost", [0, None, "?", -1, True, 10**12])
def test_a_run_that_cost_nothing_tells_nothing(tmp_path: Path, cost: object) -> None:
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
    assert report.turns.height == 1
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
    for place in places(trajectory()):
        for odd in ODD:
            path = put(tmp_path, "a.traj", changed(trajectory(), place, odd))
            rows = Rows()
            FORMAT.read(LogFile(str(path)), rows)
            assert [row for row in rows.skipped if "defect" in row.reason] == []
