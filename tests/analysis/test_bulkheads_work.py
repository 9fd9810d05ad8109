"""A lever, a part of one, a rule or the content of a run that raises: null with the reason, the others stand."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from command import NO_LEVERS, Capture, said
from costscan import analysis, native, scenarios
from costscan.analysis import Analysis
from costscan.attribution import Attributed, apart, attribute, batches
from costscan.cache.agreement import Agreement, agreement
from costscan.cache.logged_prompts import Prompts
from costscan.cache.loss_places import LossPlaces
from costscan.cache.requests import LoggedRequests
from costscan.cli.app import run
from costscan.levers import routing, trimming
from costscan.reports.analysis.json import document
from costscan.rulebook import cases, load_rules
from costscan.rulebook.pricing import Money
from costscan.scenarios import price_scenarios, together
from costscan.scenarios.shapley import shares
from costscan.settings.load import load
from costscan.summary import summarize
from diagnosed import diagnosed, findings_of
from logs import write
from made_rules import toml
from seen import analyzed
from suites import suite
from workloads import lines, loops

Json = dict[str, Any]
LEVERS = ("caching", "trimming", "routing", "batching")
PANICS = "SELECT run_id, turn, turn AS turn_end, CAST(CAST(output_tokens AS DOUBLE) AS DECIMAL(5, 40)) AS x FROM turns"
"""Polars panics where a number is to have more decimals than digits; on frames without rows it does not."""


def broken(*_: Any, **__: Any) -> Any:
    raise KeyError("broken")


def panicking(*_: Any, **__: Any) -> Any:
    raise pl.exceptions.PanicException("index out of bounds")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return suite(tmp_path_factory.mktemp("suite") / "runs.jsonl", changed=True, cases=4)


@pytest.fixture(scope="module")
def x(log: Path) -> Iterator[Analysis]:
    with analyzed(log) as found:
        yield found


@pytest.fixture(scope="module")
def routable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analysis]:
    """Runs of which routing makes something cheaper, as the other levers do."""
    log = tmp_path_factory.mktemp("loops") / "calls.jsonl"
    with analyzed(write(log, *lines(loops("mechanical", turns=6)))) as found:
        yield found


@pytest.fixture(scope="module")
def whole(x: Analysis) -> Json:
    return report(x)


def report(x: Analysis, *assignments: str) -> Json:
    """Return the JSON report of an analysis with its scenarios, without rules."""
    return document(summarize(diagnosed(price_scenarios(x, load(Path(), assignments=assignments)))))


def printed(capsys: Capture, log: Path, *more: str) -> tuple[Json, str]:
    """Return the JSON report that the command prints, and what was said on standard error."""
    assert run(["analyze", str(log), "--json", *more]) == 0
    out, errors = capsys.readouterr()
    return json.loads(out), errors


def saved(told: Json) -> dict[str, float | None]:
    return {s["scenario"]: s["saved_usd"] for s in told["scenarios"]}


def reasons(told: Json) -> dict[str, str]:
    return {s["scenario"]: s["reason"] for s in told["scenarios"] if s["reason"] is not None}


@pytest.mark.parametrize("raising", [broken, panicking])
def test_a_lever_that_raises(
    monkeypatch: pytest.MonkeyPatch, routable: Analysis, raising: Callable[..., Any]
) -> None:
    x, whole = routable, report(routable)
    without = report(x, "routing.enabled=false")
    monkeypatch.setattr(routing, "ways", raising)
    told = report(x)
    gone = ("routing", "routing/turns", "routing/runs")
    assert {s: saved(told)[s] for s in gone} == dict.fromkeys(gone)
    # All the others are what they are where routing is off; and that is said of them together.
    assert {s: usd for s, usd in saved(told).items() if s not in gone} == saved(without)
    assert saved(whole)["all"] != saved(told)["all"] is not None
    why = reasons(told)
    assert set(why) == {*gone, "all"}
    assert why["routing"].startswith("a defect of costscan at scenarios/workspace.py:")
    assert why["all"] == f"without routing: {why['routing']}"
    assert {d["part"]: d["reason"] for d in told["defects"]} == {
        f"scenario {s}": said for s, said in why.items()
    }
    joint_usd = [s["saved_joint_usd"] for s in told["scenarios"] if s["scenario"] in LEVERS]
    assert sum(usd or 0 for usd in joint_usd) == pytest.approx(saved(told)["all"])


def test_the_command_says_what_it_is_without(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, log: Path
) -> None:
    monkeypatch.setattr(routing, "ways", broken)
    shown = said(capsys, "analyze", str(log))
    assert "\nwarning: scenario routing/turns, scenario routing/runs, scenario routing: a defect" in shown
    assert "not done    scenario routing/turns, scenario routing/runs, scenario routing" in shown


def test_a_part_that_raises(monkeypatch: pytest.MonkeyPatch, x: Analysis) -> None:
    parts = ["cap-tool-results", "drop-repeated-results"]
    others = "caching", "routing", "batching"
    off = [f"{lever}.enabled=false" for lever in others]
    alone = report(x, *off, f"trimming.parts={json.dumps(parts[1:])}")
    real = trimming.trimmed

    def but_caps(plan: Any, held: Any, some: Any) -> Any:
        return broken() if parts[0] in some else real(plan, held, some)

    monkeypatch.setattr(trimming, "trimmed", but_caps)
    told = report(x, *off, f"trimming.parts={json.dumps(parts)}")
    part = f"trimming/{parts[0]}"
    assert saved(told)[part] is None
    assert [saved(told)[s] for s in ("trimming", "all")] == [saved(alone)[s] for s in ("trimming", "all")]
    why = reasons(told)
    assert why["trimming"] == why["all"] == f"without {part}: {why[part]}"
    # Where no part of a lever is left, there is nothing to say of it.
    monkeypatch.setattr(trimming, "trimmed", broken)
    told = report(x, *off[1:], f"trimming.parts={json.dumps(parts)}")
    assert saved(told)["trimming"] is None
    assert saved(told)["all"] == saved(told)["caching"] is not None


def test_levers_that_raise_only_together(monkeypatch: pytest.MonkeyPatch, x: Analysis, whole: Json) -> None:
    def alone(pico: Any, levers: Any) -> Any:
        return shares(pico, levers) if len(levers) == 1 else broken()

    monkeypatch.setattr(together, "shares", alone)
    told = report(x)
    assert saved(told) == saved(whole) | {"all": None}
    assert set(reasons(told)) == {"all"}
    assert all(s["saved_joint_usd"] is None for s in told["scenarios"])
    assert told["plan"] == []


def test_nothing_can_be_priced(monkeypatch: pytest.MonkeyPatch, x: Analysis, whole: Json) -> None:
    monkeypatch.setattr(scenarios, "Workspace", broken)
    told = report(x)
    assert {s: saved(told)[s] for s in (*LEVERS, "all")} == dict.fromkeys((*LEVERS, "all"))
    assert told["totals"] == whole["totals"]


def test_a_curve_that_raises_takes_no_figure_with_it(
    monkeypatch: pytest.MonkeyPatch, x: Analysis, whole: Json
) -> None:
    for name in ("pack_curve", "cap_curve", "ttl_choice"):
        monkeypatch.setattr(scenarios, name, broken)
    told = report(x)
    assert saved(told) == saved(whole)
    why = reasons(told)
    assert set(why) == {"batching/pack-items", "trimming/cap-tool-results", "caching/ttl"}
    assert why["batching/pack-items"].startswith("without its curve: a defect of costscan")


def test_a_replay_that_raises(monkeypatch: pytest.MonkeyPatch, log: Path, whole: Json) -> None:
    def where_there_are_turns(
        turns: pl.DataFrame, unit: pl.DataFrame, policy: LoggedRequests, places: LossPlaces
    ) -> Agreement:
        return agreement(turns, unit, policy, places) if turns.is_empty() else broken()

    monkeypatch.setattr(analysis, "agreement", where_there_are_turns)
    with analyzed(log) as found:
        told = report(found)
    assert told["totals"] == whole["totals"]
    assert told["replay"] == {**dict.fromkeys(whole["replay"]), "policies": []}
    assert {s: saved(told)[s] for s in (*LEVERS, "all")} == dict.fromkeys((*LEVERS, "all"))
    assert {d["part"] for d in told["defects"]} == {"replay", *(f"scenario {s}" for s in (*LEVERS, "all"))}


def test_a_run_whose_content_raises(monkeypatch: pytest.MonkeyPatch, log: Path, whole: Json) -> None:
    bad = "after-3"

    def but_one(blocks: pl.DataFrame, calls: pl.DataFrame, prompts: Prompts, *more: None) -> Attributed:
        if len(blocks) and bad in calls["run_id"]:
            broken()
        return attribute(blocks, calls, prompts, *more)

    monkeypatch.setattr(batches, "attribute", but_one)
    monkeypatch.setattr(apart, "attribute", but_one)
    with analyzed(log) as found:
        told = report(found)
    assert told["totals"]["usd"] == whole["totals"]["usd"]
    assert [d["part"] for d in told["defects"]] == [f"run {bad}"]
    by_run = {run["run_id"]: run["usd"] for run in whole["runs"]}
    assert {run["run_id"]: run["usd"] for run in told["runs"]} == by_run
    usd = {t["tool"]: t["usd"] for t in told["by_tool"]}
    assert usd["(not in the log)"] + usd["(assistant)"] == pytest.approx(by_run[bad])
    assert sum(usd.values()) == pytest.approx(sum(by_run.values()))


def rules_folder(folder: Path, **queries: str) -> Path:
    for name, sql in queries.items():
        (folder / f"{name}.toml").write_text(
            toml("turns", sql, name=f"made-{name}", id=f"Z{name}"), encoding="utf-8"
        )
    return folder


def test_a_rule_that_makes_polars_panic(capfd: pytest.CaptureFixture[str], tmp_path: Path, log: Path) -> None:
    every = "SELECT run_id, turn, turn AS turn_end FROM turns"
    rules = rules_folder(tmp_path, panics=PANICS, fine=every)
    assert run(["analyze", str(log), "--json", "--rules", str(rules), *NO_LEVERS]) == 0
    out, errors = capfd.readouterr()
    told = json.loads(out)
    assert [d["part"] for d in told["defects"]] == ["rule made-panics"]
    assert "panics.toml: its query cannot be run: " in told["defects"][0]["reason"]
    names = {f["name"] for f in told["findings"]}
    assert "made-fine" in names
    assert len(names) > 1
    assert [line.partition(":")[0] for line in errors.splitlines()] == ["warning"]
    assert "panicked" not in errors
    # A gate does not let a limit hold because nobody could look.
    for limit, code in (("findings:99", 2), ("usd_per_run:99", 0)):
        assert run(["check", str(log), "--rules", str(rules), "--fail-on", limit, *NO_LEVERS]) == code, limit
        errors = capfd.readouterr().err
        assert (f"error: --fail-on {limit}: rule made-panics: " in errors) == (code == 2)


def test_a_case_that_panics_fails(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    case = '[[test]]\ncase = "one"\nturns = [{ output_tokens = 5 }]\nexpect = [{ turn = 0 }]\n'
    path = rules_folder(tmp_path, panics=PANICS) / "panics.toml"
    path.write_text(path.read_text(encoding="utf-8") + case, encoding="utf-8")
    rule = next(rule for rule in load_rules([tmp_path]) if rule.name == "made-panics")
    assert any(
        wrong.startswith("one: ") and "its query cannot be run" in wrong for wrong in cases.failures(rule)
    )
    assert capfd.readouterr().err == ""


def test_findings_that_cannot_be_priced(monkeypatch: pytest.MonkeyPatch, x: Analysis) -> None:
    rules, real = load_rules(), Money.price
    every = set(findings_of(x, rules)["name"])

    def but_lost(self: Money, found: pl.DataFrame, how: str) -> pl.DataFrame:
        return broken() if how.startswith("lost") else real(self, found, how)

    monkeypatch.setattr(Money, "price", but_lost)
    other = diagnosed(x, rules)
    left = set(other.findings["name"])
    gone = {part.removeprefix("rule ") for part in other.reasons}
    assert "volatile-prefix" in gone & every
    assert left == every - gone


def test_a_rule_that_gives_unknown_tokens_stops_no_other(x: Analysis, tmp_path: Path) -> None:
    sql = "SELECT run_id, turn, turn AS turn_end, CAST(NULL AS BIGINT) AS tokens FROM turns"
    every = set(findings_of(x, load_rules())["name"])
    other = diagnosed(x, load_rules([rules_folder(tmp_path, unknown=sql)]))
    assert set(other.findings["name"]) == every != set()
    assert set(other.reasons) == {"rule made-unknown"}


def test_what_else_is_said_meanwhile_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with native.without_panics():
        os.write(2, b"a warning of something else\n")
    assert capfd.readouterr().err == "a warning of something else\n"
    with native.without_panics():
        os.write(2, b"\nthread 'x' panicked at y.rs:1:2:\nboom\n")
        with native.without_panics():
            pass
    assert capfd.readouterr().err == ""
