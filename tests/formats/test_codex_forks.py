"""Codex threads that begin with a copy of another: of the copy nothing is billed, of the thread everything."""

from pathlib import Path
from typing import Any, Final

import pytest

import codex_lines as codex
import costscan
from codex_lines import CHILD, THREAD, counted, plus, record, said, used
from logs import Json, at, write

FIRST, SECOND, OWN, LAST = used(1000, 0, 50), used(200, 960, 30), used(300, 1152, 40), used(100, 1408, 20)
EARLY: Final = "2026-06-01T08:00:00Z"
"""Before the day of the lines."""
RANDOM: Final = "6f1b0c34-8a1e-4d07-9c55-3f0e5a1d2b4c"
"""A turn id of a version that does not rise with time."""


def begun(turn_id: str | None, second: float = 0, model: str = "gpt-5.5") -> Json:
    told = {} if turn_id is None else {"turn_id": turn_id}
    return codex.line("turn_context", {**told, "model": model}, second)


def history(turn_id: str | None, second: float = 0) -> list[Json]:
    """What the other thread did: two calls."""
    return [
        begun(turn_id, second),
        said("user", "Mend the gauge.", second),
        counted(FIRST, FIRST, second),
        said("user", "And the valve.", second),
        counted(SECOND, plus(FIRST, SECOND), second),
    ]


def own(turn_id: str | None, second: float = 60) -> list[Json]:
    """What the thread at hand did, its total going on from that of the other one."""
    return [
        codex.line("event_msg", {"type": "task_started"} | ({"turn_id": turn_id} if turn_id else {}), second),
        begun(turn_id, second),
        said("user", "Look into the pump.", second),
        counted(OWN, plus(FIRST, SECOND, OWN), second),
        counted(LAST, plus(FIRST, SECOND, OWN, LAST), second),
    ]


def spawned(**more: Any) -> Json:
    source = {"subagent": {"thread_spawn": {"parent_thread_id": THREAD, "agent_role": "worker"}}}
    return codex.meta(CHILD, source=source, **more)


def numbered(lines: list[Json], first: int = 0) -> list[Json]:
    return [{**line, "ordinal": n} for n, line in enumerate(lines, first)]


THEIRS, MINE = codex.turn(1), codex.turn(1, CHILD)
FORKED: Final[dict[str, Any]] = {"forked_from_id": THREAD, "timestamp": at(0)}
COPIES: Final[dict[str, list[Json]]] = {
    "with the first line of the other thread": [
        codex.meta(CHILD), codex.meta(), *history(THEIRS), *own(MINE)
    ],
    "without it, named as a fork": [codex.meta(CHILD, **FORKED), *history(THEIRS), *own(MINE)],
    "without it, by the turns of a sub-agent": [spawned(), *history(THEIRS), *own(MINE)],
    "counted before any turn": [codex.meta(CHILD, **FORKED), *history(THEIRS)[2:], *own(MINE)],
    "by the place where its own begin": [
        *numbered([spawned(subagent_history_start_ordinal=7), codex.meta(), *history(None), *own(None)]),
    ],
    "by its own first line, told again": [
        codex.meta(CHILD, **FORKED), codex.meta(), *history(RANDOM), codex.meta(CHILD), *own(RANDOM, 1),
    ],
    "by a pause, with ids that do not rise": [
        codex.meta(CHILD, **FORKED), codex.meta(), *history(RANDOM), *own(RANDOM),
    ],
    "by a pause, without ids": [codex.meta(CHILD, **FORKED), codex.meta(), *history(None), *own(None)],
    "of a copy": [
        codex.meta(CHILD, **FORKED), codex.meta(), codex.meta(THREAD[:-2] + "00"), *history(THEIRS),
        codex.meta(), *history(THEIRS), *own(MINE),
    ],
    "with the times of the other thread": [
        spawned(timestamp=at(0)),
        *({**line, "timestamp": EARLY} for line in history(None)), *own(None),
    ],
}  # fmt: skip


def tokens(path: Path, *lines: Any) -> list[tuple[int, ...]]:
    turns = costscan.read(write(path / "rollout-1.jsonl", *lines), workers=1).turns
    return sorted(turns.select("input_tokens", "cache_read_tokens", "output_tokens").rows(), reverse=True)


@pytest.mark.parametrize("lines", COPIES.values(), ids=COPIES)
def test_of_a_copy_nothing_is_billed(tmp_path: Path, lines: list[Json]) -> None:
    assert tokens(tmp_path, *lines) == [(300, 1152, 40), (100, 1408, 20)]


OWNS: Final[dict[str, list[Json]]] = {
    "a sub-agent that copied no calls": [spawned(), codex.meta(), said("user", "Mend it."), *own(MINE)],
    "a sub-agent without ids": [spawned(), *own(None, 0)],
    "a sub-agent at its own place": numbered([spawned(subagent_history_start_ordinal=1), *own(None, 0)]),
    "a fork that only names what it goes on from": [
        codex.meta(CHILD, **FORKED, history_base={"thread_id": THREAD, "end_ordinal_exclusive": 5}),
        *own(MINE, 0),
    ],
    "a fork without ids that copied no calls": [codex.meta(CHILD, forked_from_id=THREAD), *own(None, 0)],
    "a thread of its own": [codex.meta(CHILD), *own(THEIRS, 0)],
}


@pytest.mark.parametrize("lines", OWNS.values(), ids=OWNS)
def test_of_a_thread_of_its_own_everything_is_billed(tmp_path: Path, lines: list[Json]) -> None:
    assert tokens(tmp_path, *lines) == [(300, 1152, 40), (100, 1408, 20)]


def test_records_of_a_copy_count_nothing(tmp_path: Path) -> None:
    copied = [codex.context(), record("resp_1", FIRST), record("resp_2", SECOND, plus(FIRST, SECOND))]
    mine = [codex.context(thread=CHILD), record("resp_3", OWN, plus(FIRST, SECOND, OWN))]
    assert tokens(tmp_path, codex.meta(CHILD, **FORKED), *copied, *mine) == [(300, 1152, 40)]


def test_a_call_whose_record_is_lost_is_what_the_total_grew_by(tmp_path: Path) -> None:
    lines = [
        *[codex.meta(), codex.context(), record("resp_1", FIRST)],
        record("resp_3", OWN, plus(FIRST, SECOND, OWN)),
        record("resp_4", LAST, plus(FIRST, SECOND, OWN, LAST)),
    ]
    assert tokens(tmp_path, *lines) == [(1000, 0, 50), (300, 1152, 40), (200, 960, 30), (100, 1408, 20)]


def test_a_record_told_twice_and_a_total_that_goes_on_tell_no_more(tmp_path: Path) -> None:
    again = record("resp_1", FIRST, plus(LAST, FIRST))
    lines = [codex.meta(), codex.context(), again, again, record("resp_2", SECOND, plus(LAST, FIRST, SECOND))]
    assert tokens(tmp_path, *lines) == [(1000, 0, 50), (200, 960, 30)]


def test_calls_are_told_apart_where_no_total_of_tokens_is_told(tmp_path: Path) -> None:
    def cut(usage: Json) -> Json:
        return {name: n for name, n in usage.items() if name != "total_tokens"}

    lines = [counted(cut(FIRST)), counted(cut(SECOND), cut(plus(FIRST, SECOND)))]
    assert tokens(tmp_path, codex.meta(), begun(None), *lines) == [(1000, 0, 50), (200, 960, 30)]
