"""The dashboard asks for what reports really hold, and Prometheus's own tool finds no fault in either."""

import json
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric

from billed import ROOT
from command import Capture, logs_of, said
from costscan.reports.analysis.openmetrics import document
from costscan.starter.grafana import PANELS, PLACE, dashboard_text
from gauges import families
from logs import pair, write

METRIC = re.compile(r"\bcostscan_(\w+)(?:\{([^}]*)\})?")
BY = re.compile(r"\bby \(([^)]*)\)")
SELECTED = re.compile(r'(\w+)="([^"]*)"')
SHOWN = re.compile(r"\{\{(\w+)\}\}")
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="no promtool (package prometheus)")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report with all that one may hold."""
    stream = pair(task="stream", duration_ms=2000, ttft_ms=400)
    log = write(tmp_path_factory.mktemp("log") / "a.jsonl", stream)
    with logs_of(str(ROOT / "sample_logs/idle-hour"), str(log)) as (analysis, summary):
        return document(summary, analysis)


@pytest.fixture(scope="module")
def held(report: str) -> dict[str, Metric]:
    return families(report)


QUERIES = [query for panel in PANELS for query in panel.queries]


@pytest.mark.parametrize("query", QUERIES, ids=[query.expression for query in QUERIES])
def test_each_query_is_of_what_reports_hold(held: dict[str, Metric], query: Any) -> None:
    asked = METRIC.findall(query.expression)
    assert asked
    for name, selectors in asked:
        labels = [sample.labels for sample in held[name].samples if sample.name == f"costscan_{name}"]
        wanted = dict(SELECTED.findall(selectors))
        assert any(wanted.items() <= own.items() for own in labels)
        by = {label for told in BY.findall(query.expression) for label in told.split(", ")}
        assert all(by <= own.keys() for own in labels)
        assert set(SHOWN.findall(query.legend)) <= by


def test_it_is_what_grafana_imports(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = said(capsys, "init", "--ci", "none", "--grafana")
    assert f"wrote {PLACE}" in told
    text = Path(PLACE).read_text("utf-8")
    assert text == dashboard_text()
    board = json.loads(text)
    shown = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert shown == [query.expression for query in QUERIES]
    assert {t["datasource"]["uid"] for panel in board["panels"] for t in panel["targets"]} == {"${source}"}
    assert [one["name"] for one in board["templating"]["list"]] == ["source"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    places = [panel["gridPos"] for panel in board["panels"]]
    assert all(one["x"] + one["w"] <= 24 for one in places)
    assert not any(_overlap(a, b) for a, b in combinations(places, 2))
    assert "there already" in said(capsys, "init", "--ci", "none", "--grafana", code=2)


def _overlap(a: dict[str, int], b: dict[str, int]) -> bool:
    return all(a[at] < b[at] + b[size] and b[at] < a[at] + a[size] for at, size in (("x", "w"), ("y", "h")))


def test_tables_name_their_columns(held: dict[str, Metric]) -> None:
    """The name of a column is by the letter of its query; what a table merges has one label."""
    tables = [panel for panel in json.loads(dashboard_text())["panels"] if panel["type"] == "table"]
    assert [panel["title"] for panel in tables] == ["By task", "By model", "By tool"]
    for panel in tables:
        names = panel["transformations"][1]["options"]["renameByName"]
        told = {f"Value #{target['refId']}": target["legendFormat"] for target in panel["targets"]}
        assert names == told
        assert {*BY.findall(" ".join(t["expr"] for t in panel["targets"]))} == {panel["title"].split()[1]}


@needs_promtool
def test_promtool_finds_no_fault_in_a_report(report: str) -> None:
    assert _promtool("check", "metrics", given=report.replace("# EOF\n", "")) == ""


@needs_promtool
def test_promtool_reads_each_query(tmp_path: Path) -> None:
    rules = [{"record": f"query:{n}", "expr": query.expression} for n, query in enumerate(QUERIES)]
    path = tmp_path / "rules.json"  # which is YAML, too
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    assert f"SUCCESS: {len(QUERIES)} rules found" in _promtool("check", "rules", str(path))


def _promtool(*words: str, given: str = "") -> str:
    done = subprocess.run([PROMTOOL or "", *words], input=given, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
