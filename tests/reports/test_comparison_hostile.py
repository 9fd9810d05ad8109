"""Every output of comparisons and trends of which all names are hostile: each parses, and none is disturbed."""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import html5lib
import polars as pl
import pytest

from costscan.cli.comparison import show, write
from costscan.cli.options import Options
from costscan.gate_pipeline import compared, limits_of, read_whole, side
from costscan.reports.analysis.markdown import MOST_CHARS
from costscan.reports.endings import COMPARISON, TREND
from costscan.reports.outputs import comparison_target, trend_target
from costscan.reports.text.console import PIPED_WIDTH, printed
from costscan.reports.text.sanitize import cells
from costscan.reports.trend.json import encoded
from costscan.reports.trend.terminal import render
from costscan.trend import read_history, trend
from gauges import families
from hostile import HUGE
from hostile_sides import GROUPS, history, limits_on, sides
from junit_schema import message, suite_of
from sarif_schema import hold_valid
from shown_markdown import headings, hold_inert, tables
from workflow_commands import commands

pytestmark = pytest.mark.usefixtures("kept_analyses")

CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f]")
HEADINGS: Final = {"Why it moved", "A typical run", "Tasks", "New findings", "Gone findings"}


@dataclass(frozen=True)
class Made:
    """What came of one check and one trend: a folder of reports, and what was printed."""

    folder: Path
    check: str
    check_json: str
    trend: str
    trend_json: str
    summary: str

    def report(self, of: str, ending: str) -> Path:
        return self.folder / f"{of}{ending}"


