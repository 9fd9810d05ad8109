"""The HTML report in a real browser: it asks for nothing, draws everything, sorts, filters and can be read."""

from contextlib import chdir
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final

import pytest
from playwright.sync_api import Browser

from billed import ROOT
from browser import Shown, shown
from command import logs_of
from costscan.aggregates import total
from costscan.reports.html import write
from costscan.reports.text import numbers as wording
from costscan.summary import Summary
from logs import message, pair, usage
from logs import write as log
from page_looks import CHARTS, CONTRAST

pytestmark = pytest.mark.usefixtures("kept_analyses")

FORMATS: Final = ROOT / "analyzer" / "costscan" / "reports" / "html" / "format.js"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    path = tmp_path_factory.mktemp("html") / "report.html"
    with chdir(ROOT), logs_of("sample_logs") as (x, summary):
        write(summary, x, path)
    return path, summary


def quiet(seen: Shown, report: Path) -> None:
    """Check that a page asked for nothing but itself, and complained of nothing."""
    assert seen.requests == [report.as_uri()]
    assert seen.complaints == []
    assert seen.script("document.documentElement.scrollWidth") <= seen.script("innerWidth")


RUN: Final = "#run=6ba15ea5"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("page", ["", RUN], ids=["main", "run"])
def test_whatever_the_width_and_theme(
    chromium: Browser, sample: tuple[Path, Summary], tmp_path: Path, page: str, dark: bool
) -> None:
    """Everything is drawn, nothing sticks out or is cut, and all text can be read."""
    report, _ = sample
    with shown(chromium, report, page, dark=dark) as seen:
        charts = [chart for chart in seen.script(CHARTS) if chart[1] or not page]
        assert len(charts) == (2 if page else 1 + 1 + 2 + 2 + 8)
        for label, marks, is_broken in charts:
            assert label
            assert marks > 0, label
            assert not is_broken, label
        for button in seen.page.locator(".opener button:visible").all()[:40:4]:
            button.click()
        seen.fits()
        read = seen.script(CONTRAST)
        assert read["texts"] > (150 if page else 300)
        assert read["faint"] == []
        assert len(seen.page.screenshot(path=tmp_path / "page.png", full_page=True)) > 50_000
        seen.page.mouse.move(600, 300)
        for chart in seen.page.locator("svg.plot:visible").all():
            chart.hover()
        seen.page.emulate_media(media="print")
        assert not seen.page.locator("nav").is_visible()
        quiet(seen, report)


def test_charts_fit_when_the_window_changes(chromium: Browser, sample: tuple[Path, Summary]) -> None:
    report, _ = sample
    with shown(chromium, report, width=1600) as seen:
        seen.page.set_viewport_size({"width": 420, "height": 900})
        seen.until(
            "[...document.querySelectorAll('svg.plot')].every((chart) => chart.getAttribute('width') < 420)"
        )
        assert all(marks for _, marks, _ in seen.script(CHARTS))
        quiet(seen, report)


def test_the_first_screen_says_what_the_terminal_says(
    chromium: Browser, sample: tuple[Path, Summary]
) -> None:
    report, summary = sample
    with shown(chromium, report) as seen:
        said = seen.page.locator("#overview").inner_text()
    every = summary.scenario("all")
    assert every is not None
    for words in (
        "$3.49",
        "every call priced at list",
        "cache write\t$1.55\t44%",
        "88% of input tokens had been sent before, which cost $1.16 (33% of the bill)",
        "every call exact, 0.0% of dollars off",
        wording.usd(every.usd),
        "All together save $1.01-1.11 (31%): first routing, $2.97 left",
        *summary.breakdowns["rule"]["name"].head(3),
    ):
        assert words in said, words


def test_sorting(chromium: Browser, sample: tuple[Path, Summary]) -> None:
    report, summary = sample
    cost, turns = "#table-runs tbody td.usd:nth-of-type(4)", "#table-runs tbody td.count:nth-of-type(7)"
    with shown(chromium, report) as seen:
        spent = summary.runs["usd"].sort(descending=True)
        assert seen.texts(cost) == wording.usd_column(spent)[:25]
        head = seen.page.locator("#table-runs th", has_text="calls")
        head.get_by_role("button").click()
        most = summary.runs["turns"].sort(descending=True).to_list()
        assert seen.texts(turns) == [str(n) for n in most[:25]]
        assert head.get_attribute("aria-sort") == "descending"
        head.get_by_role("button").press("Enter")
        assert seen.texts(turns) == [str(n) for n in most[::-1][:25]]
        assert head.get_attribute("aria-sort") == "ascending"
        assert seen.page.locator("#table-runs [aria-sort]").count() == 1
        seen.page.locator("#table-runs th", has_text="run").first.get_by_role("button").click()
        names = seen.texts("#table-runs tbody td.name")
        assert names == sorted(names)
        quiet(seen, report)


