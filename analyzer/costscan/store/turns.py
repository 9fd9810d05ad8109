"""The calls of a store, each billed once: a table for whoever queries it.

Reports do not read it: they bill anew, by the prices of their day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from costscan.billing import Pricing, billed
from costscan.ingest.kept_readings import digest_of
from costscan.ingest.merge import COPY_BITS
from costscan.prices import COST_COLUMNS
from costscan.schema.tables.runs import TURNS
from costscan.store import tables
from costscan.store.manifest import Manifest
from costscan.store.places import Place
from costscan.store.reading import of_manifest

OF_RUN: Final = (
    "root_run_id",
    "parent_run_id",
    "task",
    "agent",
    "branch",
    "user",
    "source",
    "path",
    "folder",
)
_FIRST: Final = ["file", *TURNS.columns]
COLUMNS: Final = (*_FIRST, "usd", *COST_COLUMNS.values(), *OF_RUN)


@dataclass(frozen=True)
class BilledFiles:
    """The turns of some files: `duplicates` says of each how many calls another file keeps."""

    turns: pl.DataFrame
    duplicates: dict[int, int]


def prices_of(pricing: Pricing) -> str:
    """Return what is another as soon as the same calls may be billed otherwise."""
    code = digest_of("*.py", "*.toml", "prices/*.py", "billing/*.py", "recorded_cost/*.py", "ingest/merge.py")
    return f"{pricing!r} {code}"


def bill(place: Place, manifest: Manifest, files: Sequence[int], pricing: Pricing) -> BilledFiles:
    """Return the turns of some files that nothing else bears on, with `day` and `project`.

    Raises:
        CostscanError: a part is damaged, or the prices are wrong.
        GoneError: a part is not there.
    """
    with of_manifest(place, manifest, bill_only=True, files=files) as reading:
        calls, bill_of = billed(reading, pricing, None)
    order = tables.in_order(manifest.files.filter(pl.col("file").is_in(list(files))))
    whose = _whose(calls, order)
    kept = whose.filter("kept").select("run_id", "turn", "file")
    turns = bill_of.turns.rename({"file": "path_of_turn"}).drop("task", "root_run_id")
    turns = turns.join(kept, on=("run_id", "turn"), how="left", maintain_order="left")
    runs = bill_of.runs.with_columns(folder="project", task="root_task").select("run_id", *OF_RUN)
    turns = turns.join(runs, on="run_id", how="left", maintain_order="left")
    by_path = order.unique("path", keep="first").select("path", file_of_path="file")
    turns = turns.join(by_path, on="path", how="left", maintain_order="left").with_columns(
        file=pl.coalesce("file", "file_of_path", pl.lit(order["file"].first(), pl.Int64)),
        path=pl.coalesce("path_of_turn", "path"),
    )
    others = whose.filter(~pl.col("kept")).group_by("file").len()
    return BilledFiles(
        turns.with_columns(day=pl.col("at").dt.date(), project="folder").select(*COLUMNS, "day", "project"),
        dict(others.select("file", pl.col("len").cast(pl.Int64)).iter_rows()),
    )


def _whose(calls: pl.DataFrame, order: pl.DataFrame) -> pl.DataFrame:
    """Return the calls with the file of each, by the number of its copy in the one task that there is."""
    assert calls.is_empty() or calls["copy"].max() < 1 << COPY_BITS  # type: ignore[operator]  # noqa: S101
    copies: list[Any] = order["rows"].list.get(0).to_list()
    numbers = pl.Series(order["file"].to_list(), dtype=pl.Int64).repeat_by(pl.Series(copies, dtype=pl.Int64))
    owners = numbers.explode(empty_as_null=False)
    return calls.select("kept", "run_id", "turn", "copy").with_columns(
        file=owners.gather(calls["copy"].cast(pl.UInt32))
    )


__all__ = ["COLUMNS", "BilledFiles", "bill", "prices_of"]
