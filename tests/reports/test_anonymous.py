"""`--anonymize`: nothing of a log's names, paths and texts comes out of any report, and the numbers stay."""

import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from billed import ROOT
from command import NO_LEVERS, Capture, said
from costscan.actions import Advised
from costscan.anonymous import names_in
from costscan.anonymous.columns import KINDS, OWN
from costscan.anonymous.known import AGENTS, TOOLS
from costscan.anonymous.names import Names
from costscan.cli.app import run
from costscan.names import last_part
from costscan.pipeline import diagnosed
from costscan.reports.analysis.first_screen import first_screen
from costscan.reports.analysis.json import encoded
from costscan.reports.analysis.tables import TABLES
from costscan.reports.analysis.terminal import render
from costscan.reports.endings import ANALYSIS
from costscan.reports.findings import names as formats
from costscan.reports.findings import printer
from costscan.reports.findings.listing import chosen
from costscan.reports.findings.text import of_rule
from costscan.reports.listings.run_story import render as run_story
from costscan.reports.outputs import target
from costscan.request import Request
from costscan.summary import Summary
from costscan.summary.story import story
from costscan.times import span
from hostile import NAMES
from hypothesis_profile import examples
from kept import Kept, keeping
from named import LEAST, Traced, logs

HOSTILE = [name for kind, name in NAMES.items() if kind not in {"long", "marks", "wide"}]
STORIES = 12
REPORTS = [f"report{ending}" for ending in ANALYSIS]


def printed(*words: str) -> str:
    """Return all that a command prints."""
    err = StringIO()
    with captured() as out, redirect_stderr(err):
        assert run([*words, "--anonymize"]) == 0, err.getvalue()
    return out.getvalue().decode("utf-8", "replace") + err.getvalue()


@contextmanager
def captured() -> Iterator[BytesIO]:
    """Yield what is printed as bytes, as standard output takes both texts and bytes."""
    out = BytesIO()
    stream = TextIOWrapper(out, encoding="utf-8", errors="replace", write_through=True)
    with redirect_stdout(stream):
        yield out
    stream.detach()


def written(path: Path) -> str:
    """Return all that a report holds as text."""
    if path.suffix == ".parquet":
        return json.dumps(pl.read_parquet(path).to_dicts(), default=str, ensure_ascii=False)
    return path.read_text(encoding="utf-8")


def shown_of(x: Advised, summary: Summary) -> Iterator[tuple[str, str]]:
    """Yield everything that commands print of an analysis."""
    yield "first screen", text_of(first_screen(summary, 100))
    yield "json", encoded(summary).decode()
    for by in (None, *TABLES):
        yield f"by {by}", text_of(render(summary, width=140, by=by, top=50))
    listing = chosen(summary, x)
    for name in formats():
        with captured() as out:
            printer(name).show(listing, top=None)
        yield f"findings {name}", out.getvalue().decode()
    for rule in summary.rules:
        yield f"explain {rule.name}", text_of(of_rule(chosen(summary, x, rules=[rule.id]), rule, 140))
    every = [*summary.runs["run_id"], *summary.threads["run_id"]]
    for one in list(dict.fromkeys(every))[:STORIES]:
        for turns in (None, span("--turns", "0-")):
            told = story(x, one)
            if told.turns.height or turns is None:
                yield (
                    f"explain {one}",
                    text_of(run_story(told, every, width=140, paths=summary.paths, turns=turns)),
                )


def text_of(lines: Iterable[Text]) -> str:
    return "\n".join(line.plain for line in lines)


@examples(4)
@given(st.integers(0, 10**9), st.sampled_from(HOSTILE), st.sampled_from(HOSTILE))
def test_nothing_of_a_log_comes_out(seed: int, before: str, after: str) -> None:
    traced = Traced(seed, (before, after))
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        home = str(logs(Path(folder), traced))
        with diagnosed(Request(paths=(home,), workers=1, anonymize=True)) as (x, summary):
            shown = dict(shown_of(x, summary))
            for name in (*REPORTS, "frames/"):
                target(name).write(summary, x)
            assert summary.findings.height
            assert summary.inputs.skipped
            assert summary.inputs.unknown
            assert x.prefix_breaks["before"].str.starts_with("text-").any()
        shown |= {str(path): written(path) for path in (*map(Path, REPORTS), *Path("frames").iterdir())}
    assert all(traced.found_in(trace) for trace in traced.traces)
    for name, report in shown.items():
        assert not traced.found_in(report), name


