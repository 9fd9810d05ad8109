"""What the command line says of levers: the page, the ranking, other models."""

import json
from decimal import Decimal
from typing import Any

import pytest

from command import Capture, said
from costscan.prices import price_table

pytestmark = pytest.mark.usefixtures("kept_analyses")

DEAR = "sample_logs/dearest-model-for-everything"
ITEMS = "sample_logs/one-item-per-run"
HEALTHY = "sample_logs/healthy-cached-run"


def report(capsys: Capture, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(capsys, "analyze", *arguments, "--json"))
    return found


def scenario(told: dict[str, Any], name: str) -> dict[str, Any]:
    return next(s for s in told["scenarios"] if s["scenario"] == name)


def test_the_parts_of_the_contract_and_their_sums(capsys: Capture) -> None:
    told = report(capsys, DEAR, ITEMS)
    names = [s["scenario"] for s in told["scenarios"]]
    assert names[:7] == ["as_billed", "no_caching", "caching", "trimming", "routing", "batching", "all"]
    assert not any("+" in name for name in names)
    levers = [scenario(told, name) for name in ("caching", "trimming", "routing", "batching")]
    whole = scenario(told, "all")
    assert sum(s["saved_joint_usd"] for s in levers) == pytest.approx(whole["saved_usd"], abs=1e-8)
    assert whole["usd"] + whole["saved_usd"] == pytest.approx(told["totals"]["usd"], abs=1e-8)
    after = sum(row["usd_after_all"] for row in told["runs"])
    assert after == pytest.approx(whole["usd"], abs=1e-7)
    assert all(row["usd_after_all"] <= row["usd"] for row in told["runs"])
    assert told["plan"][0]["lever"] == "routing"
    assert {one["lever"].partition("/")[0] for one in told["assumptions"]} <= {
        "caching",
        "routing",
        "batching",
    }


RISKS = {
    "as_billed": None,
    "no_caching": None,
    "caching": "none",
    "caching/fix-prefix": "none",
    "caching/breakpoints": "none",
    "caching/ttl": "none",
    "caching/explicit-cache": "none",
    "trimming": "low",
    "trimming/cap-tool-results": "low",
    "trimming/defer-unused-tools": "low",
    "trimming/drop-repeated-results": "none",
    "trimming/resize-images": "low",
    "trimming/prune-at-task-boundary": "needs-eval",
    "trimming/context-editing": "needs-eval",
    "trimming/compact-history": "needs-eval",
    "routing": "needs-eval",
    "routing/turns": "needs-eval",
    "routing/runs": "needs-eval",
    "batching": "latency",
    "batching/async": "latency",
    "batching/pack-items": "needs-eval",
    "all": "needs-eval",
}
"""Where the model sees what it saw, there is none; where it sees less, or another one answers, answers may differ:
little where what is left out can be asked for again. A batch answers later."""


def test_what_each_fix_risks(capsys: Capture) -> None:
    """Who takes a fix for harmless that is not finds out in production."""
    told = report(capsys, HEALTHY)
    assert {one["scenario"]: one["risk"] for one in told["scenarios"]} == RISKS


def test_a_healthy_run_has_next_to_nothing_to_save(capsys: Capture) -> None:
    told = report(capsys, HEALTHY)
    assert scenario(told, "all")["saved_usd"] < 0.005 * told["totals"]["usd"]
    assert all(scenario(told, name)["saved_usd"] == 0 for name in ("trimming", "routing", "batching"))


def test_the_page_of_levers(capsys: Capture) -> None:
    shown = said(capsys, "analyze", ITEMS, "--by", "lever")
    assert "pack-items" in shown
    assert "items to a context" in shown
    assert "short requests with short" in shown
    assert "assumed" in shown


