"""Usage and costs in sums: the bill by day and model is right, and nothing in it passes for a run."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import costscan
from command import Capture, said
from logs import HAIKU, OPUS, Json, assistant, usage, usd, write
from other_agents import read_alike, read_lines, taken_by, tokens
from tables_of import csv_of

DAY = {"starting_at": "2026-11-02T00:00:00Z", "ending_at": "2026-11-03T00:00:00Z"}
SUM = {"in": 1_000_000, "read": 2_000_000, "w5m": 100_000, "w1h": 50_000, "out": 300_000}
CENT = Decimal("0.01")


def result(**more: Any) -> Json:
    return {
        "uncached_input_tokens": SUM["in"],
        "cache_read_input_tokens": SUM["read"],
        "cache_creation": {
            "ephemeral_5m_input_tokens": SUM["w5m"],
            "ephemeral_1h_input_tokens": SUM["w1h"],
        },
        "output_tokens": SUM["out"],
        "server_tool_use": {"web_search_requests": 10},
        "model": HAIKU,
        "service_tier": "standard",
        "context_window": "0-200k",
        "inference_geo": "global",
        "api_key_id": "apikey_1",
        "workspace_id": "wrkspc_1",
        **more,
    }


def page(*results: Json, **more: Any) -> Json:
    return {"data": [{**DAY, "results": [*results], **more}], "has_more": False, "next_page": None}


def test_a_bucket_is_billed_class_by_class(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, page(result(), result(model=OPUS)))
    classes = (SUM["in"], SUM["read"], SUM["w5m"], SUM["w1h"], SUM["out"])
    assert tokens(report.turns) == [classes, classes]
    # Ten searches cost ten cents, of either model.
    assert report.summary.totals.usd == usd(HAIKU, **SUM) + usd(OPUS, **SUM) + 20 * CENT
    assert report.summary.totals.usd_exact
    assert set(report.turns["usage_from"]) == {"reported"}


@pytest.mark.whole
def test_nothing_in_it_is_a_run(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, page(result()))
    runs = report.runs.select("run_id", "agent", "source", "task", "project", "user", "interactive").rows()
    name = "totals only: anthropic 2026-11-02 · all day · wrkspc_1 · apikey_1 · standard · global · short prompts"
    assert runs == [
        (f"{name}/unlogged", "unlogged", "usage_export", "totals only", "wrkspc_1", "apikey_1", False)
    ]
    assert report.blocks.is_empty()
    assert report.findings.is_empty()
    assert report.summary.replay.exact_share is None
    assert "totals only" in said(capsys, "analyze", str(tmp_path))
    assert "totals only" in said(capsys, "analyze", str(tmp_path), "-v")
    said(capsys, "analyze", str(tmp_path), "-o", str(tmp_path / "out.md"))
    assert "totals only" in (tmp_path / "out.md").read_text()
    assert "totals only" in said(capsys, "usage", str(tmp_path))
    hidden = said(capsys, "analyze", str(tmp_path), "--anonymize", "--json")
    assert '"totals only"' in hidden
    assert "apikey_1" not in hidden
    assert "wrkspc_1" not in hidden


def test_logs_beside_it_keep_their_runs(tmp_path: Path, capsys: Capture) -> None:
    write(tmp_path / "usage.json", page(result()))
    assert "1 run ·" not in said(capsys, "analyze", str(tmp_path))
    write(tmp_path / "log.jsonl", assistant("msg_1", usage(10, out=5)))
    assert "totals only among them" in " ".join(said(capsys, "analyze", str(tmp_path)).split())
    report = costscan.analyze(tmp_path, workers=1)
    assert report.runs["source"].sort().to_list() == ["claude_code", "usage_export"]


@pytest.mark.parametrize(
    ("mode", "factor"),
    [({"service_tier": "batch"}, Decimal("0.5")), ({"inference_geo": "us"}, Decimal("1.1"))],
)
def test_tier_and_place_set_the_price(tmp_path: Path, capsys: Capture, mode: Json, factor: Decimal) -> None:
    report = read_lines(capsys, tmp_path, page(result(model=OPUS, server_tool_use={}, **mode)))
    assert report.summary.totals.usd == usd(OPUS, **SUM) * factor


@pytest.mark.parametrize("tier", ["priority_on_demand", "flex_discount"])
def test_a_tier_that_is_not_known_has_no_price(tmp_path: Path, capsys: Capture, tier: str) -> None:
    report = read_lines(capsys, tmp_path, page(result(service_tier=tier)))
    assert report.turns["tier"].to_list() == [tier]
    assert report.summary.totals.usd is None
    assert tokens(report.turns)[0][0] == SUM["in"]


SONNET = "claude-sonnet-4-5-20250929"
# USD a million: fresh, read, 5-minute and 1-hour writes, output. Until May 2026 prompts of over 200,000 tokens
# cost twice as much, and what they gave half as much again.
SHORT = Decimal(3) + Decimal("0.6") + Decimal("0.375") + Decimal("0.3") + Decimal("4.5")
LONG = 2 * (SHORT - Decimal("4.5")) + Decimal("6.75")
MARCH = {"starting_at": "2026-03-02T00:00:00Z", "ending_at": "2026-03-03T00:00:00Z"}


@pytest.mark.parametrize(
    ("day", "window", "cost", "source"),
    [
        (MARCH, "0-200k", SHORT, "reported"),
        (MARCH, "200k-1M", LONG, "reported"),
        (MARCH, None, SHORT, "estimated"),
        (DAY, None, SHORT, "reported"),
        (DAY, "200k-1M", SHORT, "reported"),
    ],
)
def test_long_prompts_cost_more(
    tmp_path: Path, capsys: Capture, day: Json, window: str | None, cost: Decimal, source: str
) -> None:
    line = {**day, "results": [result(model=SONNET, context_window=window, server_tool_use={})]}
    report = read_lines(capsys, tmp_path, line)
    assert report.summary.totals.usd == cost
    assert report.summary.totals.usd_exact == (source == "reported")
    assert set(report.turns["usage_from"]) == {source}
    assert report.turns["input_tokens"].sum() == SUM["in"]


def test_a_window_wider_than_the_limit_does_not_tell_the_price(tmp_path: Path, capsys: Capture) -> None:
    # Prompts of over 100,000 tokens cost more, and exports tell those of over 200,000.
    short = read_lines(capsys, tmp_path, page(result(model="claude-haiku-5-5")))
    assert set(short.turns["usage_from"]) == {"estimated"}
    long = read_lines(capsys, tmp_path, page(result(model="claude-haiku-5-5", context_window="200k-1M")))
    assert set(long.turns["usage_from"]) == {"reported"}


def test_what_an_export_is_not_grouped_by_is_assumed_and_said(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, page(result(service_tier=None, inference_geo=None)))
    assert report.summary.totals.usd == usd(HAIKU, **SUM) + 10 * CENT
    assert report.turns["usage_from"].to_list() == ["estimated"]
    assert "about $" in said(capsys, "analyze", str(tmp_path))
    unnamed = read_lines(capsys, tmp_path, page(result(model=None)))
    assert unnamed.turns["model"].to_list() == ["unknown"]
    assert unnamed.summary.totals.usd is None


def test_results_are_added_and_repeated_exports_counted_once(tmp_path: Path, capsys: Capture) -> None:
    other = result(api_key_id="apikey_2", server_tool_use={})
    write(tmp_path / "a.json", page(result(server_tool_use={}), other))
    running = result(api_key_id="apikey_2", server_tool_use={}, output_tokens=400_000)
    write(tmp_path / "b.jsonl", {**DAY, "results": [running]}, {**DAY, "results": []})
    report = read_alike(capsys, tmp_path)
    more = usd(HAIKU, out=100_000)
    assert report.summary.totals.usd == 2 * usd(HAIKU, **SUM) + more
    assert report.runs["user"].sort().to_list() == ["apikey_1", "apikey_2"]
    hidden = {name: value for name, value in result(server_tool_use={}).items() if name != "api_key_id"}
    both = read_lines(capsys, tmp_path / "c", page(hidden, hidden))
    assert both.turns["output_tokens"].sum() == 2 * SUM["out"]


def test_hours_stay_apart(tmp_path: Path, capsys: Capture) -> None:
    hour = {"starting_at": "2026-11-02T13:00:00Z", "ending_at": "2026-11-02T14:00:00Z"}
    read_lines(capsys, tmp_path, page(result()), {**hour, "results": [result()]})
    rows = json.loads(said(capsys, "usage", str(tmp_path), "--by", "hour", "--json", "--no-cache"))["rows"]
    assert [row["hour"] for row in rows] == ["2026-11-02 00:00", "2026-11-02 13:00"]


def test_the_newer_interface_tells_the_same(tmp_path: Path, capsys: Capture) -> None:
    names = ("model", "service_tier", "context_window", "inference_geo", "api_key_id", "workspace_id")
    group = {name: result()[name] for name in names}
    used = {name: value for name, value in result().items() if name not in names}
    report = read_lines(capsys, tmp_path, {"data": [{**DAY, "group": group, "usage": used}]})
    assert report.summary.totals.usd == usd(HAIKU, **SUM) + 10 * CENT


CONSOLE: Json = {
    "usage_date_utc": "2026-11-02",
    "model_version": HAIKU,
    "api_key": "laptop",
    "workspace": "Default",
    "usage_type": "standard",
    "context_window": "≤ 200k",
    "usage_input_tokens_no_cache": SUM["in"],
    "usage_input_tokens_cache_write_5m": SUM["w5m"],
    "usage_input_tokens_cache_write_1h": SUM["w1h"],
    "usage_input_tokens_cache_read": SUM["read"],
    "usage_output_tokens": SUM["out"],
    "web_search_count": 10,
    "inference_geo": "not_available",
    "speed": "",
}


def test_the_console_exports_csv(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "usage.csv").write_text(csv_of([CONSOLE, {**CONSOLE, "usage_type": "batch"}]))
    report = read_alike(capsys, tmp_path)
    assert report.summary.totals.usd == usd(HAIKU, **SUM) * Decimal("1.5") + 20 * CENT
    assert report.summary.totals.usd_exact
    assert set(report.runs["project"]) == {"Default"}


def cost(cents: object, **more: Any) -> Json:
    return {"amount": cents, "currency": "USD", "description": "x", "cost_type": "tokens", **more}


def test_costs_alone_are_recorded_and_no_bill(tmp_path: Path, capsys: Capture) -> None:
    write(tmp_path / "cost.json", page(cost("123.45"), cost("76.55")))
    report = costscan.analyze(tmp_path, workers=1)
    assert report.turns.is_empty()
    assert report.summary.totals.usd is None or report.summary.totals.usd == 0
    assert report.summary.totals.unproven_recorded_usd == 2
    assert "$2.00 more is recorded" in " ".join(said(capsys, "analyze", str(tmp_path)).split())
    assert "$2.00 more stands in cost exports or trajectories" in said(capsys, "usage", str(tmp_path))
    used = json.loads(said(capsys, "usage", str(tmp_path), "--json"))["totals"]
    assert (used["charged_usd"], used["turns"]) == (2, 0)


def test_costs_of_other_days_are_not_those_of_the_chosen_time(tmp_path: Path, capsys: Capture) -> None:
    write(tmp_path / "cost.json", page(cost("300")))
    write(tmp_path / "log.jsonl", assistant("m1", usage(10, out=5), timestamp="2026-11-03T08:00:00Z"))

    def charged(*chosen: str) -> float:
        totals = json.loads(said(capsys, "usage", str(tmp_path), "--json", *chosen))["totals"]
        return float(totals["charged_usd"])

    assert charged() == charged("--since", "2026-11-02") == charged("--since", "2026-11-01") == 3
    assert charged("--since", "2026-11-03") == charged("--since", "2026-11-02T00:00:01") == 0


def test_costs_beside_usage_tell_what_is_beyond_it(tmp_path: Path, capsys: Capture) -> None:
    billed = usd(HAIKU, **SUM) + 10 * CENT
    write(tmp_path / "usage.json", page(result()))
    write(tmp_path / "cost.json", page(cost(str((billed + 2) * 100))))
    report = costscan.analyze(tmp_path, workers=1)
    assert report.summary.totals.usd == billed
    assert report.summary.totals.unproven_recorded_usd == Decimal(2)
    write(tmp_path / "cost.json", page(cost(str((billed - 1) * 100))))
    assert costscan.analyze(tmp_path, workers=1).summary.totals.unproven_recorded_usd == 0


def bucket(*results: Json) -> Json:
    times = {"start_time": 1_793_577_600, "end_time": 1_793_664_000}
    return {
        "object": "page",
        "data": [{"object": "bucket", **times, "results": [*results]}],
        "has_more": False,
    }


def completions(**more: Any) -> Json:
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": 100_000,
        "input_cached_tokens": 60_000,
        "output_tokens": 20_000,
        "num_model_requests": 7,
        "model": "gpt-5-mini-2025-08-07",
        "service_tier": "default",
        "batch": False,
        "project_id": "proj_1",
        **more,
    }


# 0.25 USD a million fresh tokens, 0.025 read ones, 2 written ones.
GPT = Decimal("0.01") + Decimal("0.0015") + Decimal("0.04")


@pytest.mark.parametrize(
    ("more", "factor", "usage_from"),
    [
        ({}, Decimal(1), "reported"),
        ({"batch": True}, Decimal("0.5"), "reported"),
        ({"service_tier": None, "batch": None}, Decimal(1), "estimated"),
        ({"input_audio_tokens": 5}, Decimal(1), "estimated"),
    ],
)
def test_openai_counts_what_was_cached_as_input(
    tmp_path: Path, capsys: Capture, more: Json, factor: Decimal, usage_from: str
) -> None:
    report = read_lines(capsys, tmp_path, bucket(completions(**more)))
    assert tokens(report.turns) == [(40_000, 60_000, 0, 0, 20_000)]
    assert report.summary.totals.usd == GPT * factor
    assert report.turns["usage_from"].to_list() == [usage_from]
    assert report.turns["at"].dt.strftime("%Y-%m-%d").to_list() == ["2026-11-02"]


def test_openai_exports_csv_and_costs(tmp_path: Path, capsys: Capture) -> None:
    flat = {"start_time": 1_793_577_600, "end_time": 1_793_664_000, **completions()}
    (tmp_path / "completions.csv").write_text(csv_of([{n: v for n, v in flat.items() if n != "object"}]))
    amount = {"object": "organization.costs.result", "amount": {"value": 1.0515, "currency": "usd"}}
    write(tmp_path / "costs.json", bucket(amount))
    report = costscan.analyze(tmp_path, workers=1)
    assert report.summary.totals.usd == GPT
    assert report.summary.totals.unproven_recorded_usd == Decimal(1)


def test_usage_of_other_things_is_skipped_and_said(tmp_path: Path, capsys: Capture) -> None:
    images = {"object": "organization.usage.images.result", "images": 3, "num_model_requests": 1}
    report = read_lines(capsys, tmp_path, bucket(completions(), images))
    (skipped,) = report.summary.inputs.skipped
    assert "images of OpenAI" in skipped["reason"]


def test_more_than_a_call_can_have_is_a_sum(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, page(result(output_tokens=20_000_000_000, server_tool_use={})))
    assert report.turns["output_tokens"].sum() == 20_000_000_000
    assert report.summary.totals.usd_exact
    damaged = read_lines(capsys, tmp_path, page(result(output_tokens=10**14)))
    assert damaged.turns.select("output_tokens", "usage_from").rows() == [(None, "unreported")]
    assert not damaged.summary.totals.usd_exact


def test_no_other_format_takes_its_lines() -> None:
    assert taken_by(page(result()), bucket(completions()), CONSOLE, page()) == ["usage_export"]


def test_sums_are_not_compared_nor_moved(tmp_path: Path, capsys: Capture) -> None:
    """No run is told: nothing is checked, and no other model could have served one."""
    log = str(write(tmp_path / "export.json", page(result())))
    baseline = str(tmp_path / "base.parquet")
    assert said(capsys, "analyze", log, "-o", baseline, brief=True)
    told = said(capsys, "check", log, "--baseline", baseline, code=2)
    assert f"error: {baseline}: an export tells sums of days and models" in told
    told = said(capsys, "check", log, "--fail-on", "usd_per_run:1", code=2)
    assert f"error: {log}: an export tells sums of days and models" in told
    assert "cannot move to claude-haiku-5-5" in said(capsys, "whatif", log, "--model", "haiku-5-5")


def test_rows_of_totals_tell_what_is_a_sum(tmp_path: Path, capsys: Capture) -> None:
    write(tmp_path / "export.json", page(result()))
    write(tmp_path / "log.jsonl", assistant("m1", usage(10, out=5), timestamp="2026-11-03T08:00:00Z"))
    told = json.loads(said(capsys, "usage", str(tmp_path), "--json"))
    rows = [(row["day"], row["turns"], row["sum_turns"]) for row in told["rows"]]
    assert rows == [("2026-11-02", 1, 1), ("2026-11-03", 1, 0)]
    assert told["totals"]["sum_turns"] == 1


def test_sums_among_logs_are_no_runs_of_a_comparison(tmp_path: Path, capsys: Capture) -> None:
    """Of logs and of a report alike: the one run beside them is compared."""
    logs, report = tmp_path / "logs", tmp_path / "base.parquet"
    write(logs / "log.jsonl", assistant("m1", usage(10, out=5), timestamp="2026-11-03T08:00:00Z"))
    write(logs / "export.json", page(result()))
    assert said(capsys, "analyze", str(logs), "-o", str(report), brief=True)
    for baseline in (logs, report):
        told = json.loads(said(capsys, "check", str(logs), "--baseline", str(baseline), "--json"))
        assert (told["before"]["runs"], told["after"]["runs"]) == (1, 1)
        assert told["before"]["usd"] == told["after"]["usd"] == 0.000175


def test_the_first_screen_says_that_nothing_is_worked_out(tmp_path: Path, capsys: Capture) -> None:
    log = write(tmp_path / "export.json", page(result()))
    assert "CAN SAVE    totals only: sums of an export" in said(capsys, "analyze", str(log), brief=True)
