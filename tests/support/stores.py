"""Stores of tests: filled, looked into, and held against what reading the logs themselves gives."""

import json
from collections.abc import Hashable, Sequence
from functools import lru_cache
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from costscan import ingest
from costscan.billing import Pricing, billed
from costscan.prices import COST_COLUMNS
from costscan.schema.tables.runs import TURNS
from costscan.store import parts, reading
from costscan.store.ingesting import Ingested, Wanted
from costscan.store.ingesting import ingest as ingest_logs
from costscan.store.manifest import Manifest, newest
from costscan.store.places import Place, place
from kept import contents
from reading_tables import Tables, age, assert_same
from readings import counts_of
from samples import SAMPLES

SHOWN = (*TURNS.columns, "usd", *COST_COLUMNS.values(), "root_run_id", "task", "path")


def copied(folder: Path) -> Path:
    """Copy the samples of stories and of formats into a folder, last written to an hour ago."""
    ignored = ignore_patterns("generator", "*.py", "*.md")
    copytree(SAMPLES, folder / "stories", ignore=ignored)
    copytree(SAMPLES.parent / "sample_formats", folder / "formats", ignore=ignored)
    age(folder)
    return folder


def fill(store: Path | str, *logs: Path | str, **how: Any) -> Ingested:
    """Put logs into a store."""
    return ingest_logs(Wanted(paths=[*map(str, logs)], workers=1, **how), str(store))


def opened(store: Path | str) -> tuple[Place, Manifest]:
    """Return a store."""
    where = place(str(store))
    return where, newest(where)


def rows_of(store: Path | str, table: str) -> pl.DataFrame:
    """Return a table of a store by its manifest."""
    where, manifest = opened(store)
    own = manifest.parts.filter(table=table)
    return pl.concat([parts.read(where, part) for part in own.iter_rows(named=True)])


def globbed(store: Path, table: str) -> pl.DataFrame:
    """Return a table of a store by the files that are there, as other programs see it."""
    return pl.read_parquet(f"{store}/{table}/**/*.parquet", hive_partitioning=True)


def turns(frame: pl.DataFrame) -> pl.DataFrame:
    """Return turns in a fixed order, for comparing."""
    return frame.select(SHOWN).sort("run_id", "turn")


def turns_of_logs(*logs: Path | str) -> pl.DataFrame:
    """Return what one analysis of logs bills; it is made once of the same logs."""
    return _turns_of(logs, _state(logs))


def _state(logs: Sequence[Path | str]) -> Hashable:
    """Return what is another as soon as logs are; never the same where that cannot be told."""
    return tuple(contents(Path(log)) or object() for log in logs)


@lru_cache(8)
def _turns_of(logs: Sequence[Path | str], _: Hashable) -> pl.DataFrame:
    with ingest.read([*map(str, logs)], workers=1, keep=False) as read:
        bill = billed(read, Pricing(), None)[1]
    runs = bill.runs.select("run_id", "path", "root_task")
    own = bill.turns.drop("task").join(runs, on="run_id", how="left")
    return turns(own.with_columns(path=pl.coalesce("file", "path"), task="root_task"))


def tables_of_logs(*logs: Path | str) -> tuple[Tables, dict[str, Any]]:
    """Return all that a reading of logs holds; it is made once of the same logs."""
    return _tables_of(logs, _state(logs))


@lru_cache(8)
def _tables_of(logs: Sequence[Path | str], _: Hashable) -> tuple[Tables, dict[str, Any]]:
    return tables_of(ingest.read([*map(str, logs)], workers=1, keep=False))


def tables_of(read: ingest.Reading) -> tuple[Tables, dict[str, Any]]:
    """Return all that a reading holds."""
    with read:
        frames = {path.stem: pl.read_ipc(path) for path in sorted(read.folder.glob("*.arrow"))}
        return frames, counts_of(read)


def assert_holds(store: Path | str, *logs: Path | str) -> None:
    """See that a store is just what reading the logs gives: the rows, the counts, and the turns."""
    ours = tables_of(reading.read(str(store)))
    assert_same(ours, tables_of_logs(*logs))
    assert_frame_equal(turns(rows_of(store, "turns")), turns_of_logs(*logs))


def documents(*texts: str) -> list[Any]:
    """Return JSON reports without the moment at which each was made."""
    out = []
    for text in texts:
        document = json.loads(text)
        for part in (document, document.get("costscan", {}), document.get("meta", {})):
            if isinstance(part, dict):
                part.pop("generated_at", None)
        out.append(document)
    return out
