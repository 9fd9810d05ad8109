"""The JSON report: its keys are a contract, its numbers are finite and add up."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from billed import NOW, Billed, billed
from costscan.reports.analysis.json import encoded
from costscan.summary import Summary
from logs import assistant, message, pair, user, write

TOP = [
    "schema_version", "costscan_version", "generated_at", "prices", "inputs", "totals", "meters",
    "distribution", "replay", "scenarios", "by_model", "by_tool", "by_task", "by_day", "actions",
    "findings", "runs",
    "breakdowns", "plan", "assumptions", "defects",
]  # fmt: skip
CONTRACT = {
    "prices": ["source", "as_of"],
    "inputs": ["files", "bytes", "lines", "skipped_lines", "duplicate_turns", "formats", "skipped"],
    "totals": [
        "runs", "root_runs", "turns", "tool_calls", "usd", "usd_exact", "unpriced_turns", "unpriced_models",
        "placeholder_turns", "input_tokens", "cache_read_tokens", "cache_write_5m_tokens",
        "cache_write_1h_tokens", "output_tokens", "prompt_tokens", "carried_tokens", "carried_share",
        "cache_hit_rate", "recorded_usd",
    ],
    "meters": ["input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "web_search"],
    "distribution": ["usd_per_run", "top_1pct_share", "top_10pct_share"],
    "replay": ["turns", "exact_share", "token_error", "usd_billed", "usd_replayed"],
}  # fmt: skip
ROWS = {
    "scenarios": ["scenario", "lever", "usd", "saved_usd", "saved_joint_usd", "runs", "risk"],
    "by_tool": ["tool", "calls", "result_tokens", "carried_usd", "p50_tokens", "p95_tokens"],
    "by_model": ["model"], "by_task": ["task"], "by_day": ["day"],
    "runs": [
        "run_id", "root_run_id", "parent_run_id", "task", "path", "source", "models", "turns", "usd",
        "usd_with_subagents", "usd_after_all", "prompt_tokens", "carried_share", "cache_hit_rate",
        "growth_tokens_per_turn", "top_finding",
    ],
}  # fmt: skip
MORE = {
    "replay": {
        "tested_turns", "foreseen_share", "usd_off", "off_share", "side_calls", "refresh", "classes",
        "policies",
    },
    "prices": {"discount", "own"},
    "inputs": {"repaired_lines", "repaired", "unusable_files", "unknown_lines", "unknown", "tz"},
    "totals": {
        "recorded_sessions", "recorded_billed_usd", "unproven_recorded_usd", "unproven_sessions",
        "estimated_turns", "unlogged_usd", "open_turns", "usd_estimated", "unreported_turns",
        "unreported_usd", "open_unreported_turns", "cache_write_other_tokens",
        "carried_usd", "undated_turns", "first_at", "last_at", "sub_agents",
    },
    "distribution": {"priced_runs"},
}  # fmt: skip


def reported(summary: Summary, top: int | None = None) -> dict[str, Any]:
    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    found: dict[str, Any] = json.loads(encoded(summary, top=top), parse_constant=refuse)
    return found


def report(*paths: Path) -> dict[str, Any]:
    return reported(billed(paths).summary)


@pytest.fixture(scope="module")
def told(samples: Billed) -> dict[str, Any]:
    return reported(samples.summary)


def test_the_keys_are_those_of_the_contract(told: dict[str, Any]) -> None:
    assert list(told) == TOP
    for name, known in CONTRACT.items():
        assert list(told[name])[: len(known)] == known
        assert set(told[name]) == {*known, *MORE.get(name, ())}
    for name, known in ROWS.items():
        assert told[name], name
        assert all(list(row)[: len(known)] == known for row in told[name]), name
    assert list(told["distribution"]["usd_per_run"]) == ["p50", "p90", "p99", "max", "mean"]
    assert told["schema_version"] == 2
    assert told["generated_at"] == NOW.isoformat().replace("+00:00", "Z")


def test_the_keys_do_not_depend_on_the_logs(told: dict[str, Any], tmp_path: Path) -> None:
    other = report(write(tmp_path / "a.jsonl", user(), assistant("msg_1", model="nova-9")))
    assert list(other) == list(told)
    for name in CONTRACT:
        assert list(other[name]) == list(told[name])
    for name in ("by_model", "by_tool", "by_task", "by_day", "runs", "scenarios"):
        assert list(other[name][0]) == list(told[name][0])
    assert other["totals"]["usd"] is None
    assert other["scenarios"][1]["usd"] is None


def test_the_replay_of_generated_logs_agrees(told: dict[str, Any]) -> None:
    assert told["replay"]["exact_share"] > 0.99
    assert told["replay"]["token_error"] < 1e-5
    assert told["replay"]["usd_billed"] == pytest.approx(told["replay"]["usd_replayed"], rel=1e-4)
    assert told["replay"]["usd_billed"] <= told["totals"]["usd"]
    assert 0 < told["replay"]["turns"] <= told["totals"]["turns"]


def test_what_was_not_priced_is_null(told: dict[str, Any]) -> None:
    assert all(row["usd_after_all"] is None for row in told["runs"])


def test_the_breakdowns_add_up_to_the_rounded_digit(told: dict[str, Any]) -> None:
    whole = told["totals"]["usd"]
    for name in ("by_model", "by_tool", "by_task", "by_day", "runs"):
        found = math.fsum(row["usd"] for row in told[name])
        assert abs(found - whole) <= len(told[name]) * 1e-9, name
    assert abs(math.fsum(told["meters"].values()) - whole) <= 6e-9
    assert told["scenarios"][0]["usd"] == whole


def test_usd_have_nine_decimals(told: dict[str, Any]) -> None:
    found = [row["usd"] for name in ("by_tool", "runs") for row in told[name]]
    assert all(usd == round(usd, 9) for usd in found)


def test_top_limits_the_runs_alone(samples: Billed, told: dict[str, Any]) -> None:
    short = reported(samples.summary, top=3)
    assert short["runs"] == told["runs"][:3]
    assert short["by_task"] == told["by_task"]
    assert short["totals"] == told["totals"]


def test_a_row_stands_on_a_line(samples: Billed, told: dict[str, Any]) -> None:
    lines = encoded(samples.summary).decode().splitlines()
    assert sum(line.startswith('    {"run_id":') for line in lines) == len(told["runs"])


def test_skipped_lines_are_named(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", user(), "{nonsense", assistant())
    inputs = report(log)["inputs"]
    assert inputs["skipped_lines"] == 1
    assert inputs["skipped"] == [{"path": str(log), "line": 2, "reason": inputs["skipped"][0]["reason"]}]
    assert "not JSON" in inputs["skipped"][0]["reason"]
    (tmp_path / "other.jsonl").write_text('{"no": "log"}\n', encoding="utf-8")
    inputs = report(tmp_path)["inputs"]
    assert {"path": str(tmp_path / "other.jsonl"), "line": None, "reason": "no usable line in this file"} in (
        inputs["skipped"]
    )


def test_text_of_any_kind_is_valid_json(tmp_path: Path) -> None:
    odd = 'a"b\\c\u2028\x00\x1b[31m\ud800 …'
    line = pair(message(model="nova\u202e9"), run_id=odd, task=odd)
    found = report(write(tmp_path / "a.jsonl", json.dumps(line)))
    assert found["totals"]["turns"] == 1
