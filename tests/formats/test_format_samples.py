"""Each format has a sample: the script writes its bytes, and costscan reads of it what is declared."""

import csv
import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import polars as pl
import pytest

from command import Capture
from costscan import formats
from other_agents import CLASSES, read_alike
from samples import SAMPLES

pytestmark = pytest.mark.replayed

FOLDER: Final = SAMPLES.parent / "sample_formats"
IN_STORIES: Final = {"claude_code", "claude_stream", "messages_api"}
"""Formats of which `sample_logs` has samples."""
SUMS_OF_RUNS: Final = {"swe_agent"}
"""Formats that tell what a run cost, and of its calls no usage."""
USD_PER_MTOK: Final = {
    "claude-sonnet-5-5": ("2", "0.10", "2.50", "10"),
    "claude-haiku-5-5": ("0.10", "0.01", "0.125", "0.50"),
    "gpt-5.5": ("5", "0.50", "0", "30"),
    "gemini-2.5-flash": ("0.30", "0.03", "0", "2.50"),
}
"""Fresh input, cache reads, cache writes, output, from the price pages of their makers."""
COUNTED: Final = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_tokens")
RECORD_COSTS: Final = {
    *("atif", "cline", "langfuse", "langsmith", "litellm", "mini_swe_agent", "opencode", "openrouter", "pi"),
}
LEAST_CACHED: Final = {"claude": 512, "gpt": 1_024, "gemini": 1_024}


def rows() -> list[dict[str, str]]:
    with (FOLDER / "truth.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, dialect="excel-tab"))


ROWS: Final = {row["format"]: row for row in rows()}


def files_below(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != "README.md")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_every_format_has_a_sample() -> None:
    assert sorted(ROWS.keys() | IN_STORIES) == formats.names()
    assert all((FOLDER / name / row["log"]).is_file() for name, row in ROWS.items())


def test_the_script_writes_what_is_kept(tmp_path: Path) -> None:
    for seed in ("1", "2"):
        command = [sys.executable, "-B", str(SAMPLES / "make.py"), "--formats", "--out", str(tmp_path / seed)]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed})
    fresh, again, kept = (files_below(folder) for folder in (tmp_path / "1", tmp_path / "2", FOLDER))
    assert fresh == again
    assert sorted(fresh) == sorted(kept)
    assert [n for n in fresh if fresh[n] != kept[n]] == [], "run: python sample_logs/make.py --formats"
    assert sum(map(len, kept.values())) < 250_000


def cost(model: str, counts: tuple[int, ...]) -> Decimal:
    micro = sum(n * Decimal(price) for n, price in zip(counts, USD_PER_MTOK[model], strict=True))
    return Decimal(micro) / 1_000_000


@pytest.mark.parametrize("name", sorted(SUMS_OF_RUNS))
def test_a_sum_of_a_run_is_recorded_and_its_calls_are_of_unknown_usage(capsys: Capture, name: str) -> None:
    report = read_alike(capsys, FOLDER / name)
    assert report.turns.height == report.summary.totals.unreported_turns == int(ROWS[name]["calls"])
    assert report.summary.totals.recorded_usd == Decimal(ROWS[name]["usd"])
    assert report.summary.inputs.formats == {name: 1}


@pytest.mark.parametrize("name", sorted(ROWS.keys() - SUMS_OF_RUNS))
def test_a_sample_is_read_as_it_is_declared(capsys: Capture, name: str) -> None:
    told = ROWS[name]
    report = read_alike(capsys, FOLDER / name)
    turns, totals = report.turns, report.summary.totals
    assert turns.height == int(told["calls"])
    assert [turns[column].sum() for column in COUNTED] == [int(told[column]) for column in COUNTED]
    assert turns["cache_write_1h_tokens"].sum() == 0
    assert sum(turns[column].null_count() for column in CLASSES) == 0
    assert totals.usd == Decimal(told["usd"])
    assert totals.usd == cost(told["model"], tuple(int(told[column]) for column in COUNTED))
    assert totals.usd_exact
    assert report.runs["source"].unique().to_list() == [name]
    assert turns["model"].unique().to_list() == [told["model"]]
    assert_rules_of_the_maker(name, turns)


def assert_rules_of_the_maker(name: str, turns: pl.DataFrame) -> None:
    maker = ROWS[name]["model"].partition("-")[0]
    for turn in turns.to_dicts():
        cached = turn["cache_read_tokens"] + turn["cache_write_5m_tokens"]
        assert cached == 0 or cached >= LEAST_CACHED[maker]
        assert maker != "gpt" or turn["cache_read_tokens"] % 128 == 0
        assert maker == "claude" or turn["cache_write_5m_tokens"] == 0
        assert datetime(2026, 11, 1, tzinfo=UTC) <= turn["at"] < datetime(2026, 12, 1, tzinfo=UTC)
        dollars = cost(ROWS[name]["model"], tuple(turn[column] for column in COUNTED))
        assert turn["recorded_usd"] == (dollars if name in RECORD_COSTS else None)
