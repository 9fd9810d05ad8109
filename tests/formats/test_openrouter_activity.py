"""OpenRouter's activity by day: sums whose prompts are known and not what of them was cached."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import costscan
from command import Capture, said
from logs import HAIKU, Json, usd, write
from other_agents import read_lines, taken_by, tokens
from tables_of import csv_of


def activity(**more: Any) -> Json:
    return {
        "date": "2026-11-02",
        "model": "anthropic/claude-haiku-4.5",
        "model_permaslug": "anthropic/claude-haiku-4.5-20251001",
        "endpoint_id": "e1",
        "provider_name": "Anthropic",
        "usage": 0.5,
        "byok_usage_inference": 0.125,
        "requests": 5,
        "prompt_tokens": 100_000,
        "completion_tokens": 20_000,
        "reasoning_tokens": 2_500,
        **more,
    }


OUTPUT = usd(HAIKU, out=20_000)
"""20,000 tokens of 5 dollars a million: ten cents."""


@pytest.mark.parametrize("table", [False, True])
def test_answers_are_billed_and_prompts_are_unknown(tmp_path: Path, capsys: Capture, table: bool) -> None:
    if table:
        (tmp_path / "activity.csv").write_text(csv_of([activity()]))
    else:
        write(tmp_path / "activity.json", {"data": [activity()]})
    report = costscan.analyze(tmp_path, workers=1)
    assert tokens(report.turns) == [(None, None, None, None, 20_000)]
    totals = report.summary.totals
    assert totals.usd == OUTPUT == Decimal("0.1")
    assert not totals.usd_exact
    assert (totals.recorded_usd, totals.unproven_recorded_usd) == (Decimal("0.625"), Decimal("0.525"))
    name = "totals only: openrouter 2026-11-02 · all day · price assumed/unlogged"
    assert report.runs.select("run_id", "source", "task").rows() == [(name, "usage_export", "totals only")]
    assert str(report.turns["at"][0]).startswith("2026-11-02 00:00:00")
    used = json.loads(said(capsys, "usage", str(tmp_path), "--json"))["totals"]
    assert (used["usd"], used["charged_usd"], used["sum_turns"]) == (0.1, 0.525, 1)
    assert "at least $0.10" in said(capsys, "analyze", str(tmp_path))


def test_endpoints_of_a_model_are_added_and_days_and_workspaces_are_not(
    tmp_path: Path, capsys: Capture
) -> None:
    other = activity(endpoint_id="e2", completion_tokens=1_000)
    rows = activity(), other, activity(date="2026-11-03"), activity(workspace_id="w1")
    report = read_lines(capsys, tmp_path, {"data": [*rows]})
    assert sorted(report.turns["output_tokens"]) == [20_000, 20_000, 21_000]
    assert set(report.runs["project"]) == {None, "w1"}


def test_without_prompts_nothing_was_cached(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, activity(prompt_tokens=0))
    assert tokens(report.turns) == [(0, 0, 0, 0, 20_000)]


@pytest.mark.parametrize("model", ["deepseek/deepseek-r1:free", "deepseek/deepseek-r1"])
def test_a_free_variant_is_another_model(tmp_path: Path, capsys: Capture, model: str) -> None:
    report = read_lines(capsys, tmp_path, activity(model=model, model_permaslug="deepseek/deepseek-r1"))
    assert report.turns["model_raw"].to_list() == [model]


def test_what_was_charged_and_is_no_amount_is_no_cost(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, activity(usage="?"))
    assert report.summary.totals.usd == OUTPUT
    assert report.summary.totals.recorded_usd is None


def test_no_other_format_takes_its_rows() -> None:
    assert taken_by({"data": [activity()]}) == ["usage_export"]
    assert taken_by({name: str(value) for name, value in activity().items()}) == ["usage_export"]


def test_a_sum_with_an_unknown_prompt_has_no_growth(tmp_path: Path, capsys: Capture) -> None:
    assert read_lines(capsys, tmp_path, activity()).growth.is_empty()
    assert read_lines(capsys, tmp_path, activity(prompt_tokens=0)).growth.height == 1
