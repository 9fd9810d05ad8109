"""The SARIF report: valid by the schema of the standard, each finding at its line, and nothing in it alive."""

import json
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hypothesis_profile  # noqa: F401 - the settings of every property
from billed import ROOT, Billed, billed
from command import logs_of
from costscan import __version__
from costscan.reports.analysis.sarif import _artifact, _message, document, encoded, write
from costscan.rulebook import Diagnosis, load_rules
from costscan.summary import Summary, summarize
from diagnosed import diagnosed
from logs import assistant, user
from logs import write as write_log
from made_rules import made
from sarif_schema import hold_message, hold_valid
from seen import analyzed

pytestmark = pytest.mark.usefixtures("kept_analyses")

CALLED: Final = "sample_logs/bloated-tool-result/projects/"


@pytest.fixture(scope="module")
def samples_found() -> Iterator[tuple[Diagnosis, Summary]]:
    with chdir(ROOT), logs_of("sample_logs") as found:
        yield found


def test_the_sample_logs(samples_found: tuple[Diagnosis, Summary], tmp_path: Path) -> None:
    x, summary = samples_found
    write(summary, x, tmp_path / "r.sarif")
    run = hold_valid(json.loads((tmp_path / "r.sarif").read_text(encoding="utf-8")))
    assert run["tool"]["driver"]["version"] == __version__
    assert len(run["results"]) == summary.findings.height
    assert {result["level"] for result in run["results"]} <= {"error", "warning", "note"}
    spent = sum((Decimal(str(r["properties"]["usd"] or 0)) for r in run["results"]), Decimal(0))
    assert abs(spent - sum(summary.findings["usd"].drop_nulls(), Decimal(0))) < Decimal("1e-7")
    rule = next(rule for rule in run["tool"]["driver"]["rules"] if rule["name"] == "cache-expired")
    assert rule["fullDescription"]["text"].startswith("A cache entry lives for five minutes or an hour from")
    assert "A pause of <minutes> minutes, a lifetime of <lifetime>. <advice>" in rule["help"]["text"]
    assert "**False positives.** A person who went to lunch" in rule["help"]["markdown"]


