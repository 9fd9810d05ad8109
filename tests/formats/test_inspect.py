"""Logs of Inspect AI: zips and documents of samples, whose model events are calls."""

import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import zstandard

import costscan
from command import Capture
from logs import HAIKU, Json, usd
from other_agents import read_alike, read_lines, recorded, taken_by, tokens

HEADER: Json = {"version": 2, "status": "success", "eval": {"run_id": "r1", "task": "count"}, "stats": {}}
USED: Json = {
    "input_tokens": 100,
    "output_tokens": 50,
    "input_tokens_cache_read": 700,
    "input_tokens_cache_write": 200,
    "total_tokens": 1_050,
}
CALLS = [{"id": "t1", "function": "bash", "arguments": {"command": "ls"}}]


def event(number: str = "e1", usage: Json | None = USED, **more: Any) -> Json:
    message = {"role": "assistant", "content": "I look.", "tool_calls": CALLS}
    return {
        "uuid": number,
        "event": "model",
        "timestamp": "2026-11-02T10:00:01+00:00",
        "completed": "2026-11-02T10:00:03+00:00",
        "model": f"anthropic/{HAIKU}",
        "input": [{"role": "user", "content": "attachment://a1"}],
        "output": {
            "model": HAIKU,
            "choices": [{"message": message, "stop_reason": "tool_calls"}],
            **({} if usage is None else {"usage": usage}),
        },
        **more,
    }


def sample(*events: Json, **more: Any) -> Json:
    own = {"event": "state", "timestamp": "2026-11-02T10:00:00+00:00"}
    return {"id": 1, "epoch": 1, "events": [own, *events], "attachments": {"a1": "Count the ports."}, **more}


def zipped(
    path: Path, *samples: Json, header: str = "header.json", method: int = zipfile.ZIP_DEFLATED
) -> Path:
    """Write a log; Python writes Zstandard only from 3.14 on, so that method is put in afterwards."""
    is_zstd = method == 93
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED if is_zstd else method) as archive:
        for name, value in [(header, HEADER), *((f"samples/{s['id']}_epoch_1.json", s) for s in samples)]:
            raw = json.dumps(value).encode()
            archive.writestr(name, zstandard.compress(raw) if is_zstd else raw)
    if is_zstd:
        raw = path.read_bytes()
        for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
            parts = raw.split(mark)
            raw = mark.join([parts[0], *(p[: at - 4] + b"\x5d\x00" + p[at - 2 :] for p in parts[1:])])
        path.write_bytes(raw)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, 93])
def test_counters_stand_side_by_side(tmp_path: Path, capsys: Capture, method: int) -> None:
    zipped(tmp_path / "log.eval", sample(event()), {**sample(event("e2")), "id": 2}, method=method)
    report = read_alike(capsys, tmp_path)
    assert tokens(report.turns) == 2 * [(100, 700, 200, 0, 50)]
    assert report.summary.totals.usd == 2 * usd(HAIKU, **{"in": 100}, read=700, w5m=200, out=50)
    assert report.turns["run_id"].to_list() == ["r1/1/1", "r1/2/1"]
    assert report.runs["task"].to_list() == ["count", "count"]


def test_a_document_tells_the_same_calls(tmp_path: Path, capsys: Capture) -> None:
    zipped(tmp_path / "log.eval", sample(event()))
    (tmp_path / "log.json").write_text(
        json.dumps({**HEADER, "samples": [sample(event())]}, indent=2), "utf-8"
    )
    assert tokens(read_alike(capsys, tmp_path).turns) == [(100, 700, 200, 0, 50)]


def test_a_run_that_died_has_no_header(tmp_path: Path, capsys: Capture) -> None:
    log = zipped(tmp_path / "log.eval", sample(event()), header="_journal/start.json")
    assert read_alike(capsys, log).turns.height == 1


def test_what_was_not_asked_of_a_model_is_no_call(tmp_path: Path, capsys: Capture) -> None:
    log = {
        **HEADER,
        "samples": [sample(event(), event("e2", cache="read"), event("e3", pending=True), event("e4", None))],
    }
    assert read_lines(capsys, tmp_path, log).turns["message_id"].to_list() == ["e1"]


def test_a_total_decides_and_a_cost_is_kept(tmp_path: Path, capsys: Capture) -> None:
    inside = {**USED, "input_tokens": 1_000, "total_cost": 0.25}
    report = read_lines(capsys, tmp_path, {**HEADER, "samples": [sample(event(usage=inside))]})
    assert tokens(report.turns) == [(100, 700, 200, 0, 50)]
    assert recorded(report.turns) == [Decimal("0.25")]


def test_prompts_are_found_in_attachments_and_in_the_pool(tmp_path: Path, capsys: Capture) -> None:
    pool = [
        {"role": "user", "content": "attachment://a1"},
        {"role": "assistant", "content": "I look.", "tool_calls": CALLS},
        {"role": "tool", "tool_call_id": "t1", "content": "porto.txt"},
    ]
    first = event(input=None, input_refs=[[0, 1]])
    second = event("e2", input=None, input_refs=[[0, 3], "odd", [True, 2]])
    made = sample(first, second, events_data={"messages": pool})
    report = read_lines(capsys, tmp_path, {**HEADER, "samples": [made]})
    shown = report.blocks.filter(report.blocks["kind"] != "hidden").sort("block")
    assert shown.select("kind", "tool", "chars", "turn_in").rows()[:4] == [
        ("text", None, len("Count the ports."), 0),
        ("text", None, len("I look."), 1),
        ("tool_use", "bash", len('bash{"command":"ls"}'), 1),
        ("tool_result", "bash", len("porto.txt"), 1),
    ]


def test_a_damaged_sample_is_named_and_the_others_are_read(tmp_path: Path, capsys: Capture) -> None:
    log = zipped(tmp_path / "log.eval", sample(event()), {**sample(event("e2")), "id": 2}, method=93)
    raw = log.read_bytes()
    at = raw.index(b"samples/2_epoch_1.json") + 30
    log.write_bytes(raw[:at] + b"\xff" * 8 + raw[at + 8 :])
    report = read_alike(capsys, log)
    assert report.turns["message_id"].to_list() == ["e1"]
    (skipped,) = report.summary.inputs.skipped
    assert "samples/2_epoch_1.json cannot be read" in str(skipped)


def test_another_zip_is_no_log(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "log.eval", "w") as archive:
        archive.writestr("readme.txt", "none")
    with pytest.raises(costscan.CostscanError, match=r"log\.eval"):
        costscan.analyze(tmp_path / "log.eval", workers=1)


def test_no_other_format_takes_its_files() -> None:
    assert taken_by({**HEADER, "samples": [sample(event())]}) == ["inspect"]
