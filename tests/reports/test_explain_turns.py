"""`costscan explain RUN --turns A-B`: turns one by one, where the context was cut, and the actions of a run."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from command import NO_LEVERS, Capture, logs_of, said
from costscan.actions.words import TTLS
from costscan.errors import CostscanError
from costscan.reports.listings.run_story import render
from costscan.summary.story import story
from costscan.times import Span, span
from logs import Json, assistant, at, message, pair, text, tool_use, usage, user, write

IDLE = "sample_logs/idle-hour"


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [("5", 5, 5), ("0-20", 0, 20), ("5-", 5, None), ("-10", 0, 10), (" 7-7 ", 7, 7), ("0", 0, 0)],
)
def test_which_turns_are_meant(words: str, first: int, last: int | None) -> None:
    assert span("--turns", words) == Span(first, last, words)


@pytest.mark.parametrize("words", ["", "-", "x", "5-3", "1,2", "1-2-3", "--", "1.5", "-1-2", "9" * 30])
def test_what_names_no_turns_is_refused(words: str) -> None:
    with pytest.raises(CostscanError, match="no turns are named so"):
        span("--turns", words)


def compacted(folder: Path) -> str:
    """Return a log of four calls: before the third the history was summed up."""
    lines: list[Json] = [
        user("go", timestamp=at(0)),
        assistant("m1", usage(1_000, out=200), timestamp=at(1), content=[tool_use("t1"), tool_use("t2"), tool_use("t3", "Read")]),
        user("on", timestamp=at(2)),
        assistant("m2", usage(50_000, out=200), timestamp=at(3)),
        user("a summary", isCompactSummary=True, timestamp=at(4)),
        assistant("m3", usage(4_000, out=300), timestamp=at(5)),
        user("on", timestamp=at(6)),
        assistant("m4", usage(4_400, out=5), timestamp=at(7)),
    ]  # fmt: skip
    return str(write(folder / "a.jsonl", *(line | {"uuid": f"u{n}"} for n, line in enumerate(lines))))


def rows(shown: str) -> dict[str, str]:
    """Return the lines of the table of turns, by their number."""
    lines = shown.splitlines()
    start = next(n for n, line in enumerate(lines) if line.split()[:1] == ["turn"])
    own = lines[start + 1 : lines.index("", start)]
    return {line.split()[0]: line for line in own}


def test_each_turn_with_what_it_sent_and_called(capsys: Capture, tmp_path: Path) -> None:
    log = compacted(tmp_path)
    told = rows(said(capsys, "explain", "s1", log, *NO_LEVERS, "--turns", "0-"))
    assert list(told) == ["0", "1", "2", "3"]
    assert told["0"].split() == [
        "0",
        "07-01",
        "00:00:00",
        "$0.0100",
        "1k",
        "0",
        "0",
        "200",
        "2x",
        "Bash,",
        "Read",
    ]
    assert told["1"].split()[3:8] == ["$0.2550", "50k", "0", "0", "200"]
    assert "↓" not in told["1"] + told["3"]


def test_a_compaction_is_marked(capsys: Capture, tmp_path: Path) -> None:
    log = compacted(tmp_path)
    told = rows(said(capsys, "explain", "s1", log, *NO_LEVERS, "--turns", "2"))
    assert list(told) == ["2"]
    assert "↓" in told["2"]
    assert "left the context" in told["2"]
    chart = said(capsys, "explain", "s1", log, *NO_LEVERS)
    assert "↓ left the context: compacted or cleared" in chart
    assert sum("↓" in line for line in chart.splitlines()) == 2  # the legend and the turn
    first_two = said(capsys, "explain", "s1", log, *NO_LEVERS, "--turns", "-1")
    assert list(rows(first_two)) == ["0", "1"]
    assert "↓" not in first_two


def test_turns_that_are_not_there(capsys: Capture, tmp_path: Path) -> None:
    log = compacted(tmp_path)
    text = said(capsys, "explain", "s1", log, *NO_LEVERS, "--turns", "4-9", code=2)
    assert text == "error: --turns 4-9: this run has 4 turns\nhint: they are counted from 0\n"
    assert "no turns are named so" in said(capsys, "explain", "s1", "nowhere", "--turns", "4-1", code=2)
    assert "a rule has no turns" in said(capsys, "explain", "T001", "--turns", "1", code=2)


def test_several_models_are_named(capsys: Capture, tmp_path: Path) -> None:
    asked = [{"role": "user", "content": "hello"}]
    lines = [
        pair(
            message(f"m{n}", usage(100, out=5), model=model, content=[text("ok")]),
            asked,
            run_id="r",
            timestamp=at(n),
        )
        for n, model in enumerate(("claude-opus-4-8", "claude-haiku-4-5"))
    ]
    told = rows(
        said(capsys, "explain", "r", str(write(tmp_path / "a.jsonl", *lines)), *NO_LEVERS, "--turns", "0-")
    )
    assert ["claude-opus-4-8" in told["0"], "claude-haiku-4-5" in told["1"]] == [True, True]


def test_a_story_ends_with_the_actions_of_its_run(capsys: Capture, in_repository: Path) -> None:
    """What they save here is at most what they save of all runs, and of the only run just that."""
    lines = said(capsys, "explain", "c420286e", IDLE).splitlines()
    start = next(n for n, line in enumerate(lines) if line.split()[:3] == ["what", "to", "change"])
    own = [line.split() for line in lines[start + 1 :]]
    whole = said(capsys, "analyze", IDLE, "--json")
    actions = json.loads(whole)["actions"]
    assert [int(words[0]) for words in own] == [action["rank"] for action in actions]
    saved = [next(word for word in words if word.startswith("$")) for words in own]
    assert [Decimal(word[1:]) for word in saved] == [
        round(Decimal(str(action["saved_usd"])), 4) for action in actions
    ]
    assert "what to change" not in said(capsys, "explain", "c420286e", IDLE, *NO_LEVERS)


def test_every_lifetime_that_may_be_cheaper_has_words(in_repository: Path) -> None:
    with logs_of(IDLE) as (x, _):
        told = story(x, "c420286e-1744-4ffd-84a1-e2927887bd79")
    assert told.lifetimes is not None
    for name, words in TTLS.items():
        lines = render(
            replace(told, lifetimes=told.lifetimes | {"cheaper": name, "ttl": "none"}), [], width=400
        )
        assert sum(f"written for {words}:" in line.plain for line in lines) == 1
