"""The HTML report as a file: whole in itself, valid, the same each time, and true to the summary."""

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import html5lib
import polars as pl
import pytest

from billed import NOW, ROOT
from command import logs_of
from costscan.reports.html import write
from costscan.reports.html.contents import contents
from costscan.reports.html.page import LAYOUTS, LIBRARY, page
from costscan.reports.html.tables import MOST_FINDINGS
from costscan.rulebook import Diagnosis
from costscan.summary import Summary
from logs import Json, at, message, pair, usage
from logs import write as log
from page_data import data_of, table_of

pytestmark = pytest.mark.usefixtures("kept_analyses")

PACKAGE: Final = ROOT / "analyzer" / "costscan" / "reports" / "html"


@pytest.fixture(scope="module")
def sample() -> Iterator[tuple[Diagnosis, Summary]]:
    with chdir(ROOT), logs_of("sample_logs") as found:
        yield found[0], replace(found[1], generated_at=NOW)


@pytest.fixture(scope="module")
def text(sample: tuple[Diagnosis, Summary]) -> str:
    return page(contents(sample[1], sample[0]))


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the texts of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] in {"script", "style"} and data.strip():
            self.inside.append((self.found[-1][0], data))


def test_it_is_valid_and_whole_in_itself(text: str) -> None:
    html5lib.HTMLParser(strict=True).parse(text)
    elements = Elements(text)
    for tag, attributes in elements.found:
        assert not {"src", "srcset", "action", "style"} & set(attributes), tag
        assert not any(name.startswith("on") for name in attributes), tag
        assert (attributes.get("href") or "#").startswith("#")
        assert tag not in {"link", "iframe", "img", "object", "base", "form"}


def test_the_policy_lets_in_what_is_in_the_page_and_nothing_else(text: str) -> None:
    elements = Elements(text)
    policy = next(a["content"] for tag, a in elements.found if tag == "meta" and "http-equiv" in a) or ""
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe" not in policy
    hashes = [
        (tag, f"'sha256-{b64encode(sha256(inside.encode()).digest()).decode()}'")
        for tag, inside in elements.inside
    ]
    scripts = [found for tag, found in hashes if tag == "script"]
    assert rules["script-src"].split() == scripts[1:]
    assert len(scripts) == 3
    assert [found for tag, found in hashes if tag == "style"] == rules["style-src"].split()[:1]


def test_the_same_summary_gives_the_same_bytes(
    sample: tuple[Diagnosis, Summary], tmp_path: Path, text: str
) -> None:
    x, summary = sample
    write(summary, x, tmp_path / "a.html")
    assert (tmp_path / "a.html").read_bytes() == text.encode()


def test_the_tables_are_those_of_the_summary(sample: tuple[Diagnosis, Summary], text: str) -> None:
    _, summary = sample
    data = data_of(text)
    runs, found = table_of(data, "runs"), table_of(data, "findings")
    assert runs["cost"] == [float(round(usd, 6)) for usd in summary.runs["usd"]]
    assert runs["task"] == summary.runs["task"].to_list()
    assert runs["calls"] == summary.runs["turns"].to_list()
    assert [run[:8] for run in runs["run"]] == [run[:8] for run in summary.runs["run_id"]]
    start = summary.runs["started_at"][0]
    assert datetime.fromtimestamp(runs["started"][0] * 60, UTC) == start.replace(second=0, microsecond=0)
    for title, name in (("rule", "name"), ("evidence", "evidence"), ("fix", "fix"), ("severity", "severity")):
        assert found[title] == summary.findings[name].to_list()
    for name in ("task", "model", "tool", "day"):
        frame = getattr(summary, f"by_{name}")
        assert table_of(data, name)[name] == frame[name].to_list()
        assert table_of(data, name)["cost"] == [float(round(usd, 6)) for usd in frame["usd"]]


def test_the_waterfall_ends_where_all_levers_do(sample: tuple[Diagnosis, Summary], text: str) -> None:
    levers = data_of(text)["levers"]
    every = sample[1].scenario("all")
    assert every is not None
    assert every.usd is not None
    assert [name for name, _ in levers["falls"]] == ["caching", "trimming", "routing", "batching"]
    left = Decimal(str(levers["billedUsd"])) - sum(Decimal(str(saved)) for _, saved in levers["falls"])
    assert abs(left - every.usd) < Decimal("0.000005")
    assert levers["leftUsd"] == float(round(every.usd, 6))


