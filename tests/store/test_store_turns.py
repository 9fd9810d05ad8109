"""The turns of a store are those of one analysis of all its logs, in whatever order they came in."""

import random
import shutil
from itertools import permutations
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from logs import (
    HAIKU,
    Json,
    assistant,
    at,
    message,
    pair,
    progress,
    result,
    streamed,
    text,
    totals,
    usage,
    user,
    write,
)
from reading_tables import age
from stores import assert_holds, fill, globbed, rows_of, turns, turns_of_logs
from thoroughness import fewer


def said(number: int) -> str:
    return f"msg_{number:024}"


def history(calls: list[int], session: str) -> list[Json]:
    lines: list[Json] = []
    for n, call in enumerate(calls):
        lines.append(user(f"do {n}", sessionId=session, timestamp=at(100 * call), cwd=f"/home/{session}"))
        used = usage(2, read=500 * n, w5m=500, out=20)
        more = {"requestId": f"req_{call:024}", "timestamp": at(100 * call + 5), "cwd": f"/home/{session}"}
        lines.append(assistant(said(call), used, content=[text(f"did {n}")], sessionId=session, **more))
    return lines


def unfinished(calls: list[int], session: str) -> list[Json]:
    used = [usage(2, read=500 * n, w5m=500, out=1) for n in range(len(calls))]
    return [streamed(said(call), own, session_id=session) for call, own in zip(calls, used, strict=True)]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sessions that tell of one another's calls: resumed, forked, streamed, with a sub-agent and a gateway."""
    folder = tmp_path_factory.mktemp("logs")
    write(folder / "first.jsonl", *history([1, 2, 3], "s1"))
    write(folder / "resumed.jsonl", *history([1, 2, 3, 4], "s2"))
    write(folder / "forked.jsonl", *history([1, 2, 5], "s3"))
    cost = totals(8, read=1500, write=2000, out=900, cost=1)
    stream = [*unfinished([1, 2, 3], "s1"), result(1, {"claude-opus-4-8": cost}, session="s1")]
    write(folder / "stream.jsonl", *stream)
    inside = assistant(said(9), usage(3, out=4), model=HAIKU, sessionId="s1", agentId="a1", isSidechain=True)
    write(folder / "s1" / "subagents" / "agent-a1.jsonl", inside | {"timestamp": at(150)})
    write(folder / "parent.jsonl", progress(inside | {"timestamp": at(150)}, sessionId="s1"))
    write(folder / "gateway.jsonl", pair(message(said(4), usage(2, read=1500, w5m=500, out=20)), run_id="g"))
    write(folder / "alone.jsonl", *history([20, 21], "s9"))
    age(folder)
    return folder


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.jsonl"))


def test_the_sample_has_what_it_is_about(logs: Path) -> None:
    found = turns_of_logs(logs)
    assert found.filter(found["run_id"].str.ends_with("/unlogged")).height == 1
    assert found["message_id"].drop_nulls().is_duplicated().sum() == 0
    assert {said(n) for n in (1, 2, 3, 4, 5, 9, 20, 21)} == set(found["message_id"].drop_nulls())


def orders() -> list[tuple[int, ...]]:
    shuffled = random.Random(7)
    return [
        tuple(range(8)),
        tuple(range(7, -1, -1)),
        *(tuple(shuffled.sample(range(8), 8)) for _ in range(20)),
    ]


@pytest.mark.parametrize("order", fewer(orders(), 6))
def test_file_by_file_in_any_order(logs: Path, tmp_path: Path, order: tuple[int, ...]) -> None:
    files = files_in(logs)
    for number in order:
        fill(tmp_path / "store", files[number])
    assert_frame_equal(turns(rows_of(tmp_path / "store", "turns")), turns_of_logs(logs))
    assert_frame_equal(turns(globbed(tmp_path / "store", "turns")), turns_of_logs(logs))


@pytest.mark.parametrize("together", [(0, 1), (2, 3)])
def test_after_each_ingest_the_turns_are_those_of_what_is_there(
    logs: Path, tmp_path: Path, together: tuple[int, int]
) -> None:
    files = files_in(logs)
    first = [files[number] for number in together]
    fill(tmp_path / "store", *first)
    assert_holds(tmp_path / "store", *first)
    there = first
    for file in (file for file in files if file not in first):
        fill(tmp_path / "store", file)
        there = [*there, file]
        assert_frame_equal(turns(rows_of(tmp_path / "store", "turns")), turns_of_logs(*there))


def test_a_session_that_grows_between_ingests(logs: Path, tmp_path: Path) -> None:
    own = shutil.copytree(logs, tmp_path / "logs")
    fill(tmp_path / "store", own)
    write(own / "first.jsonl", *history([1, 2, 3, 6, 7], "s1"))
    age(own, by_s=1800)
    done = fill(tmp_path / "store", own)
    assert (done.new, done.grown) == (0, 8)
    assert_holds(tmp_path / "store", own)
    for files in permutations(["resumed.jsonl", "stream.jsonl"]):
        for name in files:
            with (own / name).open("ab") as log:
                log.write(b"\n")
            age(own / name, by_s=900)
            fill(tmp_path / "store", own)
        assert_holds(tmp_path / "store", own)
