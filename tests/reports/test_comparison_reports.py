"""What each report of a comparison says is what the comparison found."""

import csv
import json
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from jsonschema import Draft202012Validator

from command import Capture, said
from costscan.actions.promised import PROMISES, STATES
from costscan.cli.comparison import write
from costscan.cli.options import Options
from costscan.gate import CAUSES, METRICS, Comparison, compare, limits
from costscan.gate_pipeline import compared, limits_of, read_whole, side
from costscan.reports.analysis.markdown import MOST_CHARS
from costscan.reports.comparison.github import annotations
from costscan.reports.comparison.markdown import LIMITS, ROWS, document
from costscan.reports.endings import COMPARISON
from costscan.reports.outputs import comparison_target
from gauges import families
from junit_schema import message, suite_of, verdict
from sarif_schema import hold_valid
from shown_markdown import headings, tables
from sides import Run
from sides import side as side_of
from suites import suite
from workflow_commands import commands

pytestmark = pytest.mark.usefixtures("kept_analyses")

CHOSEN: Final = {
    "usd:+5%": "failed",
    "usd[case-0]:+10%": "undecided",
    "usd:+300%": "passed",
    "volatile-prefix:0": "failed",
}
CROWD: Final = 1_200
NUMBER: Final = {"type": ["number", "null"]}
TEXT: Final = {"type": "string"}
COUNT: Final = {"type": "integer", "minimum": 0}


def exactly(**keys: Any) -> dict[str, Any]:
    """Return the schema of an object with these keys and no others."""
    return {
        "type": "object",
        "properties": keys,
        "required": list(keys),
        "additionalProperties": False,
    }


def rows(**keys: Any) -> dict[str, Any]:
    return {"type": "array", "items": exactly(**keys)}


SIDE: Final = exactly(
    name=TEXT, runs=COUNT, tasks=COUNT, turns=COUNT, usd={"type": "number"}, unpriced_turns=COUNT
)
FINDINGS: Final = rows(name=TEXT, task=TEXT, fingerprint=TEXT, runs=COUNT, usd=NUMBER, message=TEXT)
SCHEMA: Final = exactly(
    schema_version={"type": "integer"},
    costscan_version=TEXT,
    generated_at={"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T[\d:.]+Z$"},
    tz=TEXT,
    verdict={"enum": ["passed", "failed", "undecided"]},
    exit_code={"enum": [0, 1, 3]},
    false_alarm={"type": "number"},
    before={"anyOf": [SIDE, {"type": "null"}]},
    after=SIDE,
    usd_change=NUMBER,
    environment=rows(what=TEXT, before=TEXT, after=TEXT),
    limits=rows(
        limit=TEXT,
        task=TEXT,
        metric=TEXT,
        before=NUMBER,
        after=NUMBER,
        change=NUMBER,
        p_value=NUMBER,
        verdict={"enum": ["passed", "failed", "undecided"]},
        is_over={"type": "boolean"},
        member={"type": ["string", "null"]},
        detectable=NUMBER,
        needed_runs={"type": ["integer", "null"]},
        runs={"anyOf": [{"type": "array", "items": COUNT, "minItems": 2, "maxItems": 2}, {"type": "null"}]},
        why=TEXT,
        tz={"type": ["string", "null"]},
        significant={"type": ["boolean", "null"]},
    ),
    unchecked={"type": "array", "items": TEXT},
    comparison=rows(
        task=TEXT,
        metric=TEXT,
        before=NUMBER,
        after=NUMBER,
        change=NUMBER,
        p_value=NUMBER,
        limit={"type": ["string", "null"]},
        verdict=TEXT,
    ),
    causes=rows(task=TEXT, cause={"enum": list(CAUSES)}, part=TEXT, kind=TEXT, usd={"type": "number"}),
    tasks=rows(
        task=TEXT,
        state={"enum": ["new", "gone", "changed", "same"]},
        runs_before=COUNT,
        runs_after=COUNT,
        usd_before=NUMBER,
        usd_after=NUMBER,
        usd_change=NUMBER,
    ),
    new_findings=FINDINGS,
    fixed_findings=FINDINGS,
    promises={
        "anyOf": [
            rows(
                rank=COUNT,
                **dict.fromkeys(("id", "title", "subject", "scenario", "risk"), TEXT),
                setting={"type": ["string", "null"]},
                state={"enum": list(STATES)},
                calls=COUNT,
                **dict.fromkeys(("promised_usd", "left_usd", "came_true_share", "came_true_usd"), NUMBER),
            ),
            {"type": "null"},
        ]
    },
)


