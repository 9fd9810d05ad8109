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

from costscan.levers.trimming.compact_history import ASKED_TOKENS, SUMMARY_TOKENS
from costscan.scenarios import price_scenarios
from costscan.scenarios.lever_sets import Sets
from costscan.scenarios.route_choice import Routes
from costscan.scenarios.workspace import Workspace
from costscan.settings.keys import Settings, Trimming
from logs import Json, assistant, at, text, usage, usd, user, write
from mended import words
from seen import analyzed
from thoroughness import fewer
from workloads import HAIKU45, OPUS48, SONNET46, Call, Calls, automatic, lines, loops, marked, unit
from workloads import usd as billed

PART = "compact-history"
COMPACT = Settings(trimming=Trimming(parts=(PART,)))
WITHIN = 0.02


def compacted(calls: Calls, since: int) -> Calls:
    """One run with the history before a turn replaced: that turn keeps what came in with it."""
    before = len(calls[since - 1].request["messages"])
    summary = {"role": "user", "content": [text(words(SUMMARY_TOKENS))]}
    asked = {"role": "user", "content": [text(words(ASKED_TOKENS))]}
    out: list[Call] = []
    for n, call in enumerate(calls):
        messages: list[Json] = call.request["messages"]
        if n == since:
            told = call.told(messages=[*messages[:before], asked])
            out.append(replace(told, answer=[], at_us=call.at_us - 2, took_us=1))
        out.append(call.told(messages=[summary, *messages[before:]]) if n >= since else call)
    return out


def turn_of(found: Workspace) -> int:
    """The turn at which the scenario compacts."""
    sets = Sets(found, ["trimming"], Routes(found))
    (plan,) = found.done([sets.trimmed([PART])])
    steps = plan.steps.filter(pl.col("extra_output_tokens") > 0)
    assert steps.height == 1
    # The summary is written just after the turn that it is billed with.
    return int(steps["turn"][0]) + 1


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
        turn = turn_of(Workspace(x, COMPACT))
    after = SHAPES[how](compacted(calls, turn))
    summary = SUMMARY_TOKENS * unit(model)["output"]
    want = billed(lines(before)) - billed(lines(after)) - summary
    assert float(Decimal(found["saved_usd"].sum()) / want) == pytest.approx(1, abs=WITHIN)


SYSTEM, ASKED, GROWS, TURNS = 15_000, 500, 2000, 60


def session(*, is_cold: bool) -> list[Json]:
    """A transcript of a session whose first turn reads, or writes, the system prompt."""
    out = []
    for n in range(TURNS):
        sent = SYSTEM + ASKED + n * GROWS
        read, written = (sent - GROWS, GROWS) if n else (0 if is_cold else SYSTEM, ASKED)
        used = usage(read=read, w5m=sent - read if not n else written, out=200)
        ids = {"uuid": f"a{n}", "parentUuid": f"u{n}", "timestamp": at(20 * n + 5)}
        asked = user(
            "go on " * 240, uuid=f"u{n}", parentUuid=f"a{n - 1}" if n else None, timestamp=at(20 * n)
        )
        out += [asked, assistant(f"msg_{n}", used, **ids)]
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
    with analyzed(write(tmp_path / "s1.jsonl", *session(is_cold=is_cold))) as x:
        found = price_scenarios(x, COMPACT).scenarios.filter(scenario=f"trimming/{PART}")
        at_turn = turn_of(Workspace(x, COMPACT))
    sent = [SYSTEM + ASKED + (n - 1) * GROWS for n in range(at_turn, TURNS)]
    was = sum((usd(OPUS48, read=read, w5m=GROWS) for read in sent), Decimal(0))
    want = was - compacted_usd(at_turn)
    assert want > Decimal("0.5")
    assert float(Decimal(found["saved_usd"].sum()) / want) == pytest.approx(1, abs=most)
