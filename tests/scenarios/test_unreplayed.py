"""Levers of runs whose cache has no known rules: unknown, with the reason, never zero."""

from decimal import Decimal
from pathlib import Path

import pytest

import costscan
from command import Capture, said
from logs import Json, message, pair, text, usage, write

CLAUDE, OTHER = "claude-sonnet-5-5", "gemini-2.5-pro"


def talk(model: str, turns: int = 6) -> list[Json]:
    """A run in which each call sends all before it and 2,000 tokens more; nothing is cached."""
    messages: list[Json] = []
    lines = []
    for turn in range(turns):
        messages.append(
            {"role": "user", "content": [text(f"{model} question {turn} " + "and more words " * 600)]}
        )
        answer = message(f"{model}-{turn}", usage(2000 * (turn + 1), out=60), model=model)
        lines.append(
            pair(answer, [*messages], run_id=f"run-{model}", timestamp=f"2026-11-02T10:{turn:02}:00Z")
        )
        messages.append({"role": "assistant", "content": answer["content"]})
    return lines


def test_no_lever_says_zero_of_a_cache_without_known_rules(tmp_path: Path) -> None:
    report = costscan.analyze(write(tmp_path / "runs.jsonl", *talk(OTHER)), workers=1)
    told = {s.scenario: s for s in report.summary.scenarios}
    for name in ("caching", "trimming", "routing", "all", "caching/ttl", "batching/pack-items"):
        assert (told[name].usd, told[name].saved_usd, told[name].risk) == (None, None, None)
        assert (
            told[name].reason == f"only batching is worked out for the run: no known cache rules for {OTHER}"
        )
    for name in ("batching", "batching/async"):
        assert (told[name].saved_usd, told[name].reason) == (Decimal(0), None)
    assert told["as_billed"].usd == report.summary.totals.usd
    assert report.summary.plan == []
    assert report.summary.defects == []


def test_beside_runs_with_known_rules_the_others_stay_unknown(tmp_path: Path) -> None:
    alone = costscan.analyze(write(tmp_path / "a.jsonl", *talk(CLAUDE)), workers=1)
    both = costscan.analyze(write(tmp_path / "b.jsonl", *talk(CLAUDE), *talk(OTHER)), workers=1)
    for name in ("caching", "all"):
        found, same = both.summary.scenario(name), alone.summary.scenario(name)
        assert found is not None
        assert same is not None
        assert found.saved_usd == same.saved_usd
        assert found.saved_usd is not None
        assert found.saved_usd > Decimal("0.01")
        assert (
            found.reason
            == f"only batching is worked out for 1 of 2 runs and sub-agents: no known cache rules for {OTHER}"
        )
    rows = both.scenarios.filter(run_id=f"run-{OTHER}", scenario="caching")
    assert rows["saved_usd"].to_list() == rows["usd"].to_list() == [None]


def test_half_the_price_of_what_nobody_waits_for_is_known(tmp_path: Path) -> None:
    """Single requests by themselves, whatever the cache does; Google reads its cache at the same price."""
    asked = [{"role": "user", "content": [text("Label this: " + "some words " * 900)]}]
    lines = [
        pair(
            message(f"m-{n}", usage(1500, read=400, out=60), model=OTHER),
            asked,
            run_id=f"run-{n}",
            task="labels",
            timestamp=f"2026-11-02T10:{n:02}:00Z",
        )
        for n in range(8)
    ]
    report = costscan.analyze(write(tmp_path / "runs.jsonl", *lines), workers=1)
    told = {s.scenario: s for s in report.summary.scenarios}
    billed = report.summary.totals.usd
    assert billed is not None
    assert billed == 8 * (1500 * Decimal("1.25") + 400 * Decimal("0.125") + 60 * 10) / 10**6
    for name in ("batching", "batching/async"):
        assert told[name].saved_usd == 8 * (1500 * Decimal("1.25") + 60 * 10) / 2 / 10**6
    assert told["caching"].saved_usd is None


@pytest.mark.usefixtures("kept_analyses")
def test_the_first_screen_says_so(capsys: Capture, tmp_path: Path) -> None:
    log = write(tmp_path / "runs.jsonl", *talk(OTHER))
    assert f"levers      only batching is worked out for the run: no known cache rules for {OTHER}" in said(
        capsys, "analyze", str(log)
    )
    assert "no known cache rules" not in said(capsys, "analyze", "sample_logs/idle-hour")


@pytest.mark.usefixtures("kept_analyses")
def test_many_and_hostile_models_are_named_on_one_safe_line(capsys: Capture, tmp_path: Path) -> None:
    models = ["a-\x1b[31mred\x9b2J", *(f"own-model-{n}" for n in range(9))]
    log = write(tmp_path / "runs.jsonl", *(line for model in models for line in talk(model, turns=2)))
    words = " ".join(said(capsys, "analyze", str(log)).split())
    assert (
        "10 of 10 runs and sub-agents: no known cache rules for "
        "a-\N{REPLACEMENT CHARACTER}[31mred\N{REPLACEMENT CHARACTER}2J, own-model-0, own-model-1 and 7 more"
    ) in words
    assert not {"\x1b", "\x9b"} & set(words)