@dataclass(frozen=True)
class Checked:
    """A check, the fingerprints of the findings in its logs, and its reports."""

    found: Comparison
    fingerprints: set[str]
    folder: Path

    def text(self, ending: str) -> str:
        return (self.folder / f"check{ending}").read_text(encoding="utf-8")

    @property
    def document(self) -> Any:
        return json.loads(self.text(".json"))


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    folder = tmp_path_factory.mktemp("checked")
    before = suite(folder / "before" / "runs.jsonl")
    after = suite(folder / "after" / "runs.jsonl", changed=True, day="2026-11-03")
    logs = Options(workers=1).request([str(after)])
    applied = limits_of(list(CHOSEN), logs, has_baseline=True)
    with side(logs) as read:
        found = compared(read_whole(logs, str(before)), read.side, applied, logs)
        write([comparison_target(str(folder / f"check{ending}")) for ending in COMPARISON], found, read)
        assert read.summary is not None
        return Checked(found, set(read.summary.findings["fingerprint"]), folder)


def many(count: int, *words: str) -> Comparison:
    """Compare so many tasks of long names, each with a finding of a rule of its own."""
    names = [f"task-{n:05d} {'long ' * 12}" for n in range(count)]
    before = side_of(*(Run(f"b{n}", name, usd="1") for n, name in enumerate(names)))
    found = [(f"rule-{n}", f"mark-{n}") for n in range(count)]
    after = side_of(*(Run(f"a{n}", name, usd=str(2 + n), found=[found[n]]) for n, name in enumerate(names)))
    return compare(before, after, limits([("", word) for word in words], []))


def test_the_check_is_of_all_kinds(checked: Checked) -> None:
    assert {row.limit.text: row.verdict for row in checked.found.limits} == CHOSEN


def test_junit_says_what_came_of_each_limit(checked: Checked) -> None:
    cases = list(suite_of(checked.folder / "check.xml"))
    assert {case.name: verdict(case) for case in cases} == CHOSEN
    assert {case.name: case.classname for case in cases} == {
        "usd:+5%": "costscan.(all)",
        "usd[case-0]:+10%": "costscan.case-0",
        "usd:+300%": "costscan.(all)",
        "volatile-prefix:0": "costscan.(all)",
    }
    told = {case.name: message(case) for case in cases}
    assert told["volatile-prefix:0"] == "volatile-prefix is 10, allowed is at most 0"
    assert told["usd:+5%"].endswith("allowed is +5%; chance alone does that in 0.3% of cases")
    assert "1 and 1 runs are too few to tell" in told["usd[case-0]:+10%"]
    assert "allowed is +300%; with 10 and 10 runs" in told["usd:+300%"]


def test_junit_without_limits_is_a_suite_without_cases(
    capsys: Capture, checked: Checked, tmp_path: Path
) -> None:
    logs = [str(checked.folder / name / "runs.jsonl") for name in ("before", "after")]
    said(capsys, "compare", *logs, "-o", str(tmp_path / "c.xml"))
    assert list(suite_of(tmp_path / "c.xml")) == []


def test_csv_is_the_frame(checked: Checked) -> None:
    frame = checked.found.comparison
    found = list(csv.DictReader(checked.text(".csv").splitlines(), strict=True))
    assert list(found[0]) == frame.columns
    assert len(found) == frame.height
    for row, expected in zip(found, frame.iter_rows(named=True), strict=True):
        for name, value in expected.items():
            if isinstance(value, float):
                assert float(row[name]) == value
            else:
                # What a spreadsheet would take for a formula has a ' before it.
                assert row[name].removeprefix("'") == (value or "")


