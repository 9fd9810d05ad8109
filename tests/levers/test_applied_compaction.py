"""Histories that are then really replaced by a summary cost what was foreseen.

Each run is logged as it is, and as it is compacted at the turn that the scenario chose: the summary is asked for by
a request of its own, and from that turn on stands for what the turn before was sent. Both are billed by the slow
reference.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from applied import alone
from costscan.levers.catalogue import SUMMARY_TOKENS
from costscan.levers.trimming.compact_history import ASKED_TOKENS
from costscan.scenarios import price_scenarios
from costscan.scenarios.lever_sets import Sets
from costscan.scenarios.route_choice import Routes
from costscan.scenarios.workspace import Workspace
from costscan.settings.keys import Settings, Trimming
from logs import Json, assistant, at, text, usage, usd, user, write
from mended import words
from seen import analyzed
from thoroughness import fewer
from workloads import HAIKU45, OPUS48, SONNET46, Calls, automatic, lines, loops, marked, unit
from workloads import usd as billed

PART = "compact-history"
COMPACT = alone("trimming", settings=Settings(trimming=Trimming(parts=(PART,))))
WITHIN = 0.02


def compacted(calls: Calls, turns: list[int]) -> Calls:
    """One run with the history before some turns replaced: each of them keeps what came in with it."""
    asks: Calls = []
    for since in turns:
        whole: list[Json] = calls[since - 1].request["messages"]
        asked = calls[since].told(messages=[*whole, said(ASKED_TOKENS)])
        asks.append(replace(asked, answer=[], at_us=calls[since].at_us - 2, took_us=1))
        calls = [
            call.told(messages=[said(SUMMARY_TOKENS), *call.request["messages"][len(whole) :]])
            if n >= since else call
            for n, call in enumerate(calls)
        ]  # fmt: skip
    return sorted([*calls, *asks], key=lambda call: call.at_us)


def said(tokens: int) -> Json:
    return {"role": "user", "content": [text(words(tokens))]}


def turns_of(found: Workspace) -> list[int]:
    """The turns at which the scenario compacts."""
    sets = Sets(found, ["trimming"], Routes(found))
    (plan,) = found.done([sets.trimmed([PART])])
    # A summary is written just after the turn that it is billed with.
    return [turn + 1 for turn in plan.steps.filter(pl.col("extra_output_tokens") > 0)["turn"]]


SHAPES: dict[str, Callable[[Calls], Calls]] = {
    "marked": marked,
    "an hour": lambda calls: marked(calls, "1h"),
    "automatic": automatic,
    "unmarked": list,
}


@pytest.mark.parametrize(
    ("how", "model"),
    fewer([("marked", HAIKU45), ("an hour", OPUS48), ("automatic", SONNET46), ("unmarked", OPUS48)], 2),
)
def test_a_history_that_is_compacted_costs_what_was_foreseen(tmp_path: Path, model: str, how: str) -> None:
    calls = loops(f"{how} {model}", model=model, runs=1, turns=60, system=5000, result=1000)
    before = SHAPES[how](calls)
    with analyzed(write(tmp_path / "calls.jsonl", *lines(before))) as x:
        found = price_scenarios(x, COMPACT).scenarios.filter(scenario=f"trimming/{PART}")
        turns = turns_of(Workspace(x, COMPACT))
    # The prompt passes 40,000 tokens in the 35th turn or so, and once more towards the end of the run.
    assert 1 <= len(turns) <= 2
    assert all(len(calls) / 4 < turn for turn in turns)
    after = SHAPES[how](compacted(calls, turns))
    summaries = len(turns) * SUMMARY_TOKENS * unit(model)["output"]
    want = billed(lines(before)) - billed(lines(after)) - summaries
    assert float(Decimal(found["saved_usd"].sum()) / want) == pytest.approx(1, abs=WITHIN)


SYSTEM, ASKED, GROWS, TURNS, AT_TOKENS = 15_000, 500, 2000, 60, 100_000


def session(*, is_cold: bool, name: str = "s1") -> list[Json]:
    """A transcript of a session whose first turn reads, or writes, the system prompt."""
    out = []
    for n in range(TURNS):
        sent = SYSTEM + ASKED + n * GROWS
        read, written = (sent - GROWS, GROWS) if n else (0 if is_cold else SYSTEM, ASKED)
        used = usage(read=read, w5m=sent - read if not n else written, out=200)
        ids = {
            "uuid": f"{name}-a{n}",
            "parentUuid": f"{name}-u{n}",
            "timestamp": at(20 * n + 5),
            "sessionId": name,
        }
        before = f"{name}-a{n - 1}" if n else None
        asked = user(
            "go on " * 240, uuid=f"{name}-u{n}", parentUuid=before, timestamp=at(20 * n), sessionId=name
        )
        out += [asked, assistant(f"msg_{name}_{n}", used, **ids)]
    return out


def compacted_usd(at_turn: int) -> Decimal:
    """What the turns of a session cost from a turn on, where the history before it is a summary."""
    before = SYSTEM + ASKED + (at_turn - 1) * GROWS
    told = usd(OPUS48, read=before, **{"in": ASKED_TOKENS}, out=SUMMARY_TOKENS)
    told += usd(OPUS48, read=SYSTEM, w5m=SUMMARY_TOKENS + GROWS)
    later = [SYSTEM + SUMMARY_TOKENS + n * GROWS for n in range(1, TURNS - at_turn)]
    return told + sum((usd(OPUS48, read=sent, w5m=GROWS) for sent in later), Decimal(0))


@pytest.mark.parametrize(("is_cold", "most"), [(False, 0.0001), (True, 0.01)])
def test_a_transcript_keeps_the_system_prompt_when_it_is_compacted(
    tmp_path: Path, *, is_cold: bool, most: float
) -> None:
    """Where the first turn wrote it, with all else that was sent, its length is an estimate."""
    settings = Settings(trimming=Trimming(parts=(PART,), compact_at_tokens=AT_TOKENS))
    at_turn = (AT_TOKENS - SYSTEM - ASKED) // GROWS + 1
    with analyzed(write(tmp_path / "s1.jsonl", *session(is_cold=is_cold))) as x:
        found = price_scenarios(x, settings).scenarios.filter(scenario=f"trimming/{PART}")
        assert turns_of(Workspace(x, settings)) == [at_turn]
    sent = [SYSTEM + ASKED + (n - 1) * GROWS for n in range(at_turn, TURNS)]
    was = sum((usd(OPUS48, read=read, w5m=GROWS) for read in sent), Decimal(0))
    want = was - compacted_usd(at_turn)
    assert want > Decimal("0.2")
    assert float(Decimal(found["saved_usd"].sum()) / want) == pytest.approx(1, abs=most)


def test_a_threshold_is_passed_as_often_as_it_is(tmp_path: Path) -> None:
    """Prompts of 15,500, 17,500 ... tokens: past 30,000 in turn 8, then from 18,000 + 2,000 on every 7 turns."""
    settings = Settings(trimming=Trimming(parts=(PART,), compact_at_tokens=30_000))
    with analyzed(write(tmp_path / "s1.jsonl", *session(is_cold=False))) as x:
        assert turns_of(Workspace(x, settings)) == [8, 14, 20, 26, 32, 38, 44, 50, 56]


def test_no_later_turn_changes_where_it_is_compacted(tmp_path: Path) -> None:
    settings = Settings(trimming=Trimming(parts=(PART,), compact_at_tokens=30_000))
    with analyzed(write(tmp_path / "s1.jsonl", *session(is_cold=False)[:60])) as x:
        assert turns_of(Workspace(x, settings)) == [8, 14, 20, 26]


def test_one_threshold_is_chosen_for_all_runs_of_a_task(tmp_path: Path) -> None:
    """A run that stops just after a summary pays for it, and cannot know that it would: it is compacted, too."""
    for n, turns in enumerate((TURNS, TURNS, 16)):
        name = f"s{n}"
        write(tmp_path / f"{name}.jsonl", *session(is_cold=False, name=name)[: 2 * turns])
    with analyzed(tmp_path) as x:
        found = price_scenarios(x, COMPACT)
    chosen = found.choices.filter(scenario=f"trimming/{PART}")
    assert chosen["run_id"].to_list() == ["s0", "s1", "s2"]
    assert chosen["setting"].n_unique() == 1