def outputs(folder: Path, kinds: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> Made:
    """Check the logs of hostile names and look at the trend of their history, with every output there is."""
    before, after = sides(folder, kinds)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
    logs = Options(workers=1).request([str(after)])
    limits = limits_of(limits_on(kinds), logs, has_baseline=True)
    with side(logs) as read:
        found = compared(read_whole(logs, str(before)), read.side, limits, logs)
        write([comparison_target(str(folder / f"check{ending}")) for ending in COMPARISON], found, read)
    past = trend(read_history([str(history(folder / "history", kinds))]))
    for ending in TREND:
        trend_target(str(folder / f"trend{ending}")).write_trend(past)
    return Made(
        folder,
        said(lambda: show(found, as_json=False, github=True, top=20)),
        said(lambda: show(found, as_json=True, github=True, top=None)),
        said(lambda: printed(render(past, width=PIPED_WIDTH))),
        encoded(past).decode(),
        (folder / "summary.md").read_text(encoding="utf-8"),
    )


def said(show: Callable[[], None]) -> str:
    """Return what is printed, its line ends as they are."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
    with redirect_stdout(out):
        show()
    out.flush()
    return out.buffer.getvalue().decode()


def hold_json(text: str) -> Any:
    assert not CONTROLS.search(text)
    return json.loads(text)


def is_json(path: Path) -> None:
    assert hold_json(path.read_text(encoding="utf-8"))["schema_version"]


def is_csv(path: Path) -> None:
    before = csv.field_size_limit(HUGE)
    with path.open(encoding="utf-8", newline="") as file:
        first, *rows = list(csv.reader(file, strict=True))
    csv.field_size_limit(before)
    assert rows
    assert {len(row) for row in rows} == {len(first)}
    texts = {"task", "metric", "limit", "verdict"}
    for row in rows:
        for name, cell in zip(first, row, strict=True):
            assert cell[:1] not in {"=", "+", "@", "\t", "\r", "\n"}, (name, cell[:99])
            assert cell[:1] != "-" or name not in texts, (name, cell[:99])


def is_markdown(path: Path) -> None:
    hold_markdown(path.read_text(encoding="utf-8"))


def hold_markdown(text: str) -> None:
    assert len(text) <= MOST_CHARS
    own, quote, rest = text.partition("> **The two sides differ in more than their runs.**\n")
    assert quote
    quoted, _, rest = rest.partition("\n\n")
    assert all(line.startswith("> - ") for line in quoted.splitlines())
    for part in (own, quoted.replace("> - ", "- "), rest):
        hold_inert(part)
    title, *others = headings(text)
    assert title.startswith("❌ costscan: \\$")
    assert set(others) <= HEADINGS
    assert {"Why it moved", "Tasks", "New findings"} <= set(others)
    for rows in tables(text):
        assert {len(row) for row in rows} == {len(rows[0])}
    assert text.count("❌") > 5, "limits that are passed stand there one by one"


def is_junit(path: Path) -> None:
    suite = suite_of(path)
    assert suite.failures > 5
    for case in suite:
        for text in (case.classname, case.name, message(case)):
            hold_line(text)
            assert len(text) <= 20_000


def is_openmetrics(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert families(text)["check_limit"].samples
    assert not any(c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in text)
    assert max(map(len, text.splitlines())) < 2000


def is_sarif(path: Path) -> None:
    run = hold_valid(hold_json(path.read_text(encoding="utf-8")))
    assert {result["baselineState"] for result in run["results"]} <= {"new", "unchanged"}
    assert run["results"]


def is_parquet(path: Path) -> None:
    assert pl.read_parquet(path).height >= 12


def is_html(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    html5lib.HTMLParser(strict=True).parse(text)
    assert text.lower().count("<script") == text.lower().count("</script") == 3
    assert text.count("<!--") == 0


COMPARED: Final[Mapping[str, Callable[[Path], None]]] = {
    ".json": is_json,
    ".md": is_markdown,
    ".xml": is_junit,
    ".csv": is_csv,
    ".prom": is_openmetrics,
    ".sarif": is_sarif,
    ".parquet": is_parquet,
    ".html": is_html,
}
OVER_TIME: Final[Mapping[str, Callable[[Path], None]]] = {".json": is_json, ".csv": is_csv}


@pytest.fixture(scope="module", params=GROUPS, ids="-".join)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return outputs(tmp_path_factory.mktemp("hostile"), request.param, monkeypatch)


def test_every_report_is_checked() -> None:
    assert set(COMPARED) == set(COMPARISON)
    assert set(OVER_TIME) == set(TREND)


@pytest.mark.parametrize("ending", COMPARED)
def test_a_comparison_of_hostile_names(made: Made, ending: str) -> None:
    COMPARED[ending](made.report("check", ending))


@pytest.mark.parametrize("ending", OVER_TIME)
def test_a_trend_of_hostile_names(made: Made, ending: str) -> None:
    OVER_TIME[ending](made.report("trend", ending))


def test_annotations_are_our_own(made: Made) -> None:
    """What a runner takes for commands is what we wrote as such, and each stands on a line of its own."""
    found = commands(made.check)
    assert {command.name for command in found} <= {"error", "warning", "notice"}
    assert "error" in {command.name for command in found}
    lines = [line for line in made.check.split("\n") if line.startswith("::")]
    assert len(lines) == len(found)
    for line, command in zip(lines, found, strict=True):
        assert list(command.properties) == ["title"]
        assert command.properties["title"].startswith("costscan ")
        assert command.text
        hold_line(line)
        hold_line(command.text)
        assert not commands(command.text)


def hold_line(line: str) -> None:
    assert line.isprintable(), line[:999]
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize("which", ["check", "trend"])
def test_the_terminal_shows_text_alone(made: Made, which: str) -> None:
    text = str(getattr(made, which))
    for line in text.split("\n")[:-1]:
        assert line.isprintable(), line[:999]
        assert line.startswith("::") or cells(line) <= PIPED_WIDTH, line[:999]
    assert len(text.split("\n")) < 400
    if which == "trend":
        assert "rose" in text
        assert commands(text) == []


def test_json_that_is_printed(made: Made) -> None:
    assert commands(made.check_json) == commands(made.trend_json) == []
    assert len(hold_json(made.check_json)["limits"]) > 10
    name = made.report("trend", ".json")
    assert hold_json(made.trend_json) == json.loads(name.read_text(encoding="utf-8"))


def test_the_summary_of_a_job(made: Made) -> None:
    hold_markdown(made.summary)