def test_json_holds_to_its_schema(checked: Checked) -> None:
    Draft202012Validator(SCHEMA).validate(checked.document)
    alone = compare(None, side_of(Run("a", usd="1")), limits([("", "usd:0.5")], []))
    from costscan.reports.comparison.json import encoded  # noqa: PLC0415

    Draft202012Validator(SCHEMA).validate(json.loads(encoded(alone)))
    told = [7, *"abcdefg", 9, Decimal(4), Decimal(1), 0.75, Decimal(3)]
    told[7] = "partly"
    promised = pl.DataFrame([told], schema=PROMISES, orient="row")
    Draft202012Validator(SCHEMA).validate(json.loads(encoded(replace(alone, promises=promised))))


def test_json_adds_up(checked: Checked) -> None:
    found = checked.document
    assert sum(row["usd"] for row in found["causes"]) == pytest.approx(found["usd_change"], abs=1e-9)
    assert sum(row["usd_change"] for row in found["tasks"]) == pytest.approx(found["usd_change"], abs=1e-9)
    assert found["after"]["usd"] - found["before"]["usd"] == pytest.approx(found["usd_change"], abs=1e-9)
    assert checked.found.causes["usd"].sum() == checked.found.usd_change


def test_gauges_are_the_numbers_of_the_document(checked: Checked) -> None:
    found, gauges = checked.document, families(checked.text(".prom"))

    def values(name: str, label: str) -> dict[str, float]:
        return {s.labels[label]: s.value for s in gauges[name].samples}

    for name in ("usd", "runs"):
        sides = {which: found[which][name] for which in ("before", "after")}
        assert values(f"compared_{name}", "side") == pytest.approx(sides, abs=1e-9)
    moved: Counter[str] = Counter()
    for row in found["causes"]:
        moved[row["cause"]] += row["usd"]
    assert values("moved_usd", "cause") == pytest.approx(dict(moved), abs=1e-9)
    assert values("check_verdict", "verdict") == {"failed": 1, "passed": 0, "undecided": 0}
    assert values("new_findings", "rule") == dict(Counter(row["name"] for row in found["new_findings"]))
    told = {s.labels["limit"]: s.labels["verdict"] for s in gauges["check_limit"].samples}
    assert told == CHOSEN
    whole = {row["metric"]: row for row in found["comparison"] if row["task"] == "(all)"}
    names = {"cache_hit_rate": "cache_hit_ratio"} | {
        name: name for name in METRICS if name != "cache_hit_rate"
    }
    seen = [name for name, gauge in names.items() if f"typical_run_{gauge}" in gauges]
    assert {"usd", "turns", "prompt_tokens", "cache_hit_rate"} <= set(seen)
    for name in seen:
        expected = {which: whole[name][which] for which in ("before", "after")}
        assert values(f"typical_run_{names[name]}", "side") == pytest.approx(expected)


def test_sarif_states_are_those_of_the_findings(checked: Checked) -> None:
    run = hold_valid(json.loads(checked.text(".sarif")))
    states = {r["partialFingerprints"]["costscan/v1"]: r["baselineState"] for r in run["results"]}
    assert set(states) == checked.fingerprints
    new = {row["fingerprint"] for row in checked.document["new_findings"]}
    assert {mark for mark, state in states.items() if state == "new"} == new
    assert set(states.values()) <= {"new", "unchanged"}
    assert new
    told = "FAILED: 2 of 4 limits exceeded, 1 not decided"
    assert run["invocations"] == [{"exitCode": 1, "exitCodeDescription": told, "executionSuccessful": True}]


def test_sarif_without_a_baseline_has_no_states(capsys: Capture, checked: Checked, tmp_path: Path) -> None:
    logs = str(checked.folder / "after" / "runs.jsonl")
    said(capsys, "check", logs, "--fail-on", "usd:100", "-o", str(tmp_path / "c.sarif"))
    run = hold_valid(json.loads((tmp_path / "c.sarif").read_text(encoding="utf-8")))
    assert run["results"]
    assert not any("baselineState" in result for result in run["results"])


def test_parquet_and_csv_tell_of_the_same_tasks(checked: Checked) -> None:
    tasks = set(pl.read_parquet(checked.folder / "check.parquet")["task"])
    assert tasks == {row["task"] for row in checked.document["tasks"]}


@pytest.fixture(scope="module")
def crowd() -> Comparison:
    return many(CROWD, "usd[*]:+1%", "findings[*]:+0")


