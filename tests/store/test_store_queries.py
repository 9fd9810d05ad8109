"""What docs/store.md has people ask: each query runs, by DuckDB or Polars, and its sums are those of reports."""

import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from billed import ROOT
from command import Capture, said
from stores import rows_of, turns_of_logs

DOCUMENT = (ROOT / "docs" / "store.md").read_text(encoding="utf-8")
QUERIES: dict[str, str] = dict(re.findall(r"### ([^\n]*)\n```sql\n(.*?)```", DOCUMENT, re.DOTALL))
PROGRAMS = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)


def asked(store: Path, title: str) -> pl.DataFrame:
    """Return what DuckDB says to a query of the document."""
    relation = duckdb.sql(QUERIES[title].replace("costs/", f"{store}/"))
    assert relation is not None
    rows = pl.from_arrow(relation.to_arrow_table())
    assert isinstance(rows, pl.DataFrame)
    return rows


@pytest.fixture(scope="module")
def turns(sample_copy: Path) -> pl.DataFrame:
    return turns_of_logs(sample_copy)


def usage(capsys: Capture, logs: Path, by: str) -> dict[str, Any]:
    told = json.loads(said(capsys, "usage", str(logs), "--by", by, "--json"))
    return {row[by]: row["usd"] for row in told["rows"]}


def sums(frame: pl.DataFrame, key: str) -> dict[str, Any]:
    return {str(name): float(usd) for name, usd in frame.select(key, "usd").drop_nulls().iter_rows()}


def test_there_are_ten() -> None:
    assert len(QUERIES) == 10


@pytest.mark.parametrize("title", QUERIES)
def test_each_answers(sample_store: Path, title: str) -> None:
    assert asked(sample_store, title).height > 0


def test_days_are_those_of_usage(sample_copy: Path, sample_store: Path, capsys: Capture) -> None:
    own = sums(asked(sample_store, "What did each day cost?"), "day")
    days = usage(capsys, sample_copy, "day")
    # Calls without a time are of no day; what those of the samples used is unknown.
    assert days.pop("unknown") is None
    for day, usd in days.items():
        if day is not None:
            assert own.pop(day) == pytest.approx(usd or 0, abs=1e-9)
    assert own == {}


def test_models_are_those_of_usage(sample_copy: Path, sample_store: Path, capsys: Capture) -> None:
    told = asked(sample_store, "Which models, and what share of the bill has each?")
    for model, usd in usage(capsys, sample_copy, "model").items():
        if usd is not None:
            assert sums(told, "model")[model] == pytest.approx(usd, abs=1e-9)
    assert told["share"].sum() == pytest.approx(1)


def test_projects_and_tasks_and_runs_add_up(sample_store: Path, turns: pl.DataFrame) -> None:
    whole = turns["usd"].sum()
    assert asked(sample_store, "Which tasks are dear, by the run?")["usd"].sum() <= whole
    for title in ("What do sub-agents cost?", "Who spent how much, by week?", "What did each day cost?"):
        assert Decimal(asked(sample_store, title)["usd"].sum()) == whole, title
    projects = asked(sample_store, "Which projects cost most this month?")
    assert "/home/sana/lanternfish" in projects["project"].to_list() or projects.height > 1
    dearest = asked(sample_store, "Which runs were the dearest?")
    runs = turns.group_by("root_run_id").agg(pl.col("usd").sum()).sort("usd", descending=True)
    assert dearest["usd"].to_list() == runs["usd"].head(10).to_list()


def test_the_cache_hit_rate(sample_store: Path, turns: pl.DataFrame) -> None:
    told = dict(asked(sample_store, "How much of the prompts came from the cache?").iter_rows())
    day = turns.filter(pl.col("at").dt.date() == pl.date(2026, 10, 27))
    prompt = ["input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"]
    whole = sum(int(day[name].sum()) for name in prompt)
    assert {str(name): rate for name, rate in told.items()}["2026-10-27"] == pytest.approx(
        int(day["cache_read_tokens"].sum()) / whole
    )


def test_tools(sample_store: Path) -> None:
    told = asked(sample_store, "Which tools fill the context?")
    blocks = rows_of(sample_store, "blocks").filter(kind="tool_result")
    assert told["results"].sum() == blocks.height > 0
    assert told["chars"].sum() == blocks["chars"].sum()


def test_programs_run_as_they_stand(sample_store: Path, tmp_path: Path, turns: pl.DataFrame) -> None:
    (tmp_path / "costs").symlink_to(sample_store)
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    printed = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={"PATH": path},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for program in PROGRAMS
    ]
    assert Decimal(printed[0]) == turns["usd"].sum()
    assert "project" in printed[1]


def test_every_file_says_its_schema(sample_store: Path) -> None:
    for table in ("turns", "calls", "_ids"):
        part = next((sample_store / table).rglob("*.parquet"))
        told = pl.read_parquet_metadata(part)
        assert told["costscan.schema_version"] == "1"
        assert told["costscan.table"] == table
