"""Recorded totals of several processes and files of one session: each counted once, none left out."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from logs import HAIKU, OPUS, Json, result, write
from recording import LOGGED, SIDE, SIDE_TOTAL, TRUE, main_total, stream
from seen import Case, see, see_each


def total(n: int) -> Json:
    """The total of n calls to the main model."""
    return result(n * TRUE, {OPUS: main_total(n)})


def total_with_side(n: int) -> Json:
    """The total of n calls to the main model and of one that the stream does not show."""
    return result(n * TRUE + SIDE, {OPUS: main_total(n), HAIKU: SIDE_TOTAL})


ONE_FILE: dict[str, tuple[Sequence[Json], Decimal]] = {
    "running totals of one process": (
        [*stream(1), total(1), *stream(1, 1), total(2), *stream(1, 2), total_with_side(3)], 3 * TRUE + SIDE,
    ),
    "calls after the last total": ([*stream(1), total(1), *stream(2, 1)], TRUE + 2 * LOGGED),
    "totals that restart in another process": ([*stream(2), total(2), *stream(1, 2), total(1)], 3 * TRUE),
    "the same result line twice": ([*stream(1), total(1), total(1)], TRUE),
    "totals at the end of time": (
        [line | {"timestamp": "9999-12-31T23:59:59.999Z"} for line in (*stream(1), total(1))], TRUE,
    ),
}  # fmt: skip


def bills(tmp_path: Path, cases: dict[str, tuple[Case, Decimal]]) -> None:
    told = see_each(tmp_path, {name: case for name, (case, _) in cases.items()})
    for name, (_, expected) in cases.items():
        assert told[name]["usd"].sum() == expected, name


def test_totals_of_one_file(tmp_path: Path) -> None:
    bills(tmp_path, {name: (lines, expected) for name, (lines, expected) in ONE_FILE.items()})


def test_a_restarted_total_may_be_the_larger_one(tmp_path: Path) -> None:
    def case(first: int, second: int) -> tuple[Case, Decimal]:
        lines = [*stream(first), total(first), *stream(second, first), total_with_side(second)]
        return lines, (first + second) * TRUE + SIDE

    bills(tmp_path, {f"{calls}": case(*calls) for calls in ((1, 2), (1, 9), (3, 3), (2, 4))})


def test_a_stream_cut_into_files_goes_on_counting(tmp_path: Path) -> None:
    write(tmp_path / "part-1.jsonl", *stream(2), total(2))
    write(tmp_path / "part-2.jsonl", *stream(2, 2), total(4))
    assert see(tmp_path).usd == 4 * TRUE


def test_processes_in_files_of_their_own(tmp_path: Path) -> None:
    # A session resumed in a new process counts from nothing again; the file names say nothing of the order.
    def case(names: str, first: int, second: int) -> tuple[Case, Decimal]:
        files = {
            f"{names[0]}.jsonl": [*stream(first), total(first)],
            f"{names[1]}.jsonl": [*stream(second, first), total(second)],
        }
        return files, (first + second) * TRUE

    sizes = ((2, 1), (1, 2), (1, 3))
    bills(tmp_path, {f"{names} {calls}": case(names, *calls) for names in ("ab", "ba") for calls in sizes})


def test_the_same_stream_in_two_files(tmp_path: Path) -> None:
    lines = [*stream(1), total(1), *stream(1, 1), total(2)]
    write(tmp_path / "a.jsonl", *lines)
    write(tmp_path / "b.jsonl", *lines)
    write(tmp_path / "c.jsonl", *lines[:2])
    seen = see(tmp_path)
    assert (seen.usd, seen.analysis.duplicate_turns) == (2 * TRUE, 3)


def test_sessions_in_one_file(tmp_path: Path) -> None:
    lines = [*stream(1, session="a"), result(TRUE, {OPUS: main_total()}, "a"), *stream(2, session="b"),
             result(2 * TRUE + SIDE, {OPUS: main_total(2), HAIKU: SIDE_TOTAL}, "b")]  # fmt: skip
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert seen.usd == 3 * TRUE + SIDE
    assert seen.run_ids() == ["a", "a/unlogged", "b", "b/unlogged"]