def test_markdown_keeps_to_its_size(crowd: Comparison) -> None:
    """Rows that do not fit are counted, with what they cost; a table is never cut off, and none is gone."""
    text = document(crowd)
    assert len(text) <= MOST_CHARS
    assert set(headings(text)[1:]) == {"Why it moved", "A typical run", "Tasks", "New findings"}
    told = text.splitlines()
    limits_shown = sum(1 for line in told if line.startswith(("- ❌", "- ⚠️", "- ✅")))
    assert 0 < limits_shown <= LIMITS
    assert f"- … and {2 * CROWD - limits_shown:,} more limits" in told
    task_rows = next(rows for rows in tables(text) if rows[0][0] == "task")[1:]
    assert 0 < len(task_rows) <= ROWS
    # Each task costs a dollar before, and 2, 3, 4... after: the most expensive are shown.
    hidden = sum(Decimal(n + 1) for n in range(CROWD - len(task_rows)))
    assert any(f"and {CROWD - len(task_rows):,} more tasks, \\${hidden:,}" in line for line in told)


@pytest.mark.parametrize("most_chars", [1_000, 4_000, 12_000])
def test_a_small_page_loses_rows_before_tables(crowd: Comparison, most_chars: int) -> None:
    text = document(crowd, most_chars=most_chars)
    assert len(text) <= most_chars
    assert "more limits" in text
    for found in tables(text):
        assert {len(row) for row in found} == {len(found[0])}
        assert len(found) > 1
    if most_chars >= 4_000:
        assert set(headings(text)[1:]) == {"Why it moved", "A typical run", "Tasks", "New findings"}


def test_ten_annotations_of_a_level(crowd: Comparison) -> None:
    levels = Counter(command.name for command in commands("\n".join(annotations(crowd))))
    assert levels == {"error": 10, "warning": 10, "notice": 10}


def test_an_error_is_not_crowded_out_by_warnings() -> None:
    """Twenty tasks with one run a side cannot decide; what is certain comes first, and whole."""
    found = many(20, "usd[*]:+1%", "usd_per_run:3")
    assert Counter(row.verdict for row in found.limits) == {"undecided": 20, "failed": 1}
    told = commands("\n".join(annotations(found)))
    assert [command.name for command in told] == ["error"] + ["warning"] * 10 + ["notice"] * 10
    assert told[0].properties["title"] == "costscan usd_per_run:3"


def test_no_annotation_is_no_line(capsys: Capture, checked: Checked) -> None:
    logs = str(checked.folder / "after" / "runs.jsonl")
    plain = said(capsys, "check", logs, "--fail-on", "usd:100")
    assert said(capsys, "check", logs, "--fail-on", "usd:100", "--github") == plain


def test_counts_of_findings_are_held_for_each_task() -> None:
    """One task has a finding that is new, the other one that was there before."""
    before = side_of(Run("b0", "one", usd="1"), Run("b1", "two", usd="1", found=[("rule", "old")]))
    after = side_of(
        Run("a0", "one", usd="1", found=[("rule", "new")]), Run("a1", "two", usd="1", found=[("rule", "old")])
    )
    found = compare(before, after, limits([("", "new-findings[*]:0"), ("", "findings[*]:+0")], []))
    assert [(row.limit.text, row.task, row.verdict) for row in found.limits] == [
        ("new-findings[*]:0", "one", "failed"),
        ("new-findings[*]:0", "two", "passed"),
        ("findings[*]:+0", "one", "failed"),
        ("findings[*]:+0", "two", "passed"),
    ]
    told = commands("\n".join(annotations(found)))
    assert told[0].properties["title"] == "costscan new-findings[*]:0 [one]"


def test_a_limit_names_a_task_of_several_lines() -> None:
    name = "nightly\nof the week"
    sides = [side_of(Run(mark, name, usd="2")) for mark in "ba"]
    (row,) = compare(sides[0], sides[1], limits([("", f"usd[{name}]:1")], [])).limits
    assert (row.task, row.verdict) == (name, "failed")


def test_a_report_whose_name_is_a_pattern_is_a_baseline(
    capsys: Capture, checked: Checked, tmp_path: Path
) -> None:
    logs = str(checked.folder / "before" / "runs.jsonl")
    report = str(tmp_path / "[week] 44.parquet")
    said(capsys, "analyze", logs, "-o", report)
    assert "passed" in said(capsys, "check", logs, "--baseline", report)
