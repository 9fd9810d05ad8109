"""Findings in every format: as each is documented, equal to the report, and nothing of a log alive in any."""

import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from jsonschema import Draft202012Validator

from billed import ROOT
from command import Capture, logs_of
from costscan.errors import CostscanError
from costscan.reports.analysis.json import encoded as report
from costscan.reports.findings import concise, github, gitlab, names, printer, text
from costscan.reports.findings import json as json_lines
from costscan.reports.findings.listing import Listing, chosen
from costscan.reports.text.sanitize import cells
from costscan.reports.text.workflow_command import command
from costscan.rulebook import Diagnosis
from costscan.summary import Summary
from hostile import NAMES, written
from logs import assistant, user, write
from workflow_commands import Command, commands

pytestmark = pytest.mark.usefixtures("kept_analyses")

LOG: Final = "sample_logs/timestamp-in-system-prompt/parcel-desk.jsonl"
CODE_QUALITY: Final = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "minLength": 1, "not": {"pattern": r"^\./"}},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
"""https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format; paths do not begin with ./."""


@pytest.fixture(scope="module")
def found() -> Iterator[tuple[Diagnosis, Summary]]:
    with chdir(ROOT), logs_of("sample_logs") as both:
        yield both


@pytest.fixture(scope="module")
def every(found: tuple[Diagnosis, Summary]) -> Listing:
    return chosen(found[1], found[0])


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listing]:
    """Findings of all hostile names."""
    folder = written(tmp_path_factory.mktemp("hostile"))
    with chdir(folder), logs_of(".") as (x, summary):
        yield chosen(summary, x)


def made_up(listing: Listing, **changed: Any) -> Listing:
    """Return a listing of one finding, some columns of it changed."""
    row = listing.rows.head(1).with_columns(
        **{name: pl.lit(value, listing.rows.schema[name]) for name, value in changed.items()}
    )
    return replace(listing, rows=row, findings=row.select(listing.findings.columns))


def test_every_file_is_a_format(capsys: Capture, every: Listing) -> None:
    assert names() == ["text", "concise", "github", "gitlab", "json"]
    for name in names():
        printer(name).show(every, top=3)
        assert capsys.readouterr().out
    with pytest.raises(CostscanError, match="no such format of findings") as caught:
        printer("claude_code")
    assert caught.value.hint == "for that of logs: --log-format claude_code"
    with pytest.raises(CostscanError) as caught:
        printer("listing")
    assert caught.value.hint == "known: text, concise, github, gitlab, json"


def test_json_lines_are_the_findings_of_the_report(found: tuple[Diagnosis, Summary], every: Listing) -> None:
    told = json.loads(report(found[1]))["findings"]
    assert [json.loads(line) for line in json_lines.lines(every)] == told
    assert json_lines.lines(every, 3) == json_lines.lines(every)[:3]
    some = chosen(found[1], found[0], rules=["C001"])
    assert [json.loads(line) for line in json_lines.lines(some)] == [r for r in told if r["rule"] == "C001"]


def test_filters_choose_and_keep_the_order(found: tuple[Diagnosis, Summary], every: Listing) -> None:
    x, summary = found
    told = json.loads(report(summary))["findings"]
    root = "1aa90c57-ec68-4be1-90e2-68639bbf6fc1"
    agents = [row for row in told if row["root_run_id"] == root and row["run_id"] != root]
    assert agents

    def rows(**asked: Any) -> list[dict[str, Any]]:
        listing = chosen(summary, x, **asked)
        assert listing.left_out + listing.rows.height == len(told)
        assert listing.rows.select(listing.findings.columns).equals(listing.findings)
        return [json.loads(line) for line in json_lines.lines(listing)]

    assert rows(rules=["volatile-prefix", "T001"]) == [r for r in told if r["rule"] in {"C001", "T001"}]
    assert rows(severities=["error", "info"]) == [r for r in told if r["severity"] != "warning"]
    assert rows(runs=[root]) == [r for r in told if r["root_run_id"] == root]
    assert rows(runs=[agents[0]["run_id"]]) == [r for r in told if r["run_id"] == agents[0]["run_id"]]
    assert rows(runs=[root], severities=["error"]) == []
    assert rows() == told


