"""The page of a run in a browser: links both ways, the address, the charts, filters and copying."""

from contextlib import chdir
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from playwright.sync_api import Browser

from billed import ROOT
from browser import Shown, shown
from command import logs_of
from costscan.reports.html import write
from costscan.reports.text import numbers as wording
from costscan.summary import Summary
from page_data import data_of

pytestmark = pytest.mark.usefixtures("kept_analyses")

RECTS: Final = """(n) => [...document.querySelectorAll('#run svg.plot')[n].querySelectorAll('[aria-label=rect] rect')]
  .map((rect) => ['x', 'y', 'width', 'height'].map((name) => +rect.getAttribute(name)).concat(rect.textContent))"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    path = tmp_path_factory.mktemp("run") / "report.html"
    with chdir(ROOT), logs_of("sample_logs") as (x, summary):
        write(summary, x, path)
    return path, summary


def pages_of(report: Path) -> Any:
    return data_of(report.read_text(encoding="utf-8"))["pages"]


def where(seen: Shown) -> str:
    return str(seen.script("location.hash"))


def test_links_lead_to_a_run_and_back(chromium: Browser, sample: tuple[Path, Summary]) -> None:
    report, summary = sample
    first = summary.runs["run_id"][0]
    with shown(chromium, report) as seen:
        page = seen.page
        page.locator("#table-runs").get_by_role("link", name=first[:8]).click()
        assert where(seen) == f"#run={first}"
        assert not page.locator("#all").is_visible()
        said = page.locator("#run").inner_text()
        for words in (
            "$0.79",
            "23 calls",
            "90%",
            "copperline",
            "claude-opus-5-5",
            "$0.73 with all actions",
            first,
        ):
            assert words in said, words
        page.get_by_role("link", name="All runs").click()
        assert where(seen) == "#at=runs"
        assert page.locator("#table-runs").is_visible()
        assert not page.locator("#run").is_visible()
        page.go_back()
        assert where(seen) == f"#run={first}"
        assert page.locator("#run").is_visible()
        page.go_back()
        assert page.locator("#all").is_visible()
        page.go_forward()
        assert page.locator("#run").is_visible()
        page.locator("nav").get_by_role("link", name="Findings").click()
        assert page.locator("#findings").is_visible()
        assert seen.script("document.querySelector('#findings').getBoundingClientRect().top") < 200
        assert seen.complaints == []


def test_a_finding_leads_to_its_turn(chromium: Browser, sample: tuple[Path, Summary]) -> None:
    """In the thread it was found in, which may be a sub-agent; and an action leads to its runs."""
    report, _ = sample
    with shown(chromium, report) as seen:
        page = seen.page
        row = page.locator("#table-findings tbody tr", has_text="cache-expired").first
        row.get_by_role("link", name="17").click()
        assert page.locator("#run tr.here td.count").first.inner_text() == "17"
        box = page.locator("#run tr.here").bounding_box()
        assert box
        assert 0 < box["y"] < 900
        page.go_back()
        row = page.locator("#table-findings tbody tr", has_text="duplicated-subagent-context").first
        row.locator("td.name a").click()
        assert "thread=" in where(seen)
        assert page.get_by_label("Thread", exact=True).input_value() == row_thread(seen)
        page.locator("nav").get_by_role("link", name="Actions").click()
        page.locator("#table-actions .opener button").first.click()
        page.locator("#table-actions .more").get_by_role("link", name="6ba15ea5").click()
        assert where(seen).startswith("#run=6ba15ea5")
        assert "$0.37" in page.locator("#run ol").inner_text()
        page.locator("#run ol").get_by_role("link").first.click()
        assert page.locator("#table-actions tr.here").inner_text().strip().startswith("1. ")
        assert seen.complaints == []


def row_thread(seen: Shown) -> str:
    return str(seen.script("new URLSearchParams(location.hash.slice(1)).get('thread')"))


def test_a_run_without_a_page_says_so(chromium: Browser, sample: tuple[Path, Summary]) -> None:
    report, summary = sample
    cheapest = summary.runs.sort("usd")["run_id"][0]
    with shown(chromium, report, f"#run={cheapest}") as seen:
        said = seen.page.locator("#run").inner_text()
        assert "No page for this run: only the 50 most expensive runs have one" in said
        assert cheapest in said
        seen.page.get_by_role("link", name="All runs").click()
        seen.page.locator("#table-runs").get_by_role("searchbox").fill(cheapest)
        assert seen.texts("#table-runs td.name") == [cheapest]
        assert seen.page.locator("#table-runs td.name a").count() == 0
        assert seen.complaints == []


def test_bars_of_all_turns_have_one_scale(chromium: Browser, sample: tuple[Path, Summary]) -> None:
    """The height of a bar, all classes together, is the same for a token (or a dollar) in every turn."""
    report, _ = sample
    pages = pages_of(report)
    first, many = pages["runs"][0]["threads"][0]["turns"]
    told = {c["title"]: c["values"][first : first + many] for c in pages["turns"]["columns"]}
    with shown(chromium, report, f"#run={pages['runs'][0]['id']}") as seen:
        for unit, names in (
            ("tokens", pages["classes"]),
            ("dollars", [f"{name} cost" for name in pages["classes"]]),
        ):
            seen.page.get_by_role("button", name=unit).click()
            assert seen.page.get_by_role("button", name=unit).get_attribute("aria-pressed") == "true"
            sums = [sum(told[name][n] for name in names) for n in range(many)]
            heights: dict[float, float] = {}
            for x, _, _, height, _ in seen.script(RECTS, 0):
                heights[x] = heights.get(x, 0) + height
            assert len(heights) == many
            scales = [heights[x] / value for x, value in zip(sorted(heights), sums, strict=True)]
            assert scales == pytest.approx([scales[0]] * many, rel=0.02)
        assert where(seen).endswith("unit=usd")
        seen.page.go_back()
        assert seen.page.get_by_role("button", name="tokens").get_attribute("aria-pressed") == "true"


def test_a_press_on_a_bar_leads_to_its_turn(chromium: Browser, sample: tuple[Path, Summary]) -> None:
    report, _ = sample
    with shown(chromium, report, "#run=6ba15ea5") as seen:
        chart = seen.page.locator("#run svg.plot").first
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        assert box
        left, right = 60, 12
        middle = left + (box["width"] - left - right) * 4.5 / 30
        seen.page.mouse.move(box["x"] + middle, box["y"] + 200)
        seen.page.mouse.click(box["x"] + middle, box["y"] + 200)
        assert where(seen).endswith("turn=4")
        assert seen.page.locator("#run tr.here td.count").first.inner_text() == "4"
        assert seen.complaints == []


def test_the_area_of_a_band_is_what_was_sent(chromium: Browser, sample: tuple[Path, Summary]) -> None:
    report, _ = sample
    with shown(chromium, report, "#run=6ba15ea5") as seen:
        rects = seen.script(RECTS, 1)
        large = [rect for rect in rects if "tool results, came in at turn 3:" in rect[4]]
        assert len(large) == 1
        assert "in the prompts of 27 turns (3-29)" in large[0][4]
        pages = pages_of(report)
        page = next(page for page in pages["runs"] if page["id"].startswith("6ba15ea5"))
        first, many = page["threads"][0]["turns"]
        told = {c["title"]: c["values"][first : first + many] for c in pages["turns"]["columns"]}
        sent = sum(sum(told[name]) for name in ("cache read", "cache write", "fresh input"))
        area = sum(width * height for _, _, width, height, _ in rects)
        start, size = page["threads"][0]["carried"]
        most = max(pages["carried"]["tokens"][start : start + size])
        scale = sum(height for *_, height, _ in seen.script(RECTS, 0)) / (sent + sum(told["output"]))
        assert large[0][3] == pytest.approx(most * scale, rel=0.02), "as high as in the chart above"
        assert large[0][2] * large[0][3] / area == pytest.approx(most * 27 / sent, rel=0.02)


def test_filters_stand_in_the_address(chromium: Browser, sample: tuple[Path, Summary]) -> None:
    report, summary = sample
    some = summary.runs.filter(task="catalogue-text")
    with shown(chromium, report) as seen:
        page = seen.page
        bar, runs = page.locator("#filters"), page.locator("#table-runs").get_by_role("status")
        bar.get_by_label("Only task").select_option("catalogue-text")
        assert where(seen) == "#task=catalogue-text"
        assert runs.inner_text().startswith(f"1-25 of {some.height} runs")
        assert f"{some.height} of 80 runs" in bar.inner_text()
        of_task = pl.col("root_run_id").is_in(some["run_id"].to_list()) & (pl.col("saved_usd") != 0)
        ranks = sorted(set(summary.saved_of_runs.filter(of_task)["rank"]))
        assert 0 < len(ranks) < len(summary.actions)
        shown_ranks = [int(text.partition(".")[0]) for text in seen.texts("#table-actions td.prose")]
        assert shown_ranks == ranks
        found = summary.findings.filter(pl.col("root_run_id").is_in(some["run_id"].to_list()))
        assert (
            page.locator("#table-findings")
            .get_by_role("status")
            .inner_text()
            .endswith(wording.plural(found.height, "finding"))
        )
        bar.get_by_role("searchbox").fill(some["run_id"][3])
        assert runs.inner_text().startswith("1 run")
        bar.get_by_role("searchbox").fill("no such")
        assert runs.inner_text() == "no runs like that"
        page.go_back()
        assert bar.get_by_role("searchbox").input_value() == ""
        assert runs.inner_text().startswith(f"1-25 of {some.height} runs")
        page.go_back()
        assert runs.inner_text().startswith("1-25 of 80 runs")
        page.go_forward()
        assert bar.get_by_label("Only task").input_value() == "catalogue-text"
        bar.get_by_role("button", name="Clear").click()
        assert where(seen) in {"", "#"}
        bar.get_by_label("Only agent").select_option("general-purpose")
        assert runs.inner_text().startswith("1 run")
        bar.get_by_label("Only agent").select_option("")
        bar.get_by_label("Only model").select_option("claude-haiku-5-5")
        of_model = [run for run in summary.runs["models"] if "claude-haiku-5-5" in run]
        assert runs.inner_text().startswith(wording.plural(len(of_model), "run"))
        page.locator("#table-findings").get_by_label("Only rule").select_option(index=1)
        assert "findings.rule=" in where(seen)
        assert seen.complaints == []
    with shown(chromium, report, "#task=catalogue-text&findings.severity=warning&at=findings") as seen:
        assert (
            seen.page.locator("#table-runs").get_by_role("status").inner_text().startswith("1-25 of 40 runs")
        )
        assert set(seen.texts("#table-findings td[data-value=warning]")) == {"warning"}
        seen.page.locator("#table-runs td.name a").first.click()
        assert "task=catalogue-text" in where(seen), "a run keeps the filters for the way back"


def test_headers_stay_in_sight(chromium: Browser, sample: tuple[Path, Summary]) -> None:
    report, _ = sample
    with shown(chromium, report, "#at=runs") as seen:
        seen.page.locator("#table-runs tbody tr").nth(20).evaluate("(row) => row.scrollIntoView()")
        head = seen.page.locator("#table-runs thead th").nth(1).bounding_box()
        assert head
        assert head["y"] == pytest.approx(0, abs=1)
        assert seen.page.locator("#table-runs thead").is_visible()


STUB: Final = "Object.defineProperty(navigator, 'clipboard', { value: %s, configurable: true })"
ASYNC: Final = "{ writeText: async (text) => { window.copiedText = text; } }"
BROKEN: Final = "{ writeText: async () => { throw new Error('not allowed'); } }"


@pytest.mark.parametrize("clipboard", [ASYNC, BROKEN, "undefined"], ids=["clipboard", "refused", "none"])
def test_a_fix_is_copied_with_the_keyboard(
    chromium: Browser, sample: tuple[Path, Summary], clipboard: str
) -> None:
    report, summary = sample
    with shown(chromium, report) as seen:
        seen.script(STUB % clipboard)
        seen.script(
            "document.addEventListener('copy', () => { window.copiedText = document.activeElement.value; })"
        )
        seen.page.locator("#table-actions .opener button").first.click()
        button = seen.page.locator("#table-actions .more").get_by_role("button", name="Copy the fix")
        button.focus()
        button.press("Enter")
        seen.until("window.copiedText !== undefined")
        assert seen.script("window.copiedText") == summary.actions[0]["how"]
        seen.until("document.activeElement.nextSibling?.textContent === 'copied'")
        assert seen.page.locator("#rules .copy").count() == 6
        assert seen.complaints == []
