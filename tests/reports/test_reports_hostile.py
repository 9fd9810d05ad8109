"""Every report as a file, of logs in which all that has a name is hostile: each parses, and none is disturbed."""

import csv
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import chdir
from pathlib import Path
from typing import Final

import polars as pl
import pytest

from command import logs_of
from costscan.reports.analysis.markdown import MOST_CHARS
from costscan.reports.endings import ANALYSIS
from costscan.reports.outputs import target
from gauges import families
from hostile import HUGE, NAMES, calls, written
from logs import write
from sarif_schema import hold_valid
from shown_markdown import headings, hold_inert, tables
from thoroughness import QUICK

pytestmark = pytest.mark.usefixtures("kept_analyses")

CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f]")
OWN_WORDS: Final = (
    "costscan ",
    "What each lever",
    "What to change first",
    "Findings",
    "Worst runs",
    "By model",
    "By tool",
    "Skipped",
)


def is_json(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    json.loads(text)
    assert not CONTROLS.search(text)


def is_csv(path: Path) -> None:
    before = csv.field_size_limit(HUGE)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    csv.field_size_limit(before)
    assert {len(row) for row in rows} == {len(rows[0])}


def is_parquet(path: Path) -> None:
    assert pl.read_parquet(path).height


def is_markdown(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text) <= MOST_CHARS
    hold_inert(text)
    assert all(heading.startswith(OWN_WORDS) for heading in headings(text))
    found = list(tables(text))
    assert len(found) >= 4
    for rows in found:
        assert {len(row) for row in rows} == {len(rows[0])}


def is_sarif(path: Path) -> None:
    is_json(path)
    run = hold_valid(json.loads(path.read_text(encoding="utf-8")))
    assert run["results"] or path.stem == "huge"


def is_openmetrics(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert families(text)
    assert not any(c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in text)
    assert max(map(len, text.splitlines())) < 2000


CHECKS: Final[Mapping[str, Callable[[Path], None]]] = {
    ".json": is_json,
    ".parquet": is_parquet,
    ".csv": is_csv,
    ".md": is_markdown,
    ".sarif": is_sarif,
    ".prom": is_openmetrics,
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of reports: `<name>.<ending>` of each hostile name, of all of them, and of huge ones."""
    logs, folder = tmp_path_factory.mktemp("logs"), tmp_path_factory.mktemp("reports")
    written(logs)
    huge = write(
        tmp_path_factory.mktemp("huge") / "huge.jsonl", *calls("@`|" * (HUGE // 30), 99)[:2], "[" * HUGE
    )
    every = (*logs.iterdir(), logs, huge)
    # All the names together are in what is said of levers.
    with_levers = (logs, huge) if QUICK else every
    for path in every:
        with chdir(path.parent), logs_of(path.name, levers=path in with_levers) as (x, summary):
            for ending in CHECKS:
                target(str(folder / f"{path.stem}{ending}")).write(summary, x)
    return folder


def test_every_report_is_checked() -> None:
    assert set(ANALYSIS) - {".html"} == set(CHECKS)


@pytest.mark.parametrize("ending", CHECKS)
@pytest.mark.parametrize("name", [*NAMES, "huge"])
def test_a_report_of_hostile_names(reports: Path, name: str, ending: str) -> None:
    CHECKS[ending](reports / f"{name}{ending}")


@pytest.mark.parametrize("ending", CHECKS)
def test_a_report_of_all_hostile_names(reports: Path, ending: str) -> None:
    (path,) = (p for p in reports.iterdir() if p.name.startswith("logs") and p.suffix == ending)
    CHECKS[ending](path)
