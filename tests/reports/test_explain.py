"""`costscan explain`: a run told turn by turn, at any width; which run or rule is meant; which texts are shown."""

import gzip
import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from billed import ROOT, Billed
from command import NO_LEVERS, Capture, logs_of, said
from costscan.cli.app import run
from costscan.reading.content.excerpts import excerpts
from costscan.reports.listings.run_story import render
from costscan.reports.listings.turn_chart import LOOK, ROWS, turn_chart
from costscan.reports.text.sanitize import cells
from costscan.summary.story import KINDS, Story, story
from logs import OPUS, Json, assistant, at, message, pair, text, tool_result, tool_use, usage, user, write
from seen import analyzed

pytestmark = pytest.mark.usefixtures("kept_analyses")

Golden = Callable[[str, str], None]
BLOATED, IDLE = "sample_logs/bloated-tool-result", "sample_logs/idle-hour"


@pytest.mark.parametrize("width", [80, 140])
def test_a_run_on_a_terminal_of_that_width(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, golden: Golden, in_repository: Path, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    shown = [said(capsys, "explain", "worst", BLOATED), said(capsys, "explain", "worst", IDLE)]
    golden(f"explain-{width}", "\n".join(shown))


def test_a_run_with_texts_and_sub_agents(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, golden: Golden, in_repository: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    golden("explain-content", said(capsys, "explain", "1aa90c57", "sample_logs", "--show-content"))


NAMED = ("6ba15ea5", "c420286e", "1aa90c57")


@pytest.fixture(scope="module")
def stories() -> Iterator[tuple[list[Story], list[str]]]:
    """The stories of some runs of the samples, and the ids of all."""
    with chdir(ROOT), logs_of("sample_logs") as (x, _):
        every = sorted(x.runs["run_id"])
        told = [story(x, run) for run in every if run.startswith(NAMED)] + [story(x, r) for r in every[::9]]
        yield told, every


@pytest.mark.parametrize("with_texts", [False, True])
def test_every_line_fits(stories: tuple[list[Story], list[str]], with_texts: bool) -> None:
    told, every = stories
    assert (
        {one.findings.is_empty() for one in told}
        == {one.sub_agents.is_empty() for one in told}
        == {True, False}
    )
    for width in (*range(40, 85), 100, 119, 120, 140):
        for one in told[width % 2 :: 2]:
            texts = dict.fromkeys(one.blocks["block"], "some words " * 40) if with_texts else None
            lines = [line.plain for line in render(one, every, width=width, excerpts=texts)]
            assert max(map(cells, lines)) <= width, (width, one.run["run_id"])
            assert not any(line.endswith(" ") for line in lines)
            assert sum(line.strip().startswith("turn ") and "cost" in line for line in lines) == 1
            whole = " ".join(" ".join(lines).split())
            assert "no finding: " in whole or "without what was found: about " in whole


def test_what_is_piped_does_not_depend_on_the_terminal(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, in_repository: Path
) -> None:
    def sized(columns: int) -> str:
        monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((columns, 20)))
        return said(capsys, "explain", "worst", BLOATED)

    assert sized(44) == sized(300)


def test_a_terminal_that_takes_ascii_only(monkeypatch: pytest.MonkeyPatch, in_repository: Path) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    assert run(["explain", "worst", IDLE]) == 0
    shown = raw.getvalue().decode("ascii")
    assert "x 35.5k expired after 74 min" in shown
    assert len({shown.count(mark) for mark in ".:#="} - {0}) > 1


def test_the_chart_says_what_each_turn_sent(samples: Billed) -> None:
    """Bars are as long as prompts: of 60 columns for the largest, in the order of the legend."""
    kinds = {"not logged": 300, "system and tools": 0, "tool results": 100, "assistant": 150, "user": 50}
    rows: list[Json] = [{"turn": n, "usd": None, "prompt_tokens": 600 * (n + 1) // 4, "missed_tokens": 0, "cut_tokens": 0, "gap_s": None}
            | {"cache_read_tokens": 7, "why": None} | kinds for n in range(4)]  # fmt: skip
    schema: dict[str, Any] = {"usd": pl.Decimal(38, 12), "gap_s": pl.Float64, "why": pl.String}
    head, *lines = [line.plain for line in turn_chart(pl.DataFrame(rows, schema_overrides=schema), 140)]
    assert " ".join(head.split()) == "turn cost input read ░ not logged █ tool results ▓ assistant ▪ user"
    bars = [line.split()[-1] for line in lines]
    assert [len(bar) for bar in bars] == [15, 30, 45, 60]
    assert bars[3] == "░" * 30 + "█" * 10 + "▓" * 15 + "▪" * 5
    assert lines[0].split()[:4] == ["0", "-", "150", "7"]
    assert set(LOOK) == set(KINDS)


@pytest.mark.parametrize(("turns", "rows"), [(1, 1), (ROWS, ROWS), (ROWS + 1, 13), (1000, 24)])
def test_long_runs_have_turns_together(turns: int, rows: int) -> None:
    told: list[Json] = [{"turn": n, "usd": None, "prompt_tokens": 10, "missed_tokens": 5000, "cut_tokens": 0, "gap_s": 60.0 * n}
            | {"cache_read_tokens": 7, "why": "expired"} | dict.fromkeys(KINDS, 2) for n in range(turns)]  # fmt: skip
    frame = pl.DataFrame(told, schema_overrides={"usd": pl.Decimal(38, 12)})
    lines = [line.plain for line in turn_chart(frame, 100)][2:]
    assert len(lines) == rows
    size = -(-turns // rows)
    shown = sum(int(found[1]) if (found := re.search(r"(\d+)x ", line)) else 1 for line in lines)
    assert shown == turns
    assert lines[0].split()[0] == ("0" if size == 1 else f"0-{size - 1}")


def test_which_run_is_meant(capsys: Capture, in_repository: Path) -> None:
    def told(name: str, code: int = 0) -> str:
        return said(capsys, "explain", name, "sample_logs/sub-agents", IDLE, *NO_LEVERS, code=code)

    whole = told("c420286e-1744-4ffd-84a1-e2927887bd79")
    assert whole.startswith("c420286e   copperline · 23 calls · ")
    assert told("c420") == told("worst") == whole
    agent = told("agent-a714")
    assert told("1aa90c57/agent-a714") == agent
    assert "1aa90c57/agent-a71467262c16b71be" in agent.splitlines()[0]
    # The id of a session begins the ids of its sub-agents too.
    assert told("1aa90c57").startswith("1aa90c57   ")
    assert told("nothing", 2) == (
        "error: nothing: no run of this name in these logs\nhint: costscan analyze PATH --by run lists them\n"
    )
    several = told("1aa90c57/agent-a", 2).splitlines()
    assert several[0] == "error: 1aa90c57/agent-a: 3 runs begin so"
    assert several[1].count("1aa90c57-") == 3


def test_the_worst_run_is_the_first_that_analyze_lists(capsys: Capture, tmp_path: Path) -> None:
    """The most expensive with its sub-agents; a run that has no price is not it, one that is called so is."""

    def called(run_id: str, tokens: int, **more: str) -> Json:
        model = more.pop("model", OPUS)
        answer = message(f"msg_{run_id}", usage(tokens), model=model)
        return pair(answer, run_id=run_id, model=model, **more)

    rows = [called("alone", 500), called("parent", 100), called("nova", 9000, model="nova-9"),
            called("child", 450, parent_run_id="parent", agent="helper")]  # fmt: skip
    log = write(tmp_path / "a.jsonl", *rows)
    assert said(capsys, "explain", "worst", str(log), *NO_LEVERS).startswith("parent   ")
    table = said(capsys, "analyze", str(log), *NO_LEVERS).splitlines()
    first = next(n for n, line in enumerate(table) if line.startswith("  worst runs")) + 1
    assert table[first].split()[0] == "parent"
    write(log, *rows, called("worst", 1))
    assert said(capsys, "explain", "worst", str(log), *NO_LEVERS).startswith("worst   ")


def test_which_rule_is_meant(capsys: Capture, in_repository: Path) -> None:
    whole = said(capsys, "explain", "bloated-tool-result")
    assert whole == said(capsys, "explain", "T001") == said(capsys, "rules", "show", "bloated-tool-result")
    assert said(capsys, "explain", "bloated-tool-reslt", code=2) == (
        "error: bloated-tool-reslt: no rule of this name\nhint: did you mean bloated-tool-result or repeated-tool-result or stale-tool-result?\n"
    )
    assert said(capsys, "explain", "c420286e", code=2).endswith(
        "hint: for a run, name its logs too: costscan explain c420286e PATH\n"
    )
    assert said(capsys, "explain", IDLE, code=2) == (
        f"error: {IDLE}: no rule of this name\nhint: which run of it? costscan explain worst {IDLE}\n"
    )


KEY = "sk-ant-api03-AbCdEf0123456789"


def telling(folder: Path) -> list[Json]:
    """A session whose most expensive block is a tool result with a key and an address."""
    shown = f"key {KEY} of tomasz@example.org " + "word " * 3000
    return [
        user("go", timestamp=at(0)),
        assistant("msg_1", usage(100, out=20), content=[tool_use("t1", "Bash", command=f"echo {KEY}")]),
        user([tool_result("t1", shown)], timestamp=at(9)),
        assistant("msg_2", usage(5000, out=20), content=[text("done")]),
        user("again", timestamp=at(20)),
        assistant("msg_3", usage(5100, out=20)),
    ]


def test_texts_are_shown_only_where_asked_for_and_without_secrets(capsys: Capture, tmp_path: Path) -> None:
    log = str(write(tmp_path / "a.jsonl", *telling(tmp_path)))
    silent = said(capsys, "explain", "s1", log, *NO_LEVERS)
    assert "Bash result" in silent
    assert "word" not in silent
    shown = said(capsys, "explain", "s1", log, *NO_LEVERS, "--show-content")
    assert "key ▮ of ▮ word word" in shown
    assert '{"command": "echo ▮"}' in shown
    assert KEY not in shown
    assert "example.org" not in shown
    assert shown.replace("\n    ", "").count("word") >= 3
    own = said(capsys, "explain", "s1", log, *NO_LEVERS, "--show-content", "--set", "redact=false")
    assert f"key {KEY} of tomasz@example.org" in own


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl"])
def test_texts_of_packed_logs(capsys: Capture, tmp_path: Path, name: str) -> None:
    log = write(tmp_path / "plain.jsonl", *telling(tmp_path))
    packed = tmp_path / name
    packed.write_bytes(gzip.compress(log.read_bytes()))
    assert "key ▮ of" in said(capsys, "explain", "s1", str(packed), *NO_LEVERS, "--show-content")


def test_texts_of_pairs(capsys: Capture, tmp_path: Path) -> None:
    asked = [{"role": "user", "content": f"look at {KEY} " + "word " * 500}]
    answer = message("msg_1", usage(900, out=5), content=[text("seen it")])
    log = write(tmp_path / "a.jsonl", pair(answer, asked, run_id="r1", system="be brief " * 90))
    shown = said(capsys, "explain", "r1", str(log), *NO_LEVERS, "--show-content")
    assert "look at ▮ word" in shown
    assert "be brief be brief" in shown
    assert "seen it" in shown


def test_texts_that_cannot_be_read_again(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = write(tmp_path / "a.jsonl", *telling(tmp_path))
    with log.open(encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", file)
        shown = said(capsys, "explain", "s1", "-", *NO_LEVERS, "--show-content")
    assert shown.startswith("s1   ")
    assert "the texts cannot be shown: the log is not there any more, or was standard input" in shown
    assert "word" not in shown


def test_texts_of_a_log_that_changed_or_went(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", *telling(tmp_path))
    with analyzed(log) as x:
        row = x.blocks.filter(kind="tool_result").collect().row(0, named=True)
    wanted = {row["line"]: {row["content_hash"]}}
    assert list(excerpts(str(log), wanted, redact=True)) == [row["content_hash"]]
    assert excerpts(str(log), {row["line"] + 1: {row["content_hash"]}}, redact=True) == {}
    write(log, *["{bad", "[]", "7"] * 9)
    assert excerpts(str(log), wanted, redact=True) == {}
    log.write_bytes(gzip.compress(b"x" * 9000)[:40])
    assert excerpts(str(log), wanted, redact=True) == {}
    log.unlink()
    assert excerpts(str(log), wanted, redact=True) == {}


def test_a_run_without_money_or_blocks_is_told(capsys: Capture, tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", user(), assistant("msg_1", usage(50, out=5), model="nova-9"))
    shown = said(capsys, "explain", "worst", str(log), *NO_LEVERS).splitlines()
    assert shown[1] == "  cost unknown · 50 tokens of input · 0% read from the cache · 5 of output"
    assert any(line.split()[:3] == ["0", "-", "50"] for line in shown)
    nothing = write(tmp_path / "b.jsonl", user(), assistant("msg_1", usage()))
    unknown = "cost unknown · input unknown · - read from the cache · output unknown"
    assert unknown in said(capsys, "explain", "worst", str(nothing), *NO_LEVERS)


def test_calls_that_are_not_in_the_log_are_no_sub_agent(capsys: Capture, in_repository: Path) -> None:
    log = "sample_logs/headless-stream"
    shown = " ".join(said(capsys, "explain", "worst", log).split())
    assert "cost $0.0691 with calls that are not in the log · " in shown
    assert "the main thread alone: 8 calls, $0.0599" in shown
    assert "unlogged $0.0092 13% 2 calls not in the log" in shown
    assert "/unlogged" in said(capsys, "explain", "dfcede03/unlogged", log).splitlines()[0]
