"""A reading of no more than is billed: the same turns, to the last digit, as one of everything."""

from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import mutants
from costscan import ingest
from costscan.billing import Billed, Pricing, billed
from costscan.ingest import Reading
from costscan.schema.tables.runs import OWNERS
from logs import assistant, text, tool_use, usage, user, write
from readings import counts_of
from samples import SAMPLES

NAMES = "task"
"""What only texts tell."""


def both(logs: Path) -> tuple[tuple[Reading, Billed], tuple[Reading, Billed]]:
    """Return what is billed of logs read whole, and read for the bill alone."""
    found = []
    for bill_only in (False, True):
        with ingest.read([str(logs)], workers=1, bill_only=bill_only) as reading:
            found.append((reading, billed(reading, Pricing(), None)[1]))
    return found[0], found[1]


def assert_same(logs: Path) -> Billed:
    (whole, of_whole), (part, of_part) = both(logs)
    assert_frame_equal(of_part.turns.drop(NAMES), of_whole.turns.drop(NAMES))
    assert_frame_equal(of_part.runs.select("run_id", *OWNERS), of_whole.runs.select("run_id", *OWNERS))
    assert counts_of(part) == counts_of(whole)
    return of_part


@pytest.mark.parametrize(
    "story", sorted(p.name for p in SAMPLES.iterdir() if p.is_dir() and p.name != "generator")
)
def test_the_sample_logs(story: str) -> None:
    assert assert_same(SAMPLES / story).turns["usd"].sum() > 0


@pytest.mark.parametrize("seed", [11, 12])
def test_damaged_logs(tmp_path: Path, seed: int) -> None:
    made = mutants.some_mutants(Random(seed), 0, 150)
    mutants.write_logs(tmp_path / "logs", {m.window: m.of for m in made}, made)
    assert assert_same(tmp_path / "logs").turns.height > 100


OLD = "2.1.47"
"""Of this version, the output of a call may be what had been counted so far: how long its text is tells."""


def answer(n: int, content: Any, out: int, **more: Any) -> dict[str, Any]:
    said = {"content": content, "stop_reason": None} | more
    return assistant(f"msg_{n}", usage(100 + n, out=out), uuid=f"u{n}", version=OLD, **said)


@pytest.mark.parametrize(
    "content",
    [
        [text("x" * 72)],  # as long as nine tokens can be
        [text("x" * 73)],  # longer
        [text("ä" * 73)],
        "x" * 73,
        [tool_use("t1", command="x" * 100)],
        [{"type": "thinking", "thinking": "", "signature": "x" * 97}],
        [],
        None,
    ],
)
@pytest.mark.parametrize("out", [0, 8, 9])
@pytest.mark.parametrize("stop", [None, "end_turn"])
def test_what_was_written_says_whether_an_output_is_whole(
    tmp_path: Path, content: Any, out: int, stop: str | None
) -> None:
    lines = [answer(1, content, out, stop_reason=stop), answer(2, [text("y")], 50)]
    write(tmp_path / "logs" / "a.jsonl", *lines)
    assert assert_same(tmp_path / "logs").turns.height == 2


def test_what_is_no_text_may_be_longer_than_it_is_written(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "a.jsonl"
    write(log, answer(1, [{"type": "text", "text": ["n"] * 5}], 9))
    log.write_bytes(log.read_bytes().replace(b'"n"', b"1e15"))
    assert assert_same(tmp_path / "logs").turns["usage_from"].to_list() == ["placeholder"]


def test_what_a_repeated_line_shows_again_counts_once(tmp_path: Path) -> None:
    blocks = [text("x" * 40)], [tool_use("t1", command="x" * 30)]
    lines = [answer(1, content, 9) | {"uuid": f"v{n}"} for n, content in enumerate([*blocks, *blocks])]
    write(tmp_path / "logs" / "a.jsonl", *lines)
    assert assert_same(tmp_path / "logs").turns["usage_from"].to_list() == ["placeholder"]


def test_a_project_is_that_of_the_first_lines(tmp_path: Path) -> None:
    """Lines far behind say nothing of it, and lines without a message are not asked."""
    silent = [user(None, uuid=f"n{n}") for n in range(30)]
    first = [user("go on", uuid=f"u{n}") for n in range(19)]
    logs = {"a": [*silent, *first], "b": [*silent, *first, user("go on", uuid="u19")]}
    for n, (name, lines) in enumerate(logs.items(), 1):
        own = [*lines, user("go on", uuid="last", cwd="/home/dev/shop"), answer(n, "yes", 50)]
        write(tmp_path / "logs" / f"{name}.jsonl", *({**line, "sessionId": name} for line in own))
    runs = assert_same(tmp_path / "logs").runs.sort("run_id")
    assert dict(runs.select("run_id", "project").iter_rows()) == {"a": "/home/dev/shop", "b": None}


def test_what_is_not_billed_is_not_kept() -> None:
    with ingest.read([str(SAMPLES / "loop-of-twelve")], workers=1, bill_only=True) as reading:
        tables = {path.stem.rpartition("-")[0] for path in reading.folder.glob("*.arrow")}
    assert tables == {"copies", "calls", "recorded", "agents"}


def test_worker_processes_read_the_same(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("costscan.ingest.pool.ALONE_BYTES", 0)
    monkeypatch.setattr("costscan.ingest.pool.TASK_BYTES", 1)
    log = SAMPLES / "sub-agents"
    with ingest.read([str(log)], workers=2, bill_only=True) as reading:
        apart = billed(reading, Pricing(), None)[1].turns
    assert capfd.readouterr().err == ""
    assert (
        apart.select(pl.col("usd").sum()).item() == both(log)[0][1].turns.select(pl.col("usd").sum()).item()
    )
