"""`costscan rules`, rules of one's own, what is set of them, and findings that were accepted: from the outside."""

import json
from pathlib import Path
from typing import Any

import pytest

from command import NO_LEVERS, Capture, said
from logs import Json, assistant, at, text, tool_result, tool_use, usage, user, write
from made_rules import QUERIES, made, toml

pytestmark = pytest.mark.usefixtures("kept_analyses")

BLOATED = "bloated-tool-result"
SHORT = ("--set", f"rules.{BLOATED}.min_carried_turns=3", *NO_LEVERS)
"""The runs here are short."""
CASES = """
[[test]]
case = "it fires"
turns = [{ turn = 0, output_tokens = 9 }]
expect = [{ run_id = "r1", turn = 0, turn_end = 2 }]

[[test]]
case = "it is quiet"
expect = []
"""


def session(name: str, tokens: int) -> list[Json]:
    """Four calls of which the second carries a result of so many tokens, to the end."""
    place = {"sessionId": name}
    lines = [
        user("fix it", timestamp=at(0), **place),
        assistant(
            f"msg_{name}_0", usage(100, out=20), content=[tool_use(f"{name}-t", "search", x=1)], **place
        ),
        user([tool_result(f"{name}-t", "word " * tokens)], timestamp=at(5), **place),
    ]
    for n in (1, 2, 3):
        used = usage(100, read=tokens + 20, out=20)
        lines += [assistant(f"msg_{name}_{n}", used, content=[text("so")], **place), user("on", **place)]
    return lines


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two sessions of one task with a large result each; their folder is the current one."""
    write(tmp_path / "logs" / "a.jsonl", *session("s1", 26_000))
    write(tmp_path / "logs" / "b.jsonl", *session("s2", 50_000))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(capsys: Capture, *more: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(said(capsys, "analyze", "logs", "--json", *SHORT, *more))[
        "findings"
    ]
    return [row for row in rows if row["name"] == BLOATED or row["name"].startswith("made-")]


def runs(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(row["run_id"] for row in rows)


def test_a_finding_is_accepted_everywhere_or_in_one_run(capsys: Capture, folder: Path) -> None:
    every = found(capsys)
    assert runs(every) == ["s1", "s2"]
    (mark,) = {row["fingerprint"] for row in every}
    settings = folder / "costscan.toml"
    for accepted, left in (
        (f"{mark}@s1", ["s2"]),
        (mark, []),
        (f"{mark}@s9", ["s1", "s2"]),
        ("0" * 16, ["s1", "s2"]),
    ):
        settings.write_text(f'[findings]\naccepted = ["{accepted}"]\n', encoding="utf-8")
        assert runs(found(capsys)) == left, accepted
        shown = said(capsys, "explain", "s1", "logs", *SHORT)
        assert (BLOATED in shown) == ("s1" in left), accepted
    settings.write_text('[findings]\naccepted = ["nonsense"]\n', encoding="utf-8")
    assert "costscan.toml:2: " in said(capsys, "analyze", "logs", code=2)


def test_a_fingerprint_stays_when_the_log_is_named_otherwise_or_grows(capsys: Capture, folder: Path) -> None:
    before = {row["run_id"]: row["fingerprint"] for row in found(capsys)}
    (folder / "logs" / "a.jsonl").rename(folder / "logs" / "zz.jsonl")
    write(folder / "logs" / "b.jsonl", *session("s2", 51_000))
    assert {row["run_id"]: row["fingerprint"] for row in found(capsys)} == before


def test_settings_of_a_rule(capsys: Capture, folder: Path) -> None:
    settings = folder / "costscan.toml"

    def with_settings(text: str) -> list[dict[str, Any]]:
        settings.write_text(f"[rules.{BLOATED}]\n{text}\n", encoding="utf-8")
        return found(capsys)

    assert runs(with_settings("max_tokens = 20000")) == ["s2"]
    assert runs(with_settings("max_tokens = 40000")) == []
    assert runs(with_settings("enabled = false")) == []
    assert {row["severity"] for row in with_settings('severity = "info"')} == {"info"}
    assert runs(with_settings("min_carried_tokens = 500_000")) == []
    settings.unlink()
    assert runs(found(capsys, "--set", f"rules.{BLOATED}.max_tokens=20000")) == ["s2"]
    own = folder / "other.toml"
    own.write_text(f"[rules.{BLOATED}]\nenabled = false\n", encoding="utf-8")
    assert runs(found(capsys, "--config", str(own))) == []
    (folder / "pyproject.toml").write_text(
        f"[tool.costscan.rules.{BLOATED}]\nmax_tokens = 20000\n", encoding="utf-8"
    )
    assert runs(found(capsys)) == ["s2"]


WRONG = {
    "[rules.bloated-tool-reslt]\nmax_tokens = 1": "unknown rule bloated-tool-reslt|did you mean bloated-tool-result or repeated-tool-result or stale-tool-result?",
    f"[rules.{BLOATED}]\nmax_token = 1": "max_token: no such setting|did you mean max_tokens or max_file_tokens?",
    f"[rules.{BLOATED}]\nmax_tokens = 1.5": "max_tokens must be a whole number, not 1.5|like 8000",
    f"[rules.{BLOATED}]\nmax_tokens = nan": "max_tokens must be a whole number, not nan|like 8000",
    f"[rules.{BLOATED}]\nmax_tokens = inf": "max_tokens must be a whole number, not infinity|like 8000",
    f'[rules.{BLOATED}]\nmax_tokens = "many"': "max_tokens must be a number, not 'many'|like 8000",
    f"[rules.{BLOATED}]\nmax_tokens = true": "max_tokens must be a number, not true|like 8000",
    f"[rules.{BLOATED}]\nenabled = 3": "enabled must be true or false, not 3|enabled = false",
    f'[rules.{BLOATED}]\nseverity = "bad"': "severity is not one of them|one of error, warning, info",
}


@pytest.mark.parametrize("settings", WRONG)
def test_wrong_settings_of_a_rule_name_their_line(capsys: Capture, folder: Path, settings: str) -> None:
    (folder / "costscan.toml").write_text(settings + "\n", encoding="utf-8")
    what, hint = WRONG[settings].split("|")
    for command in (["analyze", "logs"], ["rules", "list"]):
        error, told = said(capsys, *command, code=2).splitlines()
        assert error.startswith("error: "), error
        assert "costscan.toml:" in error
        assert error.endswith(what)
        assert told == f"hint: {hint}"


def test_a_rule_of_ones_own(capsys: Capture, folder: Path) -> None:
    made(folder / "mine", {"turns": QUERIES["turns"]})
    rows = found(capsys, "--rules", "mine")
    own = [row for row in rows if row["name"] == "made-turns"]
    assert runs(own) == ["s1", "s1", "s2", "s2"]
    # Its findings span three turns each, all of a run; what the other rule finds there is in none of them.
    totals = json.loads(said(capsys, "analyze", "logs", "--json", *NO_LEVERS))["totals"]["usd"]
    assert sum(row["usd"] for row in rows) == pytest.approx(totals, abs=1e-8)
    assert found(capsys) == [row for row in rows if row["name"] == BLOATED]
    assert runs(found(capsys, "--rules", "mine", "--set", "rules.made-turns.least=20")) == ["s1", "s2"]
    shown = said(capsys, "explain", "s1", "logs", "--rules", "mine", *NO_LEVERS)
    assert "  made-turns  $" in shown
    assert "turn 0-2  $" in shown
    assert said(capsys, "explain", "made-turns", "--rules", "mine").startswith("Z5t made-turns   spend")
    listed = said(capsys, "rules", "list", "--rules", "mine").splitlines()
    assert [line.split()[1] for line in listed[1:]][-1] == "made-turns"


def test_a_rule_of_ones_own_takes_the_place_of_that_of_the_same_name(capsys: Capture, folder: Path) -> None:
    made(folder / "mine", {"run": QUERIES["run"]}, name=BLOATED, id="X1")
    listed = said(capsys, "rules", "list", "--rules", "mine")
    assert listed.count(BLOATED) == 1
    assert "X1  " in listed
    rows = json.loads(said(capsys, "analyze", "logs", "--json", "--rules", "mine", *NO_LEVERS))["findings"]
    rows = [row for row in rows if row["name"] == BLOATED]
    assert runs(rows) == ["s1", "s2"]
    assert {row["rule"] for row in rows} == {"X1"}


def test_rules_that_are_off_are_shown_as_such(capsys: Capture, folder: Path) -> None:
    off = ["--set", f"rules.{BLOATED}.enabled=false"]
    assert " off " in next(
        line for line in said(capsys, "rules", "list", *off).splitlines() if BLOATED in line
    )
    assert "· off ·" in said(capsys, "rules", "show", BLOATED, *off).splitlines()[0]
    shown = said(capsys, "rules", "show", BLOATED, "--set", f"rules.{BLOATED}.max_tokens=77")
    assert f"rules.{BLOATED}.max_tokens = 77" in shown
    assert "tokens > 77" in shown


def test_lists_and_names(capsys: Capture, folder: Path) -> None:
    assert said(capsys, "rules") == said(capsys, "rules", "list")
    assert said(capsys, "rules", "show", "T001") == said(capsys, "rules", "show", BLOATED)
    assert said(capsys, "rules", "show", "bloated-tool", code=2) == (
        "error: bloated-tool: no such rule\nhint: did you mean bloated-tool-result or repeated-tool-call?\n"
    )
    assert said(capsys, "rules", "list", "--rules", "none", code=2) == (
        "error: none: no such folder of rules\nhint: give a folder with one TOML file a rule\n"
    )
    assert (
        said(capsys, "rules", "wat", code=2) == "error: no such command 'wat'\nhint: costscan rules --help\n"
    )


def test_cases_that_hold_and_cases_that_fail(capsys: Capture, folder: Path) -> None:
    mine = folder / "mine"
    mine.mkdir()
    rule = toml("turns", QUERIES["turns"]).partition("[[test]]")[0]
    (mine / "good.toml").write_text(rule + CASES, encoding="utf-8")
    assert said(capsys, "rules", "test", "mine") == "made-turns: 2 cases hold\n"
    (mine / "good.toml").write_text(rule + CASES.replace("turn_end = 2", "turn_end = 3"), encoding="utf-8")
    shown = said(capsys, "rules", "test", "mine", code=2).splitlines()
    assert shown[0] == "made-turns: 2 cases fail"
    assert shown[1].startswith("  it fires: not found: {'run_id': 'r1', 'turn': 0, 'turn_end': 3}")
    assert shown[2].startswith(
        "  it fires: found too: {'run_id': 'r1', 'turn': 0, 'turn_end': 2, 'fingerprint': "
    )
    assert shown[3:] == ["error: mine: 1 of 1 rules fail their cases"]
    (mine / "good.toml").write_text(rule + CASES.rpartition("[[test]]")[0], encoding="utf-8")
    assert "  no case in which it stays quiet" in said(capsys, "rules", "test", "mine", code=2)


def test_folders_without_rules(capsys: Capture, folder: Path) -> None:
    assert said(capsys, "rules", "test", "none", code=2).startswith("error: none: no such folder of rules")
    assert said(capsys, "rules", "test", "logs", code=2) == (
        "error: logs: no rule in this folder\nhint: a rule is a file NAME.toml\n"
    )


def test_the_cases_of_the_rules_that_come_along_hold(capsys: Capture, in_repository: Path) -> None:
    shown = said(capsys, "rules", "test", "rules").splitlines()
    assert len(shown) == len(list(Path("rules").glob("*.toml")))
    assert all(line.endswith("cases hold") for line in shown)
