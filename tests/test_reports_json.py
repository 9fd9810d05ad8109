"""The JSON report: its keys are a contract, its numbers are finite and add up."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from billed import NOW, billed
from costscan.reports.json import encoded
from logs import assistant, message, pair, user, write

ROOT = Path(__file__).parent.parent
TOP = [
    "schema_version", "costscan_version", "generated_at", "prices", "inputs", "totals", "meters",
    "distribution", "replay", "scenarios", "by_model", "by_tool", "by_task", "by_day", "findings", "runs",
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
    "prices": {"discount", "own"},
    "inputs": {"repaired_lines", "repaired", "unusable_files"},
    "totals": {
        "recorded_sessions", "recorded_billed_usd", "unlogged_usd", "open_turns", "usd_estimated",
        "carried_usd", "undated_turns", "first_at", "last_at", "sub_agents",
    },
    "distribution": {"root_runs", "usd_per_root_run", "top_1pct_root_share", "top_10pct_root_share"},
}  # fmt: skip


def report(*paths: Path, top: int | None = None) -> dict[str, Any]:
    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    found: dict[str, Any] = json.loads(encoded(billed(paths).summary, top=top), parse_constant=refuse)
    return found


@pytest.fixture(scope="module")
def samples() -> dict[str, Any]:
    return report(ROOT / "sample_logs")


def test_the_keys_are_those_of_the_contract(samples: dict[str, Any]) -> None:
    assert list(samples) == TOP
    for name, known in CONTRACT.items():
        assert list(samples[name])[: len(known)] == known
        assert set(samples[name]) == {*known, *MORE.get(name, ())}
    for name, known in ROWS.items():
        assert samples[name], name
        assert all(list(row)[: len(known)] == known for row in samples[name]), name
    assert list(samples["distribution"]["usd_per_run"]) == ["p50", "p90", "p99", "max", "mean"]
    assert samples["schema_version"] == 1
    assert samples["generated_at"] == NOW.isoformat().replace("+00:00", "Z")


def test_the_keys_do_not_depend_on_the_logs(samples: dict[str, Any], tmp_path: Path) -> None:
    other = report(write(tmp_path / "a.jsonl", user(), assistant("msg_1", model="nova-9")))
    assert list(other) == list(samples)
    for name in CONTRACT:
        assert list(other[name]) == list(samples[name])
    for name in ("by_model", "by_tool", "by_task", "by_day", "runs", "scenarios"):
        assert list(other[name][0]) == list(samples[name][0])
    assert other["totals"]["usd"] is None
    assert other["scenarios"][1]["usd"] is None


def test_what_does_not_exist_yet_is_empty_or_null(samples: dict[str, Any]) -> None:
    assert samples["findings"] == []
    assert set(samples["replay"].values()) == {None}
    assert [row["scenario"] for row in samples["scenarios"]] == ["as_billed", "no_caching"]
    assert all(row["usd_after_all"] is None and row["top_finding"] is None for row in samples["runs"])


def test_the_breakdowns_add_up_to_the_rounded_digit(samples: dict[str, Any]) -> None:
    whole = samples["totals"]["usd"]
    for name in ("by_model", "by_tool", "by_task", "by_day", "runs"):
        found = math.fsum(row["usd"] for row in samples[name])
        assert abs(found - whole) <= len(samples[name]) * 1e-9, name
    assert abs(math.fsum(samples["meters"].values()) - whole) <= 6e-9
    assert samples["scenarios"][0]["usd"] == whole


def test_usd_have_nine_decimals(samples: dict[str, Any]) -> None:
    found = [row["usd"] for name in ("by_tool", "runs") for row in samples[name]]
    assert all(usd == round(usd, 9) for usd in found)


def test_top_limits_the_runs_alone(samples: dict[str, Any]) -> None:
    short = report(ROOT / "sample_logs", top=3)
    assert short["runs"] == samples["runs"][:3]
    assert short["by_task"] == samples["by_task"]
    assert short["totals"] == samples["totals"]


def test_a_row_stands_on_a_line(samples: dict[str, Any]) -> None:
    lines = encoded(billed([ROOT / "sample_logs"]).summary).decode().splitlines()
    assert sum(line.startswith('    {"run_id":') for line in lines) == len(samples["runs"])


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