def test_concise_lines_begin_with_a_place(every: Listing) -> None:
    row = {"rule": "C001", "severity": "error", "told": "It is so", "file": "a/b c.jsonl", "line": 12}
    listing = made_up(every, **row)
    cost = "$0.33"  # of the first finding of the samples
    assert concise.lines(listing) == [f"a/b c.jsonl:12: C001 error {cost} It is so"]
    assert concise.lines(made_up(every, **row | {"line": None, "usd": None})) == [
        "a/b c.jsonl: C001 error - It is so"
    ]
    assert concise.lines(made_up(every, **row | {"line": None, "file": None})) == [
        f": C001 error {cost} It is so"
    ]


def test_the_line_is_that_of_the_turn(every: Listing) -> None:
    line = next(line for line in concise.lines(every) if ": C001 " in line and line.startswith(LOG))
    place = re.match(r"(.*?):(\d+): C001 error \$0\.\d+ system\[0\]\.text, character 14: a timestamp", line)
    assert place is not None
    call = json.loads((ROOT / place[1]).read_text("utf-8").splitlines()[int(place[2]) - 1])
    assert "response" in call or "response_sse" in call


ESCAPED: Final = [
    ({"told": "50% of it, so: yes"}, "::50%25 of it, so: yes%0Afix: "),
    ({"told": "a\r\nb\n::error::c"}, "::a  b ::error::c%0Afix: "),
    ({"told": "::error::c"}, "::\N{REPLACEMENT CHARACTER}:error::c%0Afix: "),
    ({"told": "x ##[error]y ##vso[z]"}, "::x \N{REPLACEMENT CHARACTER}#[error]y \N{REPLACEMENT CHARACTER}#vso[z]%0A"),
    ({"fix": "do\x1b[31m %0A it"}, "%0Afix: do\N{REPLACEMENT CHARACTER}[31m %250A it"),
    ({"name": "a,b:c%d\n"}, ",title=T001 a%2Cb%3Ac%25d  $0.33::"),
    ({"file": "c:/x,y 1%.jsonl"}, "::warning file=c%3A/x%2Cy 1%25.jsonl,line=12,title="),
    ({"file": "x\n::stop-commands::y"}, "::warning file=x %3A%3Astop-commands%3A%3Ay,line=12,title="),
    ({"severity": "info"}, "::notice file="),
    ({"severity": "error"}, "::error file="),
    ({"line": None}, ".jsonl,title=T001"),
    ({"file": "-", "line": 3}, "::warning title=T001 bloated-tool-result $0.33::"),
    ({"file": None}, "::warning title=T001 bloated-tool-result $0.33::"),
    ({"usd": None}, ",title=T001 bloated-tool-result::"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "part"), ESCAPED)
def test_an_annotation_is_escaped(every: Listing, changed: dict[str, Any], part: str) -> None:
    (line,) = github.commands(made_up(every, **changed))
    assert part in line
    assert len(commands(line)) == 1


def test_an_annotation_as_a_whole() -> None:
    line = command("warning", ["a: b, 1%", "c"], file="d,e:f", line="7", title="g%")
    assert line == "::warning file=d%2Ce%3Af,line=7,title=g%25::a: b, 1%25%0Ac"
    assert commands(line) == [
        Command("warning", {"file": "d,e:f", "line": "7", "title": "g%"}, "a: b, 1%\nc")
    ]


def test_annotations_are_those_of_the_findings(every: Listing) -> None:
    told = commands("\n".join(github.commands(every)))
    assert len(told) == every.rows.height
    for one, row in zip(told, every.rows.iter_rows(named=True), strict=True):
        assert one.name == {"error": "error", "warning": "warning", "info": "notice"}[row["severity"]]
        assert one.properties["file"] == row["file"]
        assert one.properties["line"] == str(row["line"])
        assert one.text == f"{row['told']}\nfix: {row['fix']}"