def test_days_and_bars_add_up_to_the_bill(sample: tuple[Diagnosis, Summary], text: str) -> None:
    _, summary = sample
    data = data_of(text)
    assert data["spend"]["days"] == summary.by_day["day"].to_list()
    by_day = [sum(day) for day in zip(*data["spend"]["usd"], strict=True)]
    assert by_day == pytest.approx([float(usd) for usd in summary.by_day["usd"]], abs=1e-5)
    by_model = dict(summary.by_model.select("model", "usd").iter_rows())
    for model, row in zip(data["spend"]["models"], data["spend"]["usd"], strict=True):
        assert sum(row) == pytest.approx(float(by_model[model]), abs=1e-5)
    bins = data["distribution"]["bins"]
    assert sum(runs for _, _, runs, _ in bins) == summary.distribution.priced_runs == 80
    assert sum(usd for *_, usd in bins) == pytest.approx(float(summary.totals.usd or 0), abs=1e-5)
    for low, high, runs, usd in bins:
        assert high == pytest.approx(low * 10**0.2)
        assert low * runs <= usd + 1e-6
        assert usd <= high * runs + 1e-6


def test_the_curves_are_the_prompts(sample: tuple[Diagnosis, Summary], text: str) -> None:
    """The prompt of each turn of a run, stacked by kind."""
    x, _ = sample
    growth = data_of(text)["growth"]
    assert len(growth["curves"]) == 8
    curve = next(curve for curve in growth["curves"] if curve["run"] == "6ba15ea5")
    run_id = next(run for run in x.runs["run_id"] if run.startswith("6ba15ea5"))
    prompts = x.growth.filter(run_id=run_id).sort("turn")
    assert curve["turn"] == prompts["turn"].to_list()
    assert [sum(kinds) for kinds in zip(*curve["tokens"], strict=True)] == prompts["prompt_tokens"].to_list()
    results = curve["tokens"][growth["kinds"].index("tool results")]
    assert results[3] - results[2] >= 40_325, "the large result comes at turn 3"
    assert curve["mostTokens"] == prompts["prompt_tokens"].max()
    expired = next(curve for curve in growth["curves"] if curve["run"] == "c420286e")
    assert [turn for turn, *_ in expired["missed"]] == [17]


def many(n: int) -> Iterator[Json]:
    """Runs of which each differs from the others in all that a page tells of it."""
    for i in range(n):
        told = {
            "run_id": f"{i:08x}-0000-4000-8000-{i:012x}",
            "task": f"Look into ticket {i * 7919 % 10**6} of the queue",
        }
        answer = message(f"msg_{i}", usage(1000 + i * 37 % 977, out=i * 13 % 331))
        yield pair(answer, timestamp=at(i * 7 % 86_000), **told)


def test_a_run_takes_less_than_three_hundred_bytes(tmp_path: Path) -> None:
    """So that ten thousand and the largest tables of findings stay below three megabytes."""
    sizes = []
    for n in (500, 1500):
        with logs_of(str(log(tmp_path / f"{n}.jsonl", *many(n)))) as (x, summary):
            few = replace(summary, findings=summary.findings.clear())
            write(few, x, tmp_path / "report.html")
        sizes.append((tmp_path / "report.html").stat().st_size)
    assert (sizes[1] - sizes[0]) / 1000 < 230
    assert sizes[0] + 9500 * 230 < 3_000_000


def test_of_very_many_findings_the_most_expensive_are_shown(sample: tuple[Diagnosis, Summary]) -> None:
    x, summary = sample
    times = -(-MOST_FINDINGS // summary.findings.height)
    most = pl.concat([summary.findings] * (times + 1)).sort("usd", descending=True, nulls_last=True)
    data = contents(replace(summary, findings=most), x)
    assert table_of(data, "findings")["cost"] == [
        float(round(usd, 6)) for usd in most["usd"].head(MOST_FINDINGS)
    ]
    note = next(table["note"] for table in data["tables"] if table["name"] == "findings")
    assert f"The most expensive 1,000; {most.height - 1000} more are in -o report.json." in note


def test_versions_stand_in_one_place_and_are_those_of_the_files() -> None:
    lines = (PACKAGE / "vendor" / "versions.txt").read_text(encoding="utf-8").splitlines()
    files = {Path(file).name: (package, version) for package, version, file in map(str.split, lines)}
    assert {f"vendor/{name}" for name in files} == set(LIBRARY)
    licences = (PACKAGE / "vendor" / "LICENSES.txt").read_text(encoding="utf-8")
    for name, (package, version) in files.items():
        banner = (PACKAGE / "vendor" / name).read_text(encoding="utf-8")[:200]
        assert f"v{version} " in banner
        assert f"{package} {version}\n" in licences
    assert licences.count("Permission to use, copy, modify") == len(files)


def test_every_own_script_is_on_a_page() -> None:
    scripts = {name for layout in LAYOUTS for name in layout.scripts}
    assert scripts == {path.name for path in PACKAGE.glob("*.js")}


def test_own_scripts_write_texts_only() -> None:
    """No way into the document but texts and elements."""
    for name in {name for layout in LAYOUTS for name in layout.scripts}:
        source = (PACKAGE / name).read_text(encoding="utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(|setTimeout", source
        )
        assert "fetch" not in source
        assert "http" not in source
