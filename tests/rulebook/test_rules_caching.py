"""Caching rules on whole logs: what is planted is found at its place and priced, and nothing else is."""

import copy
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from applied import alone
from cached import HOUR, MARK, Sent, asked, block, body, pairs, said, talk, tool, words
from costscan import ingest
from costscan.analysis import analyze
from costscan.rulebook import load_rules
from costscan.scenarios import price_scenarios
from diagnosed import findings_of
from logs import Json, write

TOOLS = [tool(name) for name in ("alpha", "beta", "gamma")]
GUIDE = words("guide", 4000)
RULES = [rule for rule in load_rules() if rule.lever == "caching"]


def found(folder: Path, requests: list[Sent]) -> pl.DataFrame:
    path = write(folder / "log.jsonl", *pairs(sorted(requests, key=lambda sent: sent.at_s)))
    with ingest.read([str(path)]) as reading:
        x = price_scenarios(analyze(reading), alone("caching"))
        told = findings_of(x, RULES)
        cost = x.turns["usd"].sum()
    assert (told.group_by("name").agg(pl.col("usd").sum())["usd"] <= cost).all()
    return told


def grown(
    change: Callable[[Json, int], None] | None = None, turns: int = 6, run: str = "r1", every_s: float = 30
) -> list[Sent]:
    """Return a healthy run, its requests changed turn by turn."""
    sent = []
    for turn in range(turns):
        request = body([block(GUIDE, MARK)], talk(turn + 1, each=2000), copy.deepcopy(TOOLS))
        if change:
            change(request, turn)
        sent.append(Sent(run, turn * every_s, request))
    return sent


def timed(request: Json, turn: int) -> None:
    request["system"] = [block(f"Now: 2026-10-20T09:{turn:02}:11Z. {GUIDE}", MARK)]


def turned(request: Json, turn: int) -> None:
    tools = request["tools"]
    request["tools"] = tools[turn % 3 :] + tools[: turn % 3]


def reordered(request: Json, turn: int) -> None:
    names = ["city", "day", "hour"]
    shape = {name: {"type": "string"} for name in (names if turn % 2 else names[::-1])}
    request["tools"][1]["input_schema"]["properties"] = shape


def extended(request: Json, turn: int) -> None:
    if turn > 2:
        request["tools"].append(tool("delta"))


def forgetful(request: Json, turn: int) -> None:
    """Take the oldest question out that still stands, from turn 2 on."""
    for number in range(max(turn - 1, 0)):
        request["messages"][2 * number]["content"] = [block("[removed]")]


def unmarked(request: Json, turn: int) -> None:
    request["system"] = [block(GUIDE)]
    request["messages"] = talk(turn + 1, mark=False)


def half_marked(request: Json, turn: int) -> None:
    request["messages"] = talk(turn + 1, mark=False)


def burst(request: Json, turn: int) -> None:
    """Add thirty blocks at turn 3."""
    if turn >= 3:
        request["messages"][6]["content"] = [block(f"part {n}") for n in range(30)]
        request["messages"][6]["content"][-1].update({"cache_control": MARK} if turn == 3 else {})


def switched(request: Json, turn: int) -> None:
    request["model"] = "claude-opus-5-5" if turn == 3 else request["model"]


def hour(request: Json, _turn: int) -> None:
    request["system"] = [block(GUIDE, HOUR)]
    request["messages"][-1]["content"][0]["cache_control"] = HOUR


PLANTED: dict[Callable[[Json, int], None], tuple[str, str | None, int | None]] = {
    timed: ("volatile-prefix", "system[0].text", 5),
    turned: ("unstable-tool-order", "tools[0]", 0),
    reordered: ("unstable-serialization", "tools[1].input_schema", None),
    extended: ("tool-definitions-changed", "tools[3]", 0),
    forgetful: ("history-rewritten", "messages[0].content[0]", 0),
    unmarked: ("no-caching", None, None),
    half_marked: ("missing-breakpoint", None, None),
    burst: ("lookback-overflow", None, None),
    switched: ("model-switched-mid-run", "model", None),
}
"""What is planted, and the finding that it must give: its name, where it is, and from which character on."""