def test_filtering(chromium: Browser, sample: tuple[Path, Summary]) -> None:
    report, summary = sample
    with shown(chromium, report) as seen:
        runs, found = seen.page.locator("#table-runs"), seen.page.locator("#table-findings")
        status = runs.get_by_role("status")
        assert status.inner_text() == f"1-25 of {summary.runs.height} runs, $3.49"
        runs.get_by_role("button", name="Next").click()
        assert status.inner_text().startswith("26-50 of")
        runs.get_by_role("searchbox").fill("CATALOGUE-text")
        some = summary.runs.filter(task="catalogue-text")
        assert status.inner_text() == f"1-25 of 40 runs, {wording.usd(total(some['usd']))}"
        runs.get_by_role("searchbox").fill("no such run")
        assert status.inner_text() == "no runs like that"
        runs.get_by_role("searchbox").fill("agent-a714")
        assert status.inner_text().startswith("1 run, $0.65")
        runs.locator(".opener button").first.click()
        assert "agent-a71467262c16b71be $0.17, 7 calls" in runs.locator(".more").inner_text()
        runs.get_by_role("searchbox").fill("")
        found.get_by_label("Only severity").select_option("error")
        errors = summary.findings.filter(severity="error")
        assert found.get_by_role("status").inner_text().endswith(f"{errors.height} findings")
        assert set(seen.texts("#table-findings td[data-value=error]")) == {"error"}
        found.get_by_label("Only severity").select_option("")
        seen.page.locator("#rules").get_by_role("link", name="1 finding in 1 run").first.click()
        assert found.get_by_role("status").inner_text() == "1 finding"
        quiet(seen, report)


def test_a_row_opens_with_the_keyboard(chromium: Browser, sample: tuple[Path, Summary]) -> None:
    """What speaks for a finding, and how to mend it."""
    report, summary = sample
    most_expensive = summary.findings.row(0, named=True)
    with shown(chromium, report, width=360) as seen:
        first = seen.page.locator("#table-findings .opener button").first
        first.focus()
        first.press("Enter")
        told = seen.page.locator("#table-findings .more").inner_text()
        assert most_expensive["fix"] in told
        assert most_expensive["evidence"] in told
        assert most_expensive["confidence"] in told
        assert seen.script("document.activeElement.getAttribute('aria-expanded')") == "true"
        seen.page.keyboard.press("Enter")
        assert seen.page.locator("#table-findings .more").count() == 0
        quiet(seen, report)


def test_every_control_has_a_name_and_can_be_reached(chromium: Browser, sample: tuple[Path, Summary]) -> None:
    report, _ = sample
    with shown(chromium, report) as seen:
        for role in ("button", "searchbox", "combobox", "link"):
            every = seen.page.get_by_role(role)
            assert every.count() > 0
            assert every.count() == sum(
                seen.page.get_by_role(role, name=name, exact=True).count()
                for name in {one.get_attribute("aria-label") or one.inner_text() for one in every.all()}
                - {""}
            )
        headings = seen.script("[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => +h.tagName[1])")
        assert headings[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(headings))
        assert seen.script("document.documentElement.lang") == "en"


EMPTY: Final = {
    "unpriced": [pair(message(model="mystery-9"), model="mystery-9", run_id="r1")],
    "one run": [pair(message(), run_id="r1")],
    "free": [pair(message(used=usage(0), content=[]), run_id="r1")],
    "undated": [pair(message(), run_id="r1", timestamp=None)],
}


@pytest.mark.parametrize("kind", EMPTY)
def test_little_to_show(chromium: Browser, tmp_path: Path, kind: str) -> None:
    report = tmp_path / "report.html"
    with logs_of(str(log(tmp_path / "a.jsonl", *EMPTY[kind]))) as (x, summary):
        write(summary, x, report)
    with shown(chromium, report, width=360) as seen:
        said = seen.page.locator("main").inner_text()
        assert ("unknown" if kind == "unpriced" else "$0.00") in said
        assert "No run has more than one call." in said
        assert not {"NaN", "undefined", "null", "Infinity"} & set(said.replace(".", " ").split())
        quiet(seen, report)


def test_numbers_are_written_as_on_the_terminal(chromium: Browser) -> None:
    rng = Random("numbers")
    amounts = [Decimal(0), *(Decimal(n) / 10**e for n in (1, 5, 15, 25, 99, 12345, -7) for e in range(8))]
    shares = [0.0, 0.004, 0.005, 0.125, 0.994, 0.995, 0.9999, 1.0, *(rng.random() for _ in range(200))]
    sizes = [0, 7, 812, 999, 1000, 9_995, 40_325, 99_949, 99_950, 999_499, 999_500, 1_814_000, 10**9, 10**13]
    sizes += [int(10 ** (rng.random() * 12)) for _ in range(300)]
    page = chromium.new_page()
    page.add_script_tag(path=FORMATS)
    for is_fine in (None, True, False):
        numbers = [float(a) for a in amounts]
        told = page.evaluate("([all, fine]) => all.map((n) => usd(n, fine ?? undefined))", [numbers, is_fine])
        assert told == [wording.usd(a, fine=is_fine) for a in amounts]
    assert page.evaluate("(all) => all.map(percent)", shares) == [wording.percent(s) for s in shares]
    assert page.evaluate("(all) => all.map(tokens)", sizes) == [wording.tokens(n) for n in sizes]
    assert page.evaluate("(all) => all.map(count)", sizes) == [wording.count(n) for n in sizes]
    assert page.evaluate("[usd(null), percent(null), tokens(null), count(null), minute(null)]") == ["-"] * 5
    assert page.evaluate("minute", 29_696_761) == datetime.fromtimestamp(29_696_761 * 60, UTC).strftime(
        "%Y-%m-%d %H:%M"
    )
    page.close()
