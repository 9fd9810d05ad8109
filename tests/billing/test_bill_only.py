"""A reading of no more than is billed: the same turns, to the last digit, as one of everything."""

from pathlib import Path
from random import Random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import mutants
from costscan import ingest
from costscan.billing import Billed, Pricing, billed
from costscan.ingest import Reading
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
    assert_frame_equal(of_part.projects, of_whole.projects)
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


def test_what_is_not_billed_is_not_kept() -> None:
    with ingest.read([str(SAMPLES / "loop-of-twelve")], workers=1, bill_only=True) as reading:
        tables = {path.stem.rpartition("-")[0] for path in reading.folder.glob("*.arrow")}
    assert tables == {"copies", "calls", "recorded", "agents", "skipped", "unknown"}


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
