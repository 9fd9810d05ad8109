"""The summary: every breakdown adds up to the bill, and what is not known is null."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from billed import ROOT, Billed, billed, sample_logs
from costscan.attribution import PARTS
from costscan.billing import Pricing, Selection
from costscan.reports.analysis.divisions import DIVISIONS
from costscan.summary.tables import MORE_PERIODS, OF_OWNERS
from logs import (
    OPUS,
    SONNET,
    assistant,
    at,
    message,
    pair,
    result,
    streamed,
    text,
    tool_result,
    tool_use,
    totals,
    usage,
    user,
    write,
)
from logs import usd as listed

SAMPLES = sorted(
    p.name
    for p in (ROOT / "sample_logs").iterdir()
    if p.is_dir() and p.name != "generator" and any(p.rglob("*.jsonl"))
)


def sums_up(found: Billed) -> None:
    """Check that every breakdown of the bill is the bill."""
    s = found.summary
    for name in ("by_model", "by_tool", "by_task", "by_day", "runs"):
        assert getattr(s, name)["usd"].sum() == (s.totals.usd or 0), name
    for division in DIVISIONS:
        assert s.division(division.name)["usd"].sum() == (s.totals.usd or 0), division
    for name in (*OF_OWNERS, *MORE_PERIODS):
        assert s.breakdowns[name]["usd"].sum() == (s.totals.usd or 0), name
        assert s.breakdowns[name]["turns"].sum() == s.totals.turns, name
        assert s.breakdowns[name][name].is_unique().all(), name
    assert sum(v for v in s.meters.values() if v) == (s.totals.usd or 0)
    for name in ("by_model", "by_task", "by_day", "runs"):
        assert getattr(s, name)["turns"].sum() == s.totals.turns
        assert getattr(s, name)["prompt_tokens"].sum() == s.totals.prompt_tokens
        assert getattr(s, name)["output_tokens"].sum() == s.totals.output_tokens
    assert s.by_tool["calls"].sum() == s.totals.tool_calls
    bill = found.x.frame("bill")
    assert bill["usd"].sum() == (s.totals.usd or 0)


def test_every_breakdown_adds_up_to_the_bill(samples: Billed) -> None:
    sums_up(samples)
    assert samples.summary.totals.usd_exact


@pytest.mark.parametrize("part", SAMPLES)
def test_of_each_sample_too(part: str) -> None:
    sums_up(sample_logs(part))


def test_with_a_discount_and_own_prices(samples: Billed) -> None:
    half = sample_logs(pricing=Pricing(discount=Decimal("0.5")))
    sums_up(half)
    assert samples.summary.totals.usd is not None
    assert half.summary.totals.usd == samples.summary.totals.usd / 2
    own = sample_logs(pricing=Pricing(overrides={"claude-opus-5-5": {"output": Decimal(0)}}))
    sums_up(own)
    assert not own.summary.prices.is_list


@pytest.mark.parametrize(
    "selection",
    [
        Selection(since=datetime(2026, 11, 3, tzinfo=UTC)),
        Selection(until=datetime(2026, 11, 5, 10, 30, tzinfo=UTC)),
        Selection(tasks=("copperline", "tidewater")),
        Selection(models=("claude-opus-5-5",)),
        Selection(tasks=("no such task",)),
    ],
    ids=["since", "until", "tasks", "models", "nothing"],
)
def test_of_a_part_of_the_logs(selection: Selection) -> None:
    part = sample_logs(selection=selection)
    sums_up(part)
    assert part.summary.totals.recorded_usd is None


def test_runs_are_worst_first(samples: Billed) -> None:
    costs = samples.summary.runs["usd"].to_list()
    assert costs == sorted(costs, reverse=True)


def test_percentiles_are_nearest_rank(tmp_path: Path) -> None:
    lines = [
        pair(message(f"msg_{n}", usage(n * 1000)), run_id=f"r{n}", timestamp=at(n)) for n in range(1, 11)
    ]
    spread = billed([write(tmp_path / "ten.jsonl", *lines)]).summary.distribution
    per_run = {name: value and float(value) for name, value in spread.usd_per_run.items()}
    assert per_run == pytest.approx({"p50": 0.025, "p90": 0.045, "p99": 0.05, "max": 0.05, "mean": 0.0275})
    assert spread.top_1pct_share == spread.top_10pct_share == pytest.approx(10 / 55)


def test_an_unknown_model_is_null_and_not_zero(tmp_path: Path) -> None:
    known = assistant("msg_1", usage(100, out=10))
    unknown = assistant("msg_2", usage(50, out=7), model="nova-9")
    other = assistant("msg_3", usage(50, out=7), model="nova-9") | {"sessionId": "s2"}
    log = write(tmp_path / "a.jsonl", user(), known, user(), unknown)
    second = write(tmp_path / "b.jsonl", user(sessionId="s2"), other)
    found = billed([log, second])
    sums_up(found)
    s = found.summary
    assert s.totals.usd == listed(OPUS, **{"in": 100, "out": 10})
    assert not s.totals.usd_exact
    assert (s.totals.unpriced_turns, s.totals.unpriced_models) == (2, ["nova-9"])
    models = dict(s.by_model.select("model", "usd").iter_rows())
    assert models == {OPUS: s.totals.usd, "nova-9": None}
    runs = {row["run_id"]: row for row in s.runs.iter_rows(named=True)}
    assert (runs["s1"]["usd"], runs["s1"]["unpriced_turns"]) == (s.totals.usd, 1)
    assert (runs["s2"]["usd"], runs["s2"]["usd_with_subagents"]) == (None, None)
    alone = billed([second]).summary
    assert alone.totals.usd is None
    assert set(alone.meters.values()) == {None}
    assert alone.by_tool["usd"].null_count() == alone.by_tool.height
    assert alone.distribution.usd_per_run["max"] is None


def test_a_turn_with_a_part_of_a_price_has_none(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", user(), assistant("msg_1", usage(100, out=10), model="nova-9"))
    found = billed([log], pricing=Pricing(overrides={"nova-9": {"input": Decimal(3)}}))
    assert found.summary.totals.usd is None
    assert found.summary.by_tool["usd"].null_count() == found.summary.by_tool.height
    whole = billed([log], pricing=Pricing(overrides={"nova-9": {"input": Decimal(3), "output": Decimal(5)}}))
    assert whole.summary.totals.usd == Decimal("0.00035")


def test_without_caching_every_prompt_token_is_plain_input(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", user(), assistant("msg_1", usage(7, read=1000, w5m=100, w1h=10, out=5)))
    s = billed([log]).summary
    scenario = s.scenario("no_caching")
    assert scenario is not None
    assert scenario.usd == listed(OPUS, **{"in": 1117, "out": 5})
    assert s.totals.usd is not None
    assert scenario.saved_usd == s.totals.usd - scenario.usd < 0
    assert s.runs["usd_no_caching"].to_list() == [scenario.usd]


def test_an_unfinished_output_makes_the_bill_a_lower_bound(tmp_path: Path) -> None:
    open_turn = streamed("msg_1", usage(100, out=1), model=SONNET, content=[text("word " * 670)])
    bare = write(tmp_path / "bare.jsonl", open_turn)
    s = billed([bare]).summary
    assert not s.totals.usd_exact
    assert (s.totals.placeholder_turns, s.totals.open_turns) == (1, 1)
    assert s.totals.usd == listed(SONNET, **{"in": 100, "out": 1})
    assert s.totals.usd_estimated == listed(SONNET, **{"in": 100, "out": 1000})
    total = totals(100, out=1234, cost=listed(SONNET, **{"in": 100, "out": 1234}))
    told = write(
        tmp_path / "told.jsonl",
        open_turn,
        result(listed(SONNET, **{"in": 100, "out": 1234}), {SONNET: total}),
    )
    s = billed([told]).summary
    assert s.totals.usd_exact
    assert (s.totals.placeholder_turns, s.totals.open_turns) == (1, 0)
    assert s.totals.usd == s.totals.usd_estimated == s.totals.recorded_usd == s.totals.recorded_billed_usd
    assert s.totals.unlogged_usd == listed(SONNET, out=1233)
    assert s.runs.filter(pl.col("run_id") == "s1")["recorded_usd"].to_list() == [s.totals.recorded_usd]


def test_tools_are_billed_with_all_that_carried_them(tmp_path: Path) -> None:
    lines = [
        user("look"),
        assistant(
            "msg_1", usage(1000, out=50), content=[tool_use("t1", "Read", path="a")], stop_reason="tool_use"
        ),
        user([tool_result("t1", "x" * 4000)]),
        assistant("msg_2", usage(3000, out=20), content=[text("done")]),
        user("and now?"),
        assistant("msg_3", usage(3100, out=10), content=[text("nothing")]),
    ]
    s = billed([write(tmp_path / "a.jsonl", *lines)]).summary
    tools = {row["tool"]: row for row in s.by_tool.iter_rows(named=True)}
    read = tools["Read"]
    assert read["calls"] == 1
    assert 0 < read["carried_usd"] < read["usd"]
    assert read["p50_tokens"] == read["p95_tokens"] == read["result_tokens"] > 1000
    assert {name for name in tools if name.startswith("(")} <= set(PARTS.values())
    assert all(row["calls"] is None for name, row in tools.items() if name.startswith("("))


def test_a_forked_session_counts_a_tool_call_once(tmp_path: Path) -> None:
    def session(name: str, *more: dict[str, Any]) -> list[dict[str, Any]]:
        shared = [
            user("look", sessionId=name),
            assistant(
                "msg_1", usage(1000, out=50), content=[tool_use("t1", "Read", path="a")], sessionId=name
            ),
            user([tool_result("t1", "x" * 400)], sessionId=name),
            assistant("msg_2", usage(1300, out=20), content=[text("done")], sessionId=name),
        ]
        return [*shared, *more]

    first = write(tmp_path / "s1.jsonl", *session("s1"))
    forked = write(
        tmp_path / "s2.jsonl",
        *session("s2", user("go on", sessionId="s2"), assistant("msg_3", usage(1400, out=9), sessionId="s2")),
    )
    s = billed([first, forked]).summary
    assert (s.totals.turns, s.totals.tool_calls) == (3, 1)
    assert s.inputs.duplicate_turns == 2


def test_a_day_without_a_time_is_unknown(tmp_path: Path) -> None:
    dated = assistant("msg_1", usage(10, out=1), timestamp="2026-07-01T23:59:59Z")
    undated = streamed("msg_2", usage(10, out=1), session_id="s2", stop_reason="end_turn")
    found = billed([write(tmp_path / "a.jsonl", user(), dated), write(tmp_path / "b.jsonl", undated)])
    assert found.summary.by_day["day"].to_list() == ["2026-07-01", "unknown"]
    assert found.summary.totals.undated_turns == 1
    sums_up(found)


def test_a_log_without_calls_is_an_empty_bill(tmp_path: Path) -> None:
    kept = write(tmp_path / "a.jsonl", user("hello"), assistant())
    part = billed([kept], selection=Selection(since=datetime(2027, 1, 1, tzinfo=UTC)))
    assert (part.summary.totals.turns, part.summary.totals.usd) == (0, Decimal(0))
    assert part.summary.totals.carried_share is None
    sums_up(part)
