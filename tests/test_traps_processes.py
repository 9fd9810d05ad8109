"""Recorded totals of several processes and files of one session: each counted once, none left out."""

from decimal import Decimal
from pathlib import Path

import pytest

from logs import (
    HAIKU,
    OPUS,
    Json,
    at,
    result,
    streamed,
    totals,
    usage,
    usd,
    write,
)
from seen import see

USED = usage(10, read=1000, w1h=200, out=3)
LOGGED = usd(OPUS, **{"in": 10}, read=1000, w1h=200, out=3)
# The client knows the final output, 90 tokens, where the stream shows 3.
TRUE = usd(OPUS, **{"in": 10}, read=1000, w1h=200, out=90)
SIDE = usd(HAIKU, **{"in": 700}, out=20)


def main_total(n: int = 1, cost: Decimal | None = None) -> Json:
    return totals(10 * n, read=1000 * n, write=200 * n, out=90 * n, cost=n * TRUE if cost is None else cost)


SIDE_TOTAL = totals(700, out=20, cost=SIDE)


def stream(n: int, first: int = 0, session: str = "s1") -> list[Json]:
    return [
        streamed(f"msg_{session}_{i}", USED, timestamp=at(10 * i), session_id=session)
        for i in range(first, first + n)
    ]


def test_running_totals_of_one_process(tmp_path: Path) -> None:
    lines = [*stream(1), result(TRUE, {OPUS: main_total(1)}), *stream(1, 1), result(2 * TRUE, {OPUS: main_total(2)}),
             *stream(1, 2), result(3 * TRUE + SIDE, {OPUS: main_total(3), HAIKU: SIDE_TOTAL})]  # fmt: skip
    assert see(write(tmp_path / "s.jsonl", *lines)).usd == 3 * TRUE + SIDE


def test_calls_after_the_last_total_count_too(tmp_path: Path) -> None:
    lines = [*stream(1), result(TRUE, {OPUS: main_total()}), *stream(2, 1)]
    assert see(write(tmp_path / "s.jsonl", *lines)).usd == TRUE + 2 * LOGGED


def test_totals_that_restart_in_another_process(tmp_path: Path) -> None:
    lines = [
        *stream(2),
        result(2 * TRUE, {OPUS: main_total(2)}),
        *stream(1, 2),
        result(TRUE, {OPUS: main_total(1)}),
    ]
    assert see(write(tmp_path / "s.jsonl", *lines)).usd == 3 * TRUE


@pytest.mark.parametrize("calls", [(1, 2), (1, 9), (3, 3), (2, 4)])
def test_a_restarted_total_may_be_the_larger_one(tmp_path: Path, calls: tuple[int, int]) -> None:
    first, second = calls
    lines = [*stream(first), result(first * TRUE, {OPUS: main_total(first)}),
             *stream(second, first), result(second * TRUE + SIDE, {OPUS: main_total(second), HAIKU: SIDE_TOTAL})]  # fmt: skip
    assert see(write(tmp_path / "s.jsonl", *lines)).usd == (first + second) * TRUE + SIDE


def test_a_stream_cut_into_files_goes_on_counting(tmp_path: Path) -> None:
    write(tmp_path / "part-1.jsonl", *stream(2), result(2 * TRUE, {OPUS: main_total(2)}))
    write(tmp_path / "part-2.jsonl", *stream(2, 2), result(4 * TRUE, {OPUS: main_total(4)}))
    assert see(tmp_path).usd == 4 * TRUE


def test_totals_at_the_end_of_time(tmp_path: Path) -> None:
    late = {"timestamp": "9999-12-31T23:59:59.999Z"}
    lines = [line | late for line in (*stream(1), result(TRUE, {OPUS: main_total()}))]
    assert see(write(tmp_path / "s.jsonl", *lines)).usd == TRUE


@pytest.mark.parametrize("names", ["ab", "ba"])
@pytest.mark.parametrize("calls", [(2, 1), (1, 2), (1, 3)])
def test_processes_in_files_of_their_own(tmp_path: Path, names: str, calls: tuple[int, int]) -> None:
    # A session resumed in a new process counts from nothing again; the file names say nothing of the order.
    first, second = calls
    write(tmp_path / f"{names[0]}.jsonl", *stream(first), result(first * TRUE, {OPUS: main_total(first)}))
    write(
        tmp_path / f"{names[1]}.jsonl",
        *stream(second, first),
        result(second * TRUE, {OPUS: main_total(second)}),
    )
    assert see(tmp_path).usd == (first + second) * TRUE


def test_the_same_stream_in_two_files(tmp_path: Path) -> None:
    lines = [
        *stream(1),
        result(TRUE, {OPUS: main_total(1)}),
        *stream(1, 1),
        result(2 * TRUE, {OPUS: main_total(2)}),
    ]
    write(tmp_path / "a.jsonl", *lines)
    write(tmp_path / "b.jsonl", *lines)
    write(tmp_path / "c.jsonl", *lines[:2])
    seen = see(tmp_path)
    assert (seen.usd, seen.analysis.duplicate_turns) == (2 * TRUE, 3)


def test_the_same_result_line_twice(tmp_path: Path) -> None:
    line = result(TRUE, {OPUS: main_total()})
    assert see(write(tmp_path / "s.jsonl", *stream(1), line, line)).usd == TRUE


def test_sessions_in_one_file(tmp_path: Path) -> None:
    lines = [*stream(1, session="a"), result(TRUE, {OPUS: main_total()}, "a"),
             *stream(2, session="b"), result(2 * TRUE + SIDE, {OPUS: main_total(2), HAIKU: SIDE_TOTAL}, "b")]  # fmt: skip
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert seen.usd == 3 * TRUE + SIDE
    assert seen.run_ids() == ["a", "a/unlogged", "b", "b/unlogged"]