@pytest.fixture(scope="module")
def told_of_planted(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Find all of it in one log, a day between one run and the next."""
    requests: list[Sent] = []
    for day, change in enumerate(PLANTED):
        run = grown(change, turns=9, run=change.__name__)
        requests += [replace(sent, at_s=86_400 * day + sent.at_s) for sent in run]
    return found(tmp_path_factory.mktemp("planted"), requests)


@pytest.mark.parametrize("change", PLANTED)
def test_what_is_planted_is_found(told_of_planted: pl.DataFrame, change: Callable[[Json, int], None]) -> None:
    name, path, char_offset = PLANTED[change]
    told = told_of_planted.filter(run_id=change.__name__)
    assert told["name"].to_list() == [name]
    row = told.row(0, named=True)
    assert row["path"] == path
    assert char_offset is None or row["char_offset"] == char_offset
    assert row["usd"] > Decimal("0.001")
    assert row["tokens"] > 0
    assert path is None or path in row["message"] or path == "model"


def test_a_healthy_run_is_silent(tmp_path: Path) -> None:
    assert found(
        tmp_path, [replace(s, run=f"r{n}", at_s=s.at_s + 7 * n) for n in range(4) for s in grown()]
    ).is_empty()


def test_a_pause_and_what_would_have_outlasted_it(tmp_path: Path) -> None:
    sent = [Sent(s.run, s.at_s + 1200 * (n > 15), s.body) for n, s in enumerate(grown(turns=20))]
    told = found(tmp_path, sent)
    assert told["name"].to_list() == ["cache-expired"]
    assert '"ttl": "1h"' in told["fix"][0]


def test_an_hour_that_nobody_needs(tmp_path: Path) -> None:
    assert found(tmp_path, grown(hour, turns=25)).is_empty(), "one run of a person says nothing of the next"
    runs = [
        replace(sent, at_s=sent.at_s + 7200 * k)
        for k in range(5)
        for sent in grown(hour, turns=25, run=f"r{k}")
    ]
    told = found(tmp_path, runs)
    assert told["name"].to_list() == ["wrong-ttl"]
    assert "five minutes would have been cheaper" in told["message"][0]


def singles(
    question: Callable[[int], list[Json]],
    every_s: float,
    *,
    guide: Json | None = None,
    took_s: float = 4.0,
    n: int = 6,
) -> list[Sent]:
    system = [guide] if guide else []
    return [
        Sent(f"r{k}", k * every_s, body(system, [asked(*question(k))], copy.deepcopy(TOOLS)), took_s)
        for k in range(n)
    ]


def test_a_marker_behind_the_question(tmp_path: Path) -> None:
    told = found(tmp_path, singles(lambda k: [block(f"Question {k}?", MARK)], 20, guide=block(GUIDE)))
    assert told["name"].to_list() == ["too-many-or-late-breakpoints"]


def test_questions_that_nobody_asks_again(tmp_path: Path) -> None:
    told = found(
        tmp_path, singles(lambda k: [block(words(f"document{k}", 5000), MARK)], 20, guide=block(GUIDE, MARK))
    )
    assert told["name"].to_list() == ["written-never-read"]
    assert "(such requests of the task: 6)" in told["message"][0]


def test_requests_that_go_out_at_once(tmp_path: Path) -> None:
    told = found(tmp_path, singles(lambda k: [block(f"Question {k}?")], 0.2, guide=block(GUIDE, MARK)))
    assert told["name"].to_list() == ["fan-out-before-first-response"]
    assert "5 requests of the task wrote" in told["message"][0]


def test_markers_on_too_little(tmp_path: Path) -> None:
    def short(request: Json, turn: int) -> None:
        request["model"] = "claude-haiku-4-5"
        request["tools"], request["system"] = [], [block(words("guide", 2400), MARK)]
        request["messages"] = [
            *(m for n in range(turn) for m in (asked(block(f"q{n}")), said(f"answer {n}"))),
            asked(block("next")),
        ]

    told = found(tmp_path, grown(short, turns=9))
    assert told["name"].to_list() == ["below-minimum-prefix"]


def test_other_settings_at_one_turn(tmp_path: Path) -> None:
    def thinking(request: Json, turn: int) -> None:
        if turn == 5:
            request["output_config"] = {"effort": "low"}

    sent = pairs(grown(thinking, turns=9))
    used = sent[5]["response"]["usage"]
    used["cache_creation_input_tokens"] += used["cache_read_input_tokens"]
    used["cache_creation"]["ephemeral_5m_input_tokens"] = used["cache_creation_input_tokens"]
    used["cache_read_input_tokens"] = 0
    path = write(tmp_path / "log.jsonl", *sent)
    with ingest.read([str(path)]) as reading:
        told = findings_of(analyze(reading), RULES)
    assert told["name"].to_list() == ["setting-changed-mid-run"]
    assert "low" in told["message"][0]
