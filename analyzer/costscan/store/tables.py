"""From a store to the tables of a reading: the same rows, in the same order, as if the logs were read."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final

import polars as pl

from costscan.ingest.pool import TASK_BYTES
from costscan.reading.io.rows import MAX_NAMED_SKIPS, OF_BILL, TABLES
from costscan.store.layout import OWN_NAMES, stored_schema
from costscan.store.manifest import Manifest
from costscan.store.parts import groups_of, read_all
from costscan.store.places import Place

_MOST_ROWS: Final = 1_000_000
"""Rows of about so many are held at a time."""
_LEAST_BYTES: Final = 1 << 12
_NAMES: Final = list(TABLES)
_TASK: Final = "task of the file"
_PLACE: Final = "place of the file"
_FIRST: Final = "first copy of the file"


def in_order(files: pl.DataFrame) -> pl.DataFrame:
    """Return the files of a manifest as they would be read: the biggest first."""
    return files.sort("bytes", "path", descending=[True, False], maintain_order=True)


def write(
    place: Place, manifest: Manifest, files: pl.DataFrame, folder: Path, *, bill_only: bool = False
) -> None:
    """Write the tables of some files of a store to a folder, as reading them would have.

    Args:
        place: where the store is.
        manifest: what is there.
        files: the files, in order.
        folder: where the tables are wanted.
        bill_only: write no more than is billed.

    Raises:
        CostscanError: a part is damaged.
        GoneError: a part is not there.
    """
    names = OF_BILL if bill_only else _NAMES
    for first, tasks in _chunks(files, names, whole=bill_only):
        places = _places(tasks, first)
        chosen = manifest.parts.filter(pl.col("table").is_in(names))
        parts = groups_of(chosen, places["file"])
        for name in names:
            own = parts.filter(pl.col("table") == name)
            rows = pl.concat([
                pl.DataFrame(schema=stored_schema(name)),
                *read_all(place, own),
            ])  # fmt: skip
            _write(name, rows, places, folder)


def _chunks(
    files: pl.DataFrame, names: Sequence[str], *, whole: bool
) -> Iterator[tuple[int, list[pl.DataFrame]]]:
    """Yield the files task by task, so many at once as memory can hold, and the number of the first task."""
    tasks = [files] if whole else _tasks(files)
    first, chunk, room = 0, list[pl.DataFrame](), _MOST_ROWS
    numbers = [_NAMES.index(name) for name in names]
    for number, task in enumerate(tasks):
        rows = sum(sum(sizes[n] for n in numbers) for sizes in task["rows"].to_list())
        if chunk and rows > room:
            yield first, chunk
            first, chunk, room = number, [], _MOST_ROWS
        chunk.append(task)
        room -= rows
    yield first, chunk


def _tasks(files: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the files in tasks of about the size in which logs are read."""
    ends = [0]
    room = 0
    for number, size in enumerate(files["bytes"]):
        if number == 0 or size > room:
            ends.append(number)
            room = TASK_BYTES
        room -= max(size, _LEAST_BYTES)
    ends = [*ends[1:], files.height]
    return [files[start:end] for start, end in pairwise(ends)] or [files]


def _places(tasks: Sequence[pl.DataFrame], first: int) -> pl.DataFrame:
    """Return of each file its task, its place among all, and the number of its first copy in the task."""
    frames = []
    for number, task in enumerate(tasks, start=first):
        copies = [sizes[0] for sizes in task["rows"].to_list()]
        starts = list(accumulate(copies, initial=0))[:-1]
        frames.append(
            task.select("file").with_columns(
                pl.lit(number, pl.Int64).alias(_TASK), pl.Series(_FIRST, starts, pl.Int64)
            )
        )
    return pl.concat(frames).with_row_index(_PLACE)


def _write(name: str, rows: pl.DataFrame, places: pl.DataFrame, folder: Path) -> None:
    """Write a table, task by task, with copies counted in each."""
    rows = rows.join(places, on="file", how="inner", maintain_order="left").sort(_PLACE, maintain_order=True)
    if "copy" in rows.columns:
        rows = rows.with_columns(pl.col("copy") + pl.col(_FIRST))
    if name == "skipped":
        rows = rows.filter(pl.int_range(pl.len()).over(_TASK) < MAX_NAMED_SKIPS)
    back = {own: column for column, own in OWN_NAMES.items()}
    rows = rows.rename({own: column for own, column in back.items() if own in rows.columns})
    columns = list(TABLES[name])
    by_task = {key[0]: frame for key, frame in rows.partition_by(_TASK, as_dict=True).items()}
    for task in places[_TASK].unique() if places.height else [0]:
        own = by_task.get(task, rows.clear())
        own.select(columns).write_ipc(folder / f"{name}-{task}.arrow", compat_level=pl.CompatLevel.oldest())


__all__ = ["in_order", "write"]
