"""OpenRouter's generations: prompt counters that hold the cache, writes that nobody tells, slugs with dates."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from command import Capture
from logs import HAIKU, Json, usd
from other_agents import read_alike, read_lines, recorded, taken_by, tokens
from tables_of import csv_of


def row(number: str = "1", **more: Any) -> Json:
    return {
        "generation_id": f"gen-{number}",
        "created_at": "2026-11-02 10:00:00.5",
        "cost_total": "0.25",
        "cost_web_search": "",
        "cost_cache": "",
        "cost_file_processing": "",
        "byok_usage_inference": "0",
        "tokens_prompt": "1000",
        "tokens_completion": "50",
        "tokens_reasoning": "20",
        "tokens_cached": "0",
        "model_permaslug": "openai/gpt-5-mini-2025-08-07",
        "provider_name": "OpenAI",
        "variant": "standard",
        "cancelled": "false",
        "streamed": "true",
        "user": "",
        "finish_reason_raw": "stop",
        "finish_reason_normalized": "stop",
        "generation_time_ms": "2500",
        "time_to_first_token_ms": "400",
        "api_key_disabled": "false",
        "api_key_name": "laptop",
        "app_name": "Cline",
        **more,
    }


def read(capsys: Capture, folder: Path, *rows: Json) -> Any:
    path = folder / "openrouter_activity.csv"
    path.write_text(csv_of(rows))
    return read_alike(capsys, path)


def test_a_row_is_a_call_whose_prompt_holds_what_was_cached(tmp_path: Path, capsys: Capture) -> None:
    report = read(capsys, tmp_path, row(tokens_cached="700", cost_cache="-0.1"))
    turns = report.turns
    assert tokens(turns) == [(300, 700, 0, 0, 50)]
    assert turns["thinking_tokens"].to_list() == [20]
    # 0.25 USD a million fresh tokens, 0.025 read ones, 2 written ones.
    assert report.summary.totals.usd == Decimal("0.0001925")
    assert report.summary.totals.usd_exact
    assert recorded(turns) == [Decimal("0.25")]
    assert turns.select("line", "duration_s", "stop_reason").rows() == [(2, 2.5, "end_turn")]
    assert report.runs.select("run_id", "task", "user").rows() == [("gen-1", "Cline", "laptop")]


def test_writes_of_claude_are_not_told(tmp_path: Path, capsys: Capture) -> None:
    slug = "anthropic/claude-4.5-haiku-20251001"
    wrote = row("2", model_permaslug=slug, tokens_cached="0", cost_cache="0.01")
    rows = [row("1", model_permaslug=slug, tokens_cached="700"), wrote, row("3", model_permaslug=slug)]
    report = read(capsys, tmp_path, *rows)
    assert tokens(report.turns.sort("message_id")) == [
        (None, 700, None, 0, 50),
        (None, 0, None, 0, 50),
        (1000, 0, 0, 0, 50),
    ]
    known = usd(HAIKU, read=700, out=50) + usd(HAIKU, out=50) + usd(HAIKU, **{"in": 1000}, out=50)
    assert report.summary.totals.usd == known
    assert not report.summary.totals.usd_exact


@pytest.mark.parametrize(
    ("slug", "variant", "model"),
    [
        ("anthropic/claude-4-sonnet-20250522", "standard", "claude-sonnet-4-0"),
        ("anthropic/claude-sonnet-4.5:thinking", "thinking", "claude-sonnet-4-5"),
        ("openai/gpt-5.1-20251113", "nitro", "gpt-5.1"),
        ("openai/gpt-5-mini", "free", "openai/gpt-5-mini:free"),
        ("deepseek/deepseek-chat-v3-0324", "standard", "deepseek/deepseek-chat-v3-0324"),
        ("x-ai/grok-4-07-09:free", "", "x-ai/grok-4-07-09:free"),
    ],
)
def test_slugs_are_models(tmp_path: Path, capsys: Capture, slug: str, variant: str, model: str) -> None:
    turns = read(capsys, tmp_path, row(model_permaslug=slug, variant=variant)).turns
    assert turns["model"].to_list() == [model]


def test_an_unknown_price_leaves_what_was_charged(tmp_path: Path, capsys: Capture) -> None:
    report = read(capsys, tmp_path, row(variant="free", cost_total="0"))
    assert report.summary.totals.usd is None
    assert recorded(report.turns) == [Decimal(0)]


def test_an_own_key_costs_beside_what_openrouter_charges(tmp_path: Path, capsys: Capture) -> None:
    report = read(capsys, tmp_path, row(cost_total="0.01", byok_usage_inference="0.2"))
    assert recorded(report.turns) == [Decimal("0.21")]


def test_searches_are_billed_and_not_counted(tmp_path: Path, capsys: Capture) -> None:
    report = read(capsys, tmp_path, row(cost_web_search="0.02"))
    assert report.turns["web_searches"].to_list() == [None]
    assert not report.summary.totals.usd_exact


def test_a_generation_without_tokens_and_cost_is_no_call(tmp_path: Path, capsys: Capture) -> None:
    failed = row("2", tokens_prompt="0", tokens_completion="0", tokens_reasoning="0", cost_total="0")
    report = read(capsys, tmp_path, row(), failed, row())
    assert report.turns["message_id"].to_list() == ["gen-1"]


def test_without_the_columns_of_the_cache_it_is_taken_for_unused(tmp_path: Path, capsys: Capture) -> None:
    old = {name: value for name, value in row().items() if name not in {"tokens_cached", "cost_cache"}}
    assert tokens(read(capsys, tmp_path, old).turns) == [(1000, 0, 0, 0, 50)]


def statistics(**more: Any) -> Json:
    return {
        "id": "gen-1",
        "created_at": "2026-11-02T10:00:00.500000+00:00",
        "model": "openai/gpt-5-mini",
        "total_cost": 0.25,
        "cache_discount": 0.1,
        "is_byok": False,
        "upstream_inference_cost": 0.2,
        "tokens_prompt": 900,
        "tokens_completion": 40,
        "native_tokens_prompt": 1000,
        "native_tokens_completion": 50,
        "native_tokens_reasoning": 20,
        "native_tokens_cached": 700,
        "generation_time": 2500,
        "finish_reason": "tool_calls",
        "external_user": "ann@example.org",
        "session_id": "run-1",
        **more,
    }


def test_statistics_count_by_the_tokenizer_of_the_model(tmp_path: Path, capsys: Capture) -> None:
    second = statistics(id="gen-2", is_byok=True)
    report = read_lines(capsys, tmp_path, {"data": statistics()}, second)
    assert tokens(report.turns) == [(300, 700, 0, 0, 50)] * 2
    assert recorded(report.turns) == [Decimal("0.25"), Decimal("0.45")]
    assert report.turns["stop_reason"].to_list() == ["tool_use"] * 2
    assert report.runs["run_id"].to_list() == ["run-1"]
    assert "ann@" not in report.runs["user"][0]


def test_a_call_in_both_is_one(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "a.csv").write_text(csv_of([row(tokens_cached="700")]))
    read_lines(capsys, tmp_path, statistics(session_id=None))
    assert tokens(read_alike(capsys, tmp_path).turns) == [(300, 700, 0, 0, 50)]


def test_no_other_format_takes_its_rows() -> None:
    assert taken_by(row(), statistics(), {"data": statistics()}) == ["openrouter"]
