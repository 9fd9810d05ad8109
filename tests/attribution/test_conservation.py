"""Whatever agents did: the bill is the sum of its calls, and every breakdown of it is the bill."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import histories
from costscan.billing import Pricing, Selection
from costscan.ingest import pool
from histories import UNKNOWN, Session, all_turns, pairs, transcripts
from hypothesis_profile import examples
from logs import OPUS, SONNET, Json, write
from seen import FRAMES, Seen, hold_prompts, see_blocks

COLUMNS = ("input_tokens", "cache_read_input_tokens", "5m", "1h", "output_tokens")


def told(folder: Path, files: Mapping[str, Sequence[Json]]) -> list[Path]:
    return [write(folder / name, *lines) for name, lines in files.items()]


def seen_of(files: Mapping[str, Sequence[Json]], **options: Any) -> Seen:
    with tempfile.TemporaryDirectory() as folder:
        return see_blocks(*told(Path(folder), files), **options)


def tokens(world: tuple[Session, ...]) -> tuple[int, ...]:
    used = [(u, u["cache_creation"]) for u in (turn.used(prompt) for turn, prompt in all_turns(world))]
    return (
        sum(u["input_tokens"] for u, _ in used),
        sum(u["cache_read_input_tokens"] for u, _ in used),
        sum(w["ephemeral_5m_input_tokens"] for _, w in used),
        sum(w["ephemeral_1h_input_tokens"] for _, w in used),
        sum(u["output_tokens"] for u, _ in used),
    )


def bill_is_right(seen: Seen, world: tuple[Session, ...]) -> None:
    calls = list(all_turns(world))
    assert seen.n_turns == len(calls)
    assert seen.usd == histories.cost(world)
    assert seen.tokens == tokens(world)
    unpriced = sum(turn.model == UNKNOWN and (prompt + turn.out > 0) for turn, prompt in calls)
    assert seen.analysis.turns["usd"].null_count() == unpriced
    hold_prompts(seen)
    parts_are_all_that_was_sent(seen)


def parts_are_all_that_was_sent(seen: Seen) -> None:
    """Run by run, what was sent of all parts together is what the prompts held."""
    sent = dict(seen.parts.group_by("run_id").agg(pl.col("sent_tokens").sum()).iter_rows())
    held = dict(seen.growth.group_by("run_id").agg(pl.col("prompt_tokens").sum()).iter_rows())
    assert {run: sent.get(run, 0) for run in held} == held


@examples(5)
@given(histories.WORLDS)
def test_transcripts(world: tuple[Session, ...]) -> None:
    seen = seen_of(transcripts(world))
    bill_is_right(seen, world)
    assert seen.runs.filter(seen.runs["parent_run_id"].is_not_null()).height == sum(
        len(s.agents) for s in world
    )


@examples(5)
@given(histories.WORLDS, st.booleans())
def test_pairs(world: tuple[Session, ...], named: bool) -> None:
    seen = seen_of(pairs(world, named=named))
    bill_is_right(seen, world)
    if named:
        assert seen.runs.height == sum(1 + len(s.agents) for s in world)
    assert "hidden" not in seen.blocks["kind"].to_list()


def steady(turns: tuple[histories.Turn, ...]) -> Session:
    """A session of the same turns, all of one model, in which nothing is cut."""
    model = turns[0].model
    return Session(tuple(replace(turn, model=model, cut="", searches=0) for turn in turns))


GROWING = st.lists(
    st.lists(histories.TURNS, min_size=1, max_size=12).map(tuple).map(steady), min_size=1, max_size=6
)


@examples(3)
@given(GROWING.map(tuple))
def test_every_prompt_of_a_context_that_only_grows(world: tuple[Session, ...]) -> None:
    for files in (transcripts(world), pairs(world, named=True)):
        seen = seen_of(files)
        assert hold_prompts(seen) == sum(len(session.turns) for session in world)
        assert seen.growth["dropped_tokens"].sum() == 0
        for s, session in enumerate(world):
            carried = [0, *(prompt for _, prompt in histories.prompts(session.turns))][:-1]
            assert seen.growth.filter(run_id=f"s{s}").sort("turn")["carried_tokens"].to_list() == carried


@pytest.fixture
def tiny_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task, and a batch of blocks, for every file."""
    monkeypatch.setattr(pool, "TASK_BYTES", 1)
    monkeypatch.setattr(pool, "ALONE_BYTES", 0)
    monkeypatch.setattr("costscan.ingest.BATCH_BLOCKS", 1)


def same_frames(a: Seen, b: Seen) -> None:
    for name in FRAMES:
        assert_frame_equal(getattr(a, name), getattr(b, name), check_exact=True)
    key = ["run_id", "part", "kind", "skill"]
    assert_frame_equal(a.parts.group_by(key).sum().sort(key), b.parts.group_by(key).sum().sort(key))


@examples(3)
@given(histories.WORLDS, st.randoms(use_true_random=False))
def test_order_of_files(world: tuple[Session, ...], random: Random) -> None:
    files = list(transcripts(world).items())
    with tempfile.TemporaryDirectory() as folder:
        paths = told(Path(folder), dict(files))
        expected = see_blocks(*paths)
        random.shuffle(paths)
        same_frames(see_blocks(*paths), expected)