def test_where_levers_pay_nothing_stands_beside_them(capsys: Capture) -> None:
    shown = said(capsys, "analyze", ITEMS, "--by", "lever")
    assert "pays nothing at" in shown
    assert "no hit rate" in shown
    told = report(capsys, ITEMS)
    routing, half = scenario(told, "routing"), scenario(told, "batching/async")
    assert (half["break_even"], half["break_even_of"]) == (0, "share_of_reads_found")
    assert routing["break_even_of"] == "times_the_turns"
    assert f"{routing['break_even']:.1f} times the calls" in shown
    assert scenario(told, "caching")["break_even"] is None
    assert "pays nothing at" not in said(capsys, "analyze", ITEMS)


def test_a_lever_that_is_off_is_not_priced(capsys: Capture) -> None:
    told = report(capsys, ITEMS, "--set", "routing.enabled=false")
    names = {s["scenario"] for s in told["scenarios"]}
    assert {"caching", "batching", "all"} <= names
    assert not any(name.startswith("routing") for name in names)
    joint = sum(scenario(told, name)["saved_joint_usd"] for name in ("caching", "trimming", "batching"))
    assert joint == pytest.approx(scenario(told, "all")["saved_usd"], abs=1e-8)


def test_runs_by_what_could_have_been_saved(capsys: Capture) -> None:
    waste = report(capsys, DEAR, ITEMS, "--rank", "waste")["runs"]
    saved = [row["usd"] - row["usd_after_all"] for row in waste]
    assert saved == sorted(saved, reverse=True)
    batching = report(capsys, DEAR, ITEMS, "--rank", "batching")["runs"]
    assert batching[0]["task"] == "catalogue-text"
    cost = report(capsys, DEAR, ITEMS)["runs"]
    assert [row["usd"] for row in cost] == sorted((row["usd"] for row in cost), reverse=True)


def test_every_run_on_another_model(capsys: Capture) -> None:
    told = json.loads(said(capsys, "whatif", DEAR, "--model", "haiku,sonnet", "--json"))
    assert told["models"] == ["claude-haiku-5-5", "claude-sonnet-5-5"]
    label = next(row for row in told["runs"] if row["run_id"] == "ticket-51431")
    # 296 tokens in and 19 out, nothing cached, on a model of the same family: worked out by hand.
    opus = Decimal(296) * 5 + Decimal(19) * 25
    haiku = Decimal(296) * Decimal("0.1") + Decimal(19) * Decimal("0.5")
    assert label["usd"] == pytest.approx(float(opus / 10**6))
    assert label["usd_on"]["claude-haiku-5-5"] == pytest.approx(float(haiku / 10**6))
    shown = said(capsys, "whatif", DEAR, "--model", "haiku")
    assert "all 23 runs" in shown
    assert "against what was billed" in shown


def test_a_model_nobody_knows(capsys: Capture) -> None:
    assert "no model that calls can be moved to" in said(
        capsys, "whatif", DEAR, "--model", "claude-haiku-9", code=2
    )
    assert "no model that calls can be moved to" in said(
        capsys, "analyze", DEAR, "--set", "routing.force=nova", code=2
    )
    assert "no model named" in said(capsys, "whatif", DEAR, "--model", ",", code=2)


def test_a_forced_model_may_be_more_expensive(capsys: Capture) -> None:
    told = report(capsys, DEAR, "--set", "routing.force=claude-fable-5-2")
    assert scenario(told, "routing")["saved_usd"] < 0
    assert scenario(told, "all")["saved_usd"] < 0


def test_less_effort_is_an_assumption_of_its_own(capsys: Capture) -> None:
    told = report(capsys, DEAR, "--set", "routing.effort=low")
    found = scenario(told, "routing/effort")
    assert found["saved_usd"] > 0
    assert not found["is_on"]
    wrong = said(capsys, "analyze", DEAR, "--set", "routing.effort=none", code=2)
    assert "low, medium, high" in wrong


def test_prices_are_those_of_the_day() -> None:
    """The hand-worked prices above are list prices of November 2026."""
    told = price_table().filter(model="claude-haiku-5-5", tier="standard", speed="standard", meter="input")
    assert Decimal("0.1") in told["usd_per_mtok"].to_list()