def test_code_quality_is_as_gitlab_documents_it(every: Listing) -> None:
    issues = json.loads(gitlab.encoded(every))
    Draft202012Validator(CODE_QUALITY).validate(issues)
    assert len(issues) == every.rows.height == len({issue["fingerprint"] for issue in issues})
    assert not gitlab.encoded(every).startswith(b"\xef\xbb\xbf")
    first = issues[0]
    assert first["location"] == {"path": every.rows["file"][0], "lines": {"begin": every.rows["line"][0]}}
    assert first["fingerprint"] == every.rows["fingerprint"][0]
    assert {issue["severity"] for issue in issues} == {"major", "minor", "info"}
    assert [issue["check_name"] for issue in issues] == every.rows["name"].to_list()
    assert gitlab.encoded(every, 2) != gitlab.encoded(every)


def test_issues_keep_their_fingerprints_where_runs_have_other_names(every: Listing) -> None:
    renamed = replace(every, rows=every.rows.with_columns(run_id=pl.col("run_id") + "-2"))
    assert gitlab.encoded(renamed) == gitlab.encoded(every)


@pytest.mark.parametrize("file", ["./a/b.jsonl", "HERE/a/b.jsonl", "a/b.jsonl"])
def test_paths_are_relative_to_the_current_folder(every: Listing, tmp_path: Path, file: str) -> None:
    with chdir(tmp_path):
        listing = made_up(every, file=file.replace("HERE", str(Path.cwd())), line=None)
        (issue,) = gitlab.issues(listing)
        (annotation,) = commands(github.commands(listing)[0])
    assert issue["location"] == {"path": "a/b.jsonl", "lines": {"begin": 1}}
    assert annotation.properties["file"] == "a/b.jsonl"
    assert "line" not in annotation.properties


def test_standard_input_and_no_file_have_a_path_too(every: Listing) -> None:
    for file in ("-", None):
        (issue,) = gitlab.issues(made_up(every, file=file, line=None, usd=None))
        Draft202012Validator(CODE_QUALITY).validate([issue])
        assert "$" not in issue["description"]


def test_no_finding_in_each_format(capsys: Capture, tmp_path: Path) -> None:
    with logs_of(str(write(tmp_path / "a.jsonl", user(), assistant()))) as (x, summary):
        listing = chosen(summary, x)
    assert github.commands(listing) == json_lines.lines(listing) == concise.lines(listing) == []
    assert gitlab.encoded(listing) == b"[]\n"
    text.show(listing, top=None)
    told = capsys.readouterr().out
    assert "  no finding\n\n  no finding: no rule sees waste in these logs\n" in told
    text.show(replace(listing, accepted=2, left_out=0), top=None)
    assert "2 accepted fingerprints in the settings" in capsys.readouterr().out


def harmless(line: str) -> None:
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Me"} for c in line), line


def test_hostile_names_in_every_format(capsys: Capture, hostile: Listing) -> None:
    assert hostile.rows["name"].n_unique() > 1
    assert hostile.rows.height >= len(NAMES)
    for width in (40, 79, 100):
        for line in text.render(hostile, width, 500):
            harmless(line.plain)
            assert cells(line.plain) <= width
    for name in ("text", "concise"):
        printer(name).show(hostile, top=500)
        shown = capsys.readouterr().out
        assert commands(shown) == []
        for one in shown.removesuffix("\n").split("\n"):
            harmless(one)
    assert len(concise.lines(hostile)) == hostile.rows.height
    printer("github").show(hostile, top=None)
    annotations = commands(capsys.readouterr().out)
    assert len(annotations) == hostile.rows.height
    for told in annotations:
        assert told.name in {"error", "warning", "notice"}
        assert told.properties.keys() <= {"file", "line", "title"}
        assert told.text.count("\n") == 1
    issues = json.loads(gitlab.encoded(hostile))
    Draft202012Validator(CODE_QUALITY).validate(issues)
    for issue in issues:
        harmless(issue["description"] + issue["location"]["path"])
    printer("json").show(hostile, top=None)
    printed = capsys.readouterr().out
    assert len([json.loads(line) for line in printed.splitlines()]) == hostile.rows.height
    assert commands(printed) == []


def test_a_hostile_path(capsys: Capture, every: Listing) -> None:
    listing = made_up(every, file="::error::x\n\x1b[2J.jsonl", run_id="\x1b[2J ::error::y")
    for name in ("text", "concise", "json", "github"):
        printer(name).show(listing, top=None)
        shown = capsys.readouterr().out
        assert "\x1b" not in shown
        assert len(commands(shown)) == (name == "github")
