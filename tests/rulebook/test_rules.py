"""The rules that come with costscan: prose, cases, the same answers from another SQL engine; and the loader."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copy
from typing import Any

import duckdb
import pytest

from costscan.errors import CostscanError
from costscan.rulebook import Rule, load_rules, own_folder
from costscan.rulebook.cases import failures, frames_of, set_for
from costscan.rulebook.rule import Case, read_rule
from costscan.rulebook.sql import lazy, sql_of, views
from costscan.settings.values import Place

RULES = load_rules()
CASES = [pytest.param(rule, case, id=f"{rule.name}: {case.name}") for rule in RULES for case in rule.cases]
WORDS = {"id": "X001", "name": "waste", "lever": "trimming", "severity": "info", "confidence": "low"}
SQL = "SELECT run_id, turn_in AS turn, block, tokens, tool FROM blocks WHERE tokens > :most AND tool <> :word"


def rule_text(sql: str = SQL, *, message: str = "{tokens} of {tool}", more: str = "", **words: str) -> str:
    prose = dict.fromkeys(("summary", "why", "fix", "false_positives"), "Text.")
    head = "\n".join(f'{key} = "{value}"' for key, value in (WORDS | prose | words).items())
    params = 'most = { value = 10, help = "h" }\nword = { value = "none", help = "h" }'
    return f"{head}\n[params]\n{params}\n[query]\nmessage = '{message}'\nsql = '''{sql}'''\n{more}"


def load(folder: Path, text: str = "", *settings: tuple[Place, str, dict[str, Any]]) -> Rule:
    """Load a rule beside one of ours: all of them would take most of the time."""
    (folder / "waste.toml").write_text(text or rule_text(), encoding="utf-8")
    (folder / "ours").mkdir(exist_ok=True)
    copy(own_folder() / "duplicated-subagent-context.toml", folder / "ours")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("costscan.rulebook.own_folder", lambda: folder / "ours")
        return next(rule for rule in load_rules([folder], settings) if rule.name == "waste")


def setting(key: str, value: Any, rule: str = "waste") -> tuple[Place, str, dict[str, Any]]:
    return Place("costscan.toml", f"[rules.{rule}]\n{key} = 1\n"), rule, {key: value}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_is_whole(rule: Rule) -> None:
    assert failures(rule) == []
    assert rule.path.stem == rule.name
    assert all(getattr(rule, part) for part in ("summary", "why", "fix", "false_positives"))
    assert "\n" not in rule.summary
    assert all(param.help.endswith(".") for param in rule.params.values())
    assert sum(not case.expect for case in rule.cases) >= 2


def rounded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(round(value, 9) if isinstance(value, float) else value for value in row)


@pytest.fixture(scope="module")
def other() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_another_sql_engine_gives_the_same_rows(
    other: duckdb.DuckDBPyConnection, rule: Rule, case: Case
) -> None:
    rule = set_for(rule, case)
    given = {name: frame.lazy() for name, frame in frames_of(rule, case).items()}
    ours = lazy(rule, given).collect()
    frames = {name: frame.collect() for name, frame in {**given, **views(rule.sql, given)}.items()}
    for name, frame in frames.items():
        other.register(name, frame.to_arrow(compat_level=None))
    asked = other.execute(sql_of(rule))
    assert asked.description is not None
    assert [column[0] for column in asked.description] == ours.columns
    theirs = asked.fetchall()
    for name in frames:
        other.unregister(name)
    assert Counter(map(rounded, theirs)) == Counter(map(rounded, ours.iter_rows()))


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM blocks",
        "CREATE TABLE t AS SELECT * FROM blocks",
        "DROP TABLE blocks",
        "COPY blocks TO 'out.csv'",
        "SELECT * FROM read_csv('/etc/hosts')",
        "WITH t AS (SELECT * FROM READ_parquet ('x')) SELECT * FROM t",
        "SELECT * FROM \"read_csv\"('/etc/hosts')",
        "SELECT * FROM `read_csv` ('/etc/hosts')",
        "SELECT * FROM read_csv/* ' */('/etc/hosts')",
        "SELECT run_id FROM blocks; SELECT 1",
        "SELECT run_id INTO other FROM blocks",
    ],
)
def test_a_query_may_only_select(tmp_path: Path, sql: str) -> None:
    with pytest.raises(CostscanError, match="the query may only select from frames"):
        load(tmp_path, rule_text(sql))


def test_what_looks_like_a_comment_in_a_string_is_none(tmp_path: Path) -> None:
    told = SQL.replace("WHERE", "WHERE tool <> 'a -- b /* c */' AND") + " -- the end"
    rule = load(tmp_path, rule_text(told))
    assert "'a -- b /* c */'" in sql_of(rule)
    assert "the end" not in sql_of(rule)


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        (rule_text(SQL.replace("block,", "blokc AS block,")), "blokc", "costscan schema"),
        (rule_text("SELECT run_id FROM blocks"), "must give turn (Int64); it is missing", "run_id, turn, block"),
        (rule_text("SELECT run_id, turn_in AS turn, block, used_share AS tokens FROM blocks"), "is Float64", ""),
        (rule_text(SQL.replace(":most", ":mots")), "names :mots", "did you mean most?"),
        (rule_text(message="{toool}"), "a text names {toool}", "did you mean tool?"),
        (rule_text(message="{tool!r}"), "in another way", "only {column}"),
        (rule_text(message="{tool"), "stray brace", "{{"),
        (rule_text(severity="dire"), "waste.toml:4: severity 'dire'", "error, warning, info"),
        (rule_text(lever="wishing"), "waste.toml:3: lever 'wishing'", "caching"),
        (rule_text(why=" "), "waste.toml:7: a rule needs why", "why ="),
        (rule_text(sumary="x"), "waste.toml:10: unknown key sumary", "did you mean summary?"),
        (rule_text() + "\n[params", "this is not TOML: ", "mend that line"),
        (rule_text(id=RULES[0].id), f"id {RULES[0].id} is that of {RULES[0].name}", "another id"),
        ("id = 'X'", "a rule needs name", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, text: str, says: str, hint: str) -> None:
    with pytest.raises(CostscanError) as caught:
        load(tmp_path, text)
    assert "waste.toml" in str(caught.value) or "id " in says
    assert says in str(caught.value)
    assert hint in (caught.value.hint or "")


def test_a_toml_error_has_its_line(tmp_path: Path) -> None:
    with pytest.raises(CostscanError, match=r"line 2"):
        load(tmp_path, "id = 'X'\nname = \n")


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("blokcs = [{}]\nexpect = []", "no frame blokcs"),
        ("blocks = [{ tokns = 3 }]\nexpect = []", "blocks has no column tokns"),
        ("params = { mots = 3 }\nexpect = []", "no parameter mots"),
    ],
)
def test_a_case_with_an_unknown_name_is_refused(tmp_path: Path, case: str, says: str) -> None:
    rule = load(tmp_path, rule_text(more=f"[[test]]\ncase = 'c'\n{case}"))
    with pytest.raises(CostscanError, match=says):
        failures(rule)


def test_cases_that_do_not_hold_are_named(tmp_path: Path) -> None:
    row = "blocks = [{ block = 1, tool = 'a', tokens = 11 }]"
    more = f"[[test]]\ncase = 'one'\n{row}\nexpect = [{{ block = 2 }}]\n"
    assert failures(load(tmp_path)) == ["no case in which it fires", "no case in which it stays quiet"]
    said = "\n".join(failures(load(tmp_path, rule_text(more=more))))
    assert "no case in which it stays quiet" in said
    assert "one: not found: {'block': 2}" in said
    assert "one: found too: {'run_id': 'r1'" in said


@pytest.mark.parametrize("word", ["O'Brien", "'; DROP TABLE blocks; --", "''", ":most", "x' OR '1'='1"])
def test_a_parameter_stays_a_value(tmp_path: Path, word: str) -> None:
    rule = load(tmp_path, "", setting("word", word))
    row = {"block": 1, "tokens": 50, "tool": word}
    case = Case("c", {"blocks": [row, row | {"tool": "other"}]}, [])
    found = lazy(rule, {name: frame.lazy() for name, frame in frames_of(rule, case).items()}).collect()
    assert found["tool"].to_list() == ["other"]


def test_settings_reach_the_rule(tmp_path: Path) -> None:
    rule = load(
        tmp_path, "", setting("severity", "error"), setting("most", "25"), setting("enabled", "false")
    )
    assert (rule.severity, rule.value("most"), rule.enabled) == ("error", 25, False)
    assert "tokens > 25" in sql_of(rule)
    assert rule.value("word") == "none"


@pytest.mark.parametrize(
    ("key", "value", "says", "hint"),
    [
        ("most", "many", "must be a number, not 'many'", "like 10"),
        ("most", 1.5, "must be a whole number", "like 10"),
        ("enabled", "maybe", "must be true or false", ""),
        ("severity", "dire", "is not one of them", "error, warning, info"),
        ("mots", 1, "no such setting", "did you mean most?"),
    ],
)
def test_a_wrong_setting_is_refused(tmp_path: Path, key: str, value: Any, says: str, hint: str) -> None:
    with pytest.raises(CostscanError, match=says) as caught:
        load(tmp_path, "", setting(key, value))
    assert str(caught.value).startswith("error: costscan.toml:2: ")
    assert hint in (caught.value.hint or "")


def test_a_setting_of_an_unknown_rule_and_an_unknown_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CostscanError, match="unknown rule wast") as caught:
        load(tmp_path, "", setting("most", 1, rule="wast"))
    assert caught.value.hint == "did you mean waste?"
    with pytest.raises(CostscanError, match="no such folder"):
        load_rules([tmp_path / "missing"])


def test_a_rule_of_the_same_name_replaces_ours(tmp_path: Path) -> None:
    own = own_folder() / f"{RULES[0].name}.toml"
    text = own.read_text(encoding="utf-8").replace(f'severity = "{RULES[0].severity}"', 'severity = "error"')
    (tmp_path / own.name).write_text(text, encoding="utf-8")
    found = {rule.name: rule for rule in load_rules([tmp_path])}
    assert len(found) == len(RULES)
    assert found[RULES[0].name].severity == "error"


def test_other_folders_hold_the_same_rules_as_the_registry() -> None:
    assert {read_rule(path).name for path in own_folder().glob("*.toml")} == {rule.name for rule in RULES}


def test_without_their_cases_the_rules_are_the_same() -> None:
    short = load_rules(cases=False)
    assert short == [replace(rule, cases=()) for rule in RULES]


def test_a_rule_that_comes_along_is_compiled_where_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its query was checked with its own values, not with those of a user."""
    compiled: list[str] = []
    monkeypatch.setattr("costscan.rulebook.compile_rule", lambda rule: compiled.append(rule.name))
    load_rules(cases=False)
    assert compiled == []
    rule = next(rule for rule in RULES if rule.params)
    value = {name: param.value for name, param in rule.params.items()}
    load_rules(settings=[(Place("costscan.toml", ""), rule.name, value)], cases=False)
    assert compiled == [rule.name]