@pytest.mark.parametrize(
    "words", [["analyze", "-v"], ["findings"], ["explain", "worst", "--turns", "0-"]], ids=str
)
def test_commands_print_nothing_of_it_on_either_stream(tmp_path: Path, words: list[str]) -> None:
    traced = Traced(7)
    home = str(logs(tmp_path, traced))
    shown = printed(*words, home, *NO_LEVERS)
    assert re.search(r"(?:run|file)-[0-9a-f]{6}", shown)
    assert not traced.found_in(shown)


@pytest.fixture(scope="module")
def sides(_kept: Kept) -> Iterator[dict[str, tuple[Advised, Summary]]]:
    """What is made of the sample logs, with their names and without."""
    asked = Request(paths=("sample_logs",), workers=1)
    with ExitStack() as stack:
        with chdir(ROOT):
            # Blocks are written anew without names: what others keep is left alone.
            hidden = stack.enter_context(diagnosed(replace(asked, anonymize=True)))
            with keeping(_kept):
                named = stack.enter_context(diagnosed(asked))
        yield {"named": named, "hidden": hidden}


def test_no_name_of_the_sample_logs_comes_out(sides: dict[str, tuple[Advised, Summary]]) -> None:
    """They give findings of most rules, with excerpts, and actions of every lever."""
    x, summary = sides["named"]
    own = [*x.runs["run_id"], *x.runs["path"], *x.runs["project"], *x.runs["branch"], *x.runs["user"]]
    named = {*x.runs["task"], *x.runs["agent"], *x.tool_calls["tool"], *x.tool_calls["server"]}
    breaks = x.prefix_breaks.filter(~pl.col("cause").is_in(["expired", "setting-changed", "model-switched"]))
    own += [*named - TOOLS - AGENTS, *breaks["before"], *breaks["after"]]
    names = {str(name) for name in own if name and len(name) >= LEAST}
    names |= {last_part(project) for project in x.runs["project"].drop_nulls()}
    said_of = dict(shown_of(x, summary))
    x, summary = sides["hidden"]
    shown = dict(shown_of(x, summary))
    assert len({*summary.findings["rule"]}) > 6
    told = {name for name in names if any(name in report for report in said_of.values())}
    assert {"copperline", "fix/double-delivery", "mcp__logs__search", "/home/mikkel/copperline"} <= told
    for where, report in shown.items():
        assert not {name for name in names if name in report}, where


@pytest.fixture(scope="module")
def both(sides: dict[str, tuple[Advised, Summary]]) -> tuple[Any, Any]:
    """Return the JSON report of the sample logs with their names and without."""
    named, hidden = (json.loads(encoded(summary)) for _, summary in sides.values())
    return named, hidden


def numbers(value: Any) -> Any:
    """Return a report without its texts; what is listed in the order of names is sorted."""
    if isinstance(value, dict):
        return {name: numbers(one) for name, one in value.items() if name != "generated_at"}
    if isinstance(value, list):
        return sorted((numbers(one) for one in value), key=repr)
    return "" if isinstance(value, str) else value


def test_the_numbers_stay(both: tuple[Any, Any]) -> None:
    named, hidden = both
    for part in named:
        if part not in {"assumptions", "prices"}:
            assert numbers(named[part]) == numbers(hidden[part]), part


def test_what_may_stay_stays(both: tuple[Any, Any]) -> None:
    named, hidden = both
    for part in ("by_model", "scenarios", "assumptions", "prices", "plan"):
        assert named[part] == hidden[part]
    assert [f["fingerprint"] for f in named["findings"]] == [f["fingerprint"] for f in hidden["findings"]]
    assert [f["rule"] for f in named["findings"]] == [f["rule"] for f in hidden["findings"]]
    assert [a["id"] for a in named["actions"]] == [a["id"] for a in hidden["actions"]]
    tools = {row["tool"] for row in hidden["by_tool"]}
    assert {"Read", "Bash", "Edit", "(system prompt)"} <= tools
    assert {f["path"] for f in named["findings"]} == {f["path"] for f in hidden["findings"]}