def test_a_finding_is_at_the_line_of_its_turn(samples_found: tuple[Diagnosis, Summary]) -> None:
    """The result that is too long was asked for by the line it points to."""
    x, summary = samples_found
    with chdir(ROOT):
        (found,) = (r for r in document(summary, x)["runs"][0]["results"] if r["ruleId"] == "T001")
    place = found["locations"][0]["physicalLocation"]
    path = ROOT / unquote(place["artifactLocation"]["uri"])
    assert path.is_relative_to(ROOT / CALLED)
    line = json.loads(path.read_text(encoding="utf-8").splitlines()[place["region"]["startLine"] - 1])
    assert line["type"] == "assistant"
    run, turn = found["properties"]["run_id"], found["properties"]["turn"]
    assert found["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == f"{run}/turn {turn}"
    assert line["sessionId"] == run
    row = x.turns.filter(run_id=run, turn=turn).row(0, named=True)
    assert line["message"]["id"] == row["message_id"]


def test_a_run_that_several_files_tell_has_each_line_in_its_own(tmp_path: Path) -> None:
    """The second file repeats the first and goes on: what is new is there alone, on its fourth line."""
    first = [user(), assistant("msg_1")]
    write_log(tmp_path / "a.jsonl", *first)
    write_log(tmp_path / "b.jsonl", *first, user(), assistant("msg_2"))
    rules = made(tmp_path / "rules", {"turns": "SELECT run_id, turn, turn AS turn_end FROM turns"})
    with analyzed(tmp_path / "a.jsonl", tmp_path / "b.jsonl") as analysis:
        x = diagnosed(analysis, rules)
        run = hold_valid(document(summarize(x, rules=rules), x))
    physical = {r["properties"]["turn"]: r["locations"][0]["physicalLocation"] for r in run["results"]}
    files = {n: Path(one["artifactLocation"]["uri"]).name for n, one in physical.items()}
    assert files[1] == "b.jsonl"
    assert {n: one["region"]["startLine"] for n, one in physical.items()} == {0: 2, 1: 4}


def test_findings_of_the_same_kind_stay_apart_by_run(samples_found: tuple[Diagnosis, Summary]) -> None:
    x, summary = samples_found
    other = summary.findings.with_columns(run_id=pl.lit(summary.findings["run_id"].reverse()[0]))
    both = replace(summary, findings=pl.concat([summary.findings, other]))
    results = document(both, x)["runs"][0]["results"]
    found = [(r["partialFingerprints"]["costscan/v1"], r["properties"]["run_id"]) for r in results]
    assert sorted(found) == sorted(both.findings.select("fingerprint", "run_id").iter_rows())
    assert len({fingerprint for fingerprint, _ in found}) < len(set(found))


def test_a_baseline_says_what_is_new(samples_found: tuple[Diagnosis, Summary]) -> None:
    x, summary = samples_found
    known, *others = summary.findings["fingerprint"].unique(maintain_order=True)
    states = {known: "unchanged", **dict.fromkeys(others[:-1], "new")}
    found = document(summary, x, baseline=states)
    hold_valid(found)
    said = {
        r["partialFingerprints"]["costscan/v1"]: r.get("baselineState") for r in found["runs"][0]["results"]
    }
    assert said == {**states, others[-1]: None}
    assert "baselineState" not in json.dumps(document(summary, x))


def test_nothing_found_is_a_document_too(tmp_path: Path) -> None:
    found = billed([write_log(tmp_path / "a.jsonl", user(), assistant())])
    assert hold_valid(json.loads(encoded(document(found.summary, found.x))))["results"] == []


def test_rules_of_ones_own_have_their_prose_and_unknown_ones_a_name(tmp_path: Path) -> None:
    rules = made(
        tmp_path / "rules",
        {"turns": "SELECT run_id, turn, turn AS turn_end FROM turns"},
        why="Because {it} [is](so).",
        severity="error",
    )
    log = write_log(tmp_path / "a b#c.jsonl", user(), assistant(model="nova-9"), user(), assistant("msg_2"))
    with analyzed(log) as analysis:
        x = diagnosed(analysis, rules)
        told = document(summarize(x, rules=rules), x)
        bare = hold_valid(document(summarize(x), x))
    run = hold_valid(told)
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["fullDescription"]["text"] == "Because {{it}} [is] (so)."
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert {r["level"] for r in run["results"]} == {"error"}
    assert bare["tool"]["driver"]["rules"] == [
        {name: rule[name] for name in ("id", "name", "defaultConfiguration")}
    ]
    by_turn = {r["properties"]["turn"]: r for r in run["results"]}
    assert by_turn[0]["properties"]["usd"] is None
    assert "$0" not in by_turn[0]["message"]["text"].replace("made", "")
    places = [by_turn[n]["locations"][0]["physicalLocation"] for n in (0, 1)]
    assert [place["region"]["startLine"] for place in places] == [2, 4]
    assert places[0]["artifactLocation"] == {"uri": f"file://{tmp_path.as_posix()}/a%20b%23c.jsonl"}


def test_paths_are_relative_to_the_current_folder(tmp_path: Path) -> None:
    with chdir(tmp_path):
        for path in ("d/a b.jsonl", f"{tmp_path.resolve()}/d/a b.jsonl"):
            assert _artifact(path) == {"uri": "d/a%20b.jsonl", "uriBaseId": "%SRCROOT%"}
        assert _artifact("x:y/é\n<.jsonl")["uri"] == "x%3Ay/%C3%A9%0A%3C.jsonl"
        assert _artifact("../a.jsonl") == {"uri": "../a.jsonl", "uriBaseId": "%SRCROOT%"}


@given(st.text(st.sampled_from("ab[](){}0\n\\\x1b\u202e\ud800") | st.characters(), max_size=30))
def test_no_message_is_a_template(text: str) -> None:
    found = _message(text)
    hold_message(found)
    found.encode()


def test_every_severity_has_a_level(samples: Billed) -> None:
    from costscan.reports.analysis.sarif import LEVELS  # noqa: PLC0415

    assert {rule.severity for rule in load_rules()} <= set(LEVELS)
