"""A comparison as a page: it says what the comparison found, fits any window, and runs nothing of a log."""

import json
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any, Final

import html5lib
import pytest
from playwright.sync_api import Browser

from billed import ROOT
from browser import DRAWN, UNFIT, shown
from command import logs_of
from costscan.cli.app import run
from costscan.cli.options import Options
from costscan.gate import Comparison
from costscan.gate.action_changes import STATES
from costscan.gate_pipeline import compared, limits_of, read_whole, side
from costscan.reports.comparison import words
from costscan.reports.comparison.html import contents
from costscan.reports.html.page import COMPARISON, page
from hostile_sides import GROUPS, limits_on, sides
from page_data import data_of, table_of
from page_looks import CHARTS, CONTRAST

pytestmark = pytest.mark.usefixtures("kept_analyses")

BEFORE, AFTER = "sample_logs/one-item-per-run", "sample_logs"
LIMITS: Final = ("usd:+5%", "usd_per_run.p95:0.02", "volatile-prefix:0")


def comparison_of(before: str | None, after: str, limits: Any = LIMITS) -> Comparison:
    request = Options(workers=1).request([after])
    with side(request) as read:
        applied = limits_of(limits, request, has_baseline=before is not None, may_lack=True)
        return compared(None if before is None else read_whole(request, before), read.side, applied, request)


@pytest.fixture(scope="module")
def comparison() -> Iterator[Comparison]:
    with chdir(ROOT):
        yield comparison_of(BEFORE, AFTER)


@pytest.fixture(scope="module")
def report(comparison: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("comparison") / "change.html"
    path.write_text(page(contents(comparison), COMPARISON), encoding="utf-8")
    return path


def test_it_says_what_the_comparison_found(comparison: Comparison, report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    html5lib.HTMLParser(strict=True).parse(text)
    data = data_of(text)
    assert data["verdict"]["bill"] == words.bill(comparison)
    assert data["verdict"]["closing"] == "FAILED: 2 of 3 limits exceeded"
    assert data["verdict"]["outcome"] == "failed"
    change = float(comparison.usd_change or 0)
    assert sum(usd for _, usd, _ in data["causes"]) == pytest.approx(change, abs=1e-5)
    for name in ("why", "task", "model"):
        assert sum(table_of(data, name)["change"]) == pytest.approx(change, abs=1e-4), name
    limits = table_of(data, "limits")
    assert limits["verdict"] == ["failed", "failed", "passed"]
    assert sorted(limits["limit"]) == sorted(LIMITS)
    tasks = table_of(data, "task")
    assert tasks["task"] == comparison.tasks["task"].to_list()
    assert tasks["state"].count("new") == 10
    found = table_of(data, "findings")
    assert set(found["rule"]) == set(comparison.new_findings["name"])
    assert set(found["state"]) == {"new"}
    tools = table_of(data, "tool")
    assert tools["change"][tools["tool"].index("mcp__logs__search")] > 0.3


def test_actions_are_new_gone_or_stay(comparison: Comparison, report: Path) -> None:
    """What was advised on the logs of before, and is on the new ones, which hold them, by its id."""
    with chdir(ROOT), logs_of(BEFORE) as (_, before), logs_of(AFTER) as (_, after):
        old, new = ({row["id"] for row in summary.actions} for summary in (before, after))
        titles = {row["title"] for row in after.actions if row["id"] in new - old}
    told = table_of(data_of(report.read_text(encoding="utf-8")), "actions")
    found = {state: told["state"].count(state) for state in STATES}
    assert found == {"new": len(new - old), "gone": len(old - new), "on both sides": len(old & new)}
    assert found["new"] > found["on both sides"] > 0
    assert set(told["action"][: found["new"]]) == titles
    assert "Limit mcp__logs__search to 4,000 tokens a result" in titles
    assert comparison.actions is not None
    assert comparison.actions["saved_after"].null_count() == found["gone"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_whatever_the_width_and_theme(chromium: Browser, report: Path, dark: bool) -> None:
    with shown(chromium, report, dark=dark) as seen:
        said = seen.page.locator("#overview").inner_text()
        assert "FAILED: 2 of 3 limits exceeded" in said
        assert "tasks that are new" in said
        assert [(marks, is_broken) for _, marks, is_broken in seen.script(CHARTS)] == [(1, False)]
        seen.fits()
        read = seen.script(CONTRAST)
        assert read["texts"] > 150
        assert read["faint"] == []
        seen.page.locator("nav").get_by_role("link", name="Actions").click()
        assert seen.script("location.hash") == "#at=actions"
        seen.page.locator("#table-actions").get_by_label("Only state").select_option("new")
        states = seen.texts("#table-actions td.choice[data-value]")
        assert "new" in states
        assert "on both sides" not in states
        seen.page.go_back()
        assert "on both sides" in seen.texts("#table-actions td.choice[data-value]")
        seen.page.locator("#table-actions .opener button").first.click()
        assert seen.page.get_by_role("button", name="Copy the fix").count() == 1
        seen.nothing_happened(report)


LITTLE: Final = {
    "no baseline": (None, ["usd_per_run:2", "usd:+5%"]),
    "the same": (BEFORE, ["usd:+5%"]),
}


@pytest.mark.parametrize("kind", LITTLE)
def test_little_to_show(chromium: Browser, tmp_path: Path, kind: str) -> None:
    before, limits = LITTLE[kind]
    with chdir(ROOT):
        data = contents(comparison_of(before, BEFORE, limits))
    path = tmp_path / "x.html"
    path.write_text(page(data, COMPARISON), encoding="utf-8")
    with shown(chromium, path, width=360) as seen:
        said = seen.page.locator("main").inner_text()
        assert ("There is no baseline." if before is None else "The bill is as before.") in said
        assert ("unchecked" in said) == (before is None)
        assert not {"NaN", "undefined", "null", "Infinity"} & set(said.replace(".", " ").split())
        seen.fits()
        seen.nothing_happened(path)


def test_of_a_report_of_earlier_logs(tmp_path: Path) -> None:
    """It has no actions, which is said; and two reports alone make a page too."""
    both = [str(tmp_path / name) for name in ("a.parquet", "b.parquet")]
    with chdir(ROOT):
        assert run(["analyze", BEFORE, "-o", both[0]]) == run(["analyze", AFTER, "-o", both[1]]) == 0
    path = tmp_path / "x.html"
    assert run(["compare", *both, "-o", str(path)]) == 0
    data = data_of(path.read_text(encoding="utf-8"))
    assert table_of(data, "actions")["action"] == []
    assert sum(table_of(data, "model")["change"]) == pytest.approx(3.22, abs=0.01)


@pytest.mark.parametrize("kinds", GROUPS, ids="-".join)
def test_nothing_of_hostile_logs_is_executed(
    chromium: Browser, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    before, after = sides(tmp_path, kinds)
    comparison = comparison_of(str(before), str(after), limits_on(kinds))
    path = tmp_path / "x.html"
    path.write_text(page(contents(comparison), COMPARISON), encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    html5lib.HTMLParser(strict=True).parse(text)
    assert all(part.isprintable() for part in json.dumps(data_of(text), ensure_ascii=False).splitlines())
    with shown(chromium, path, width=360) as seen:
        for name in ("th button", ".opener button"):
            seen.script("(name) => document.querySelectorAll(name).forEach((one) => one.click())", name)
        seen.until(DRAWN)
        assert seen.script(UNFIT) == []
        seen.page.set_viewport_size({"width": 1280, "height": 900})
        seen.until(DRAWN)
        assert seen.script(UNFIT) == []
        seen.nothing_happened(path)