def test_names_are_short_and_the_same_everywhere(both: tuple[Any, Any]) -> None:
    _, hidden = both
    tasks = {row["task"] for row in hidden["by_task"]}
    assert all(len(task) == len("task-3f2a9c") and task.startswith("task-") for task in tasks)
    assert {run["task"] for run in hidden["runs"]} == tasks
    runs = {run["run_id"] for run in hidden["runs"]}
    assert {finding["root_run_id"] for finding in hidden["findings"]} <= runs


def test_a_run_is_explained_by_its_own_id_or_by_its_hash(capsys: Capture, in_repository: Path) -> None:
    own = said(capsys, "explain", "c420286e", "sample_logs/idle-hour", "--anonymize")
    name = own.split()[0]
    assert name.startswith("run-")
    assert said(capsys, "explain", name, "sample_logs/idle-hour", "--anonymize") == own
    assert "copperline" not in own
    text = said(capsys, "explain", "worst", "sample_logs/idle-hour", "--anonymize", "--show-content", code=2)
    assert "--show-content shows texts" in text


def test_what_is_accepted_stays_accepted(capsys: Capture, in_repository: Path) -> None:
    told = said(capsys, "findings", "sample_logs/idle-hour", "--anonymize", "--format", "json")
    first = json.loads(told.splitlines()[0])
    accepted = f"findings.accepted={first['fingerprint']}"
    left = said(
        capsys, "findings", "sample_logs/idle-hour", "--anonymize", "--format", "json", "--set", accepted
    )
    assert first["fingerprint"] not in left


def test_every_column_of_texts_is_declared(sides: dict[str, tuple[Advised, Summary]]) -> None:
    """A column that is new may hold a name: who adds it says what it is, or no report can be made."""
    assert not set(KINDS) & OWN
    x, _ = sides["named"]
    for name in x._frames():
        texts = [column for column, kind in x.frame(name).schema.items() if kind == pl.String]
        assert set(texts) <= {*KINDS, *OWN}, name
    names_in(x)


def test_names_that_share_a_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costscan.anonymous.names._digest", lambda _, value: "abcdef" + value.ljust(58, "0"))
    names = Names([], [])
    first, second = names.name("task", "1"), names.name("task", "2")
    assert (first, second) == ("task-abcdef", "task-abcdef200000")
    assert names.name("task", "1") == first
    assert names.name("task", first) == first


@pytest.mark.parametrize(
    ("kind", "value", "pattern"),
    [
        ("tool", "Read", "Read"),
        ("tool", "mcp__jira__get", "mcp__server-[0-9a-f]{6}__tool-[0-9a-f]{6}"),
        ("tool", "mcp__jira", "tool-[0-9a-f]{6}"),
        ("tool", "lookup", "tool-[0-9a-f]{6}"),
        ("run", "abc", "run-[0-9a-f]{6}"),
        ("run", "abc/unlogged", "run-[0-9a-f]{6}/unlogged"),
        ("run", "abc/agent-7", "run-[0-9a-f]{6}/agent-[0-9a-f]{6}"),
        ("task", "agent:Explore", "agent:Explore"),
        ("task", "agent:mine", "agent:agent-[0-9a-f]{6}"),
        ("task", "unnamed", "unnamed"),
        ("model", "claude-opus-4-8", "claude-opus-4-8"),
        ("model", "acme-7", "model-[0-9a-f]{6}"),
        ("place", "messages[4].content[0].id", r"messages\[4\]\.content\[0\]\.id"),
        ("place", "tools[3].secret", r"tools\[3\]\.…"),
        ("place", "a b", "place"),
        ("word", "end_turn", "end_turn"),
        ("word", "boom", "word-[0-9a-f]{6}"),
    ],
)
def test_what_stands_for_a_name(kind: str, value: str, pattern: str) -> None:

    assert re.fullmatch(pattern, Names(["claude-opus-4-8"], []).name(kind, value))
