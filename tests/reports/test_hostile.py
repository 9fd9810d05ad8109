"""Whatever a log holds: no report is disturbed by it, none hangs, and what is meant to be parsed parses."""

import csv
import io
import json
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from command import Capture, logs_of, said
from costscan.cli.app import run
from costscan.reports.analysis.tables import TABLES
from costscan.reports.analysis.terminal import render, show
from costscan.reports.text.sanitize import MOST_CHARS, cells, inert, wrapped
from costscan.rulebook import load_rules
from costscan.summary import Summary
from diagnosed import findings_of
from hostile import ESCAPES, HUGE, NAMES, calls, written
from logs import write
from made_rules import QUERIES, made, toml
from seen import analyzed
from thoroughness import fewer

pytestmark = pytest.mark.usefixtures("kept_analyses")
SOME = fewer(NAMES, 5)
"""All of them are in the log of `summed`."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("hostile"))


def harmless(shown: str, width: int) -> None:
    """Check that a text holds its lines and nothing that a terminal would obey."""
    assert shown
    for line in shown.removesuffix("\n").split("\n"):
        assert line.isprintable(), line
        assert cells(line) <= width, line
        assert len(line) <= 3 * width, line
        assert not any(unicodedata.category(c) in {"Cf", "Cc", "Me"} for c in line)


@pytest.fixture(scope="module")
def summed(hostile: Path) -> Summary:
    with logs_of(str(hostile)) as (_, summary):
        return replace(summary, paths=(ESCAPES,))


@pytest.mark.parametrize("by", [None, *TABLES])
def test_tables(summed: Summary, by: str | None) -> None:
    for width in (40, 41, 79, 100, 140):
        lines = [line.plain for line in render(summed, width=width, by=by)]
        harmless("\n".join(lines), width)
    assert any("[31m" in line for line in lines) or by in {"model", "day"}
    out = io.StringIO()
    show(summed, by=by, out=out)
    harmless(out.getvalue(), 100)


@pytest.mark.parametrize("kind", SOME)
def test_explain(capsys: Capture, monkeypatch: pytest.MonkeyPatch, hostile: Path, kind: str) -> None:
    monkeypatch.chdir(hostile)
    for width, more in ((40, ["--show-content"]), (100, [])):
        monkeypatch.setenv("COLUMNS", str(width))
        shown = said(capsys, "explain", "worst", f"{kind}.jsonl", *more)
        harmless(shown, width)
        assert "repeated-tool-call  $" in shown
        assert len(shown.splitlines()) < 90


@pytest.fixture
def large_cells() -> Iterator[None]:
    """Have the module `csv` read cells that are as long as names may be."""
    before = csv.field_size_limit(HUGE)
    yield
    csv.field_size_limit(before)


@pytest.mark.parametrize("kind", SOME)
@pytest.mark.usefixtures("large_cells")
def test_what_is_to_be_parsed_parses(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, hostile: Path, tmp_path: Path, kind: str
) -> None:
    monkeypatch.chdir(hostile)
    log, table = f"{kind}.jsonl", tmp_path / "runs.csv"
    assert run(["analyze", log, "--json", "-o", str(table)]) == 0

    def refuse(word: str) -> None:
        raise AssertionError(word)

    found = json.loads(capsys.readouterr().out, parse_constant=refuse)
    shown = found["findings"][0]
    assert shown["name"] == "repeated-tool-call"
    assert shown["usd"] > 0
    for text in ("message", "evidence", "fix"):
        assert len(shown[text]) < 1000
    name = NAMES[kind].encode("utf-8", "replace").decode()
    assert name[:190] in shown["message"]
    assert name in [row["tool"] for row in found["by_tool"]]
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) == len(found["runs"]) + 1
    assert not any(cell[:1] in "=+-@\t\r\n" for row in rows for cell in row if cell)


def test_huge_texts(capsys: Capture, tmp_path: Path) -> None:
    """Ten megabytes in one result, in one line without an end, and one in a name."""
    lines: list[Any] = [
        *calls("Bash", 1, "\x1b[2J é" * (HUGE // 6))[:2],
        *calls("y" * (HUGE // 10), 2)[:2],
        "[" * HUGE,
    ]
    log = str(write(tmp_path / "a.jsonl", *lines))
    harmless(said(capsys, "analyze", log), 140)
    harmless(said(capsys, "explain", "worst", log, "--show-content"), 100)


def test_findings_say_what_is_in_the_log_and_do_not_run_it(hostile: Path, tmp_path: Path) -> None:
    """Texts of rules name columns; what a column holds is not looked at for names again."""
    sql = "SELECT run_id, turn_in AS turn, block, tokens, tool FROM blocks WHERE kind = 'tool_result'"
    rules = made(tmp_path, {"block": sql}, message="{tool}|{task}", fix="{tool}")
    with analyzed(hostile / "braces.jsonl") as x:
        found = findings_of(x, rules)
    name = NAMES["braces"]
    assert set(found["message"]) == {f"{name}|{name}"}
    assert set(found["fix"]) == {name}


@pytest.mark.parametrize("width", [40, 80])
def test_a_rule_of_strangers(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, width: int
) -> None:
    """The prose of a rule is shown as it is, but for what would disturb a terminal."""
    wild = "\\u001b[31m [bold] \\u202e\\u200b | " + "漢字" * 60
    text = toml("turns", QUERIES["turns"]).replace("'''w'''", f'"{wild}"').replace("'''s'''", f'"{wild}"')
    (tmp_path / "wild.toml").write_text(
        text.replace("At least so many.", "At least " + "many " * 40), encoding="utf-8"
    )
    monkeypatch.setenv("COLUMNS", str(width))
    shown = said(capsys, "rules", "show", "made-turns", "--rules", str(tmp_path))
    prose, query = shown.split("\nquery\n")
    harmless(prose, width)
    assert query.split() == QUERIES["turns"].replace(":least", "0").split()
    assert "[31m [bold]" in prose
    harmless(said(capsys, "rules", "list", "--rules", str(tmp_path)), max(width, 60))
    assert len(load_rules([tmp_path])) >= 2


def test_inert_text_is_bounded() -> None:
    assert len(inert("y" * HUGE)) == len(inert("é\n" * HUGE)) == MOST_CHARS
    assert inert("e\u0301") == "e\u0301"
    assert inert("e" + "\u0301" * 99 + "x") == "e\u0301\u0301x"


@pytest.mark.parametrize("width", [2, 7, 40])
def test_wrapped_text_fits_and_is_whole(width: int) -> None:
    text: Any = "ab 漢字漢字漢字漢字 " + "x" * 50 + " end of it"
    found = wrapped(text, width)
    assert all(cells(line) <= width for line in found)
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
    assert wrapped("", width) == []


def test_output_is_one_stream_of_lines(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, hostile: Path
) -> None:
    """JSON has as many lines as rows: no text breaks one."""
    monkeypatch.chdir(hostile)
    shown = said(capsys, "analyze", "escapes.jsonl", "--json")
    assert shown.count("\n") == len(io.StringIO(shown, newline="\n").readlines())
    assert "\r" not in shown
    assert "\x1b" not in shown