@pytest.mark.usefixtures("tiny_tasks")
def test_number_of_workers(tmp_path: Path) -> None:
    world = (*_world(0), *_world(1))
    paths = told(tmp_path, transcripts(world))
    one, two = see_blocks(*paths, workers=1), see_blocks(*paths, workers=2)
    same_frames(one, two)
    bill_is_right(two, world)


def _world(seed: int) -> tuple[Session, ...]:
    random = Random(seed)
    models = (OPUS, SONNET, UNKNOWN)

    def turn() -> histories.Turn:
        shares = (random.randrange(9), random.randrange(9), random.randrange(9), random.randrange(9))
        cut: histories.Cut = random.choice(("", "", "", "compacted"))
        return histories.Turn(random.choice(models), random.randrange(900), shares, random.randrange(90),
                              random.randrange(2), cut, 0, random.randrange(1, 4), random.randrange(300))  # fmt: skip

    def turns() -> tuple[histories.Turn, ...]:
        return tuple(turn() for _ in range(random.randrange(2, 9)))

    agents = (histories.Agent(turns(), "both"), histories.Agent(turns(), "own"))
    return (Session(turns(), agents, (2, 1)), Session(turns(), agents[:1], (5,)), Session(turns()))


def selected(world: tuple[Session, ...], models: tuple[str, ...]) -> tuple[Decimal, int]:
    """What the calls on some models cost, and how many they are."""
    calls = [(turn, prompt) for turn, prompt in all_turns(world) if turn.model in models]
    return sum((histories.usd_of(turn, prompt) for turn, prompt in calls), Decimal(0)), len(calls)


@examples(3)
@given(histories.WORLDS)
def test_a_selection_is_the_part_of_the_bill_it_names(world: tuple[Session, ...]) -> None:
    files = transcripts(world)
    opus = seen_of(files, selection=Selection(models=[OPUS]))
    assert (opus.usd, opus.n_turns) == selected(world, (OPUS,))
    noon = datetime(2026, 7, 1, 0, 3, 20, tzinfo=UTC)
    before, after = (seen_of(files, selection=s) for s in (Selection(until=noon), Selection(since=noon)))
    assert before.usd + after.usd == histories.cost(world)
    assert before.n_turns + after.n_turns == len(list(all_turns(world)))


@examples(5)
@given(histories.WORLDS, st.sampled_from(("0.9", "0.333333", "0", "1.2")))
def test_a_discount_is_on_everything(world: tuple[Session, ...], discount: str) -> None:
    seen = seen_of(transcripts(world), pricing=Pricing(discount=Decimal(discount)))
    listed = histories.cost(world) * Decimal(discount)
    # Unit prices are whole pico-dollars: a third of a price is rounded, half a pico-dollar a token at most.
    assert abs(seen.usd - listed) <= sum(seen.tokens) * Decimal("1e-12") / 2
    assert seen.tokens == tokens(world)


def test_order_of_files_of_one_size(tmp_path: Path) -> None:
    turns = _world(7)[0].turns
    paths = told(tmp_path, transcripts((Session(turns), Session(turns), Session(turns))))
    assert len({path.stat().st_size for path in paths}) == 1
    expected = see_blocks(*paths)
    for order in ((2, 1, 0), (1, 2, 0)):
        same_frames(see_blocks(*(paths[i] for i in order)), expected)


@pytest.mark.parametrize("tiny", [True, False])
def test_a_run_told_by_files_that_each_know_more(
    tmp_path: Path, request: pytest.FixtureRequest, tiny: bool
) -> None:
    if tiny:
        request.getfixturevalue("tiny_tasks")
    turns = _world(3)[0].turns
    files = transcripts((Session(turns),))
    lines = files["s0.jsonl"]
    cut = len(lines) - sum(turn.lines for turn in turns[-1:]) - 1
    other = list(transcripts((Session(turns), Session(turns)))["s1.jsonl"][cut:])
    files["fork.jsonl"] = lines[:cut] + [line | {"sessionId": "s0"} for line in other]
    paths = told(tmp_path, files)
    seen = see_blocks(*paths)
    assert (seen.run_ids(), seen.n_turns) == (["s0"], len(turns) + 1)
    assert seen.column("turn") == list(range(len(turns) + 1))
    same_frames(see_blocks(*reversed(paths)), seen)


@pytest.mark.usefixtures("tiny_tasks")
@examples(3)
@given(histories.WORLDS)
def test_tasks_and_batches_of_one_file(world: tuple[Session, ...]) -> None:
    seen = seen_of(transcripts(world))
    bill_is_right(seen, world)


@examples(4)
@given(histories.WORLDS, st.randoms(use_true_random=False))
def test_repeated_lines_wherever_they_stand(world: tuple[Session, ...], random: Random) -> None:
    files = transcripts(world)
    for lines in files.values():
        for line in [line for line in lines if line["type"] == "assistant"]:
            for _ in range(random.randrange(2)):
                lines.insert(random.randrange(lines.index(line), len(lines) + 1), line)
    seen = seen_of(files)
    assert (seen.usd, seen.tokens) == (histories.cost(world), tokens(world))


@examples(4)
@given(histories.WORLDS, st.randoms(use_true_random=False))
def test_lines_in_any_order_cost_the_same(world: tuple[Session, ...], random: Random) -> None:
    files = transcripts(world)
    for lines in files.values():
        random.shuffle(lines)
    seen = seen_of(files)
    assert (seen.usd, seen.tokens) == (histories.cost(world), tokens(world))
