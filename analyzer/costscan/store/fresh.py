"""Logs that a store does not have yet, read: what is known of each file, and its rows, group by group."""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl
import xxhash

from costscan.ingest.engines import ReadAll
from costscan.ingest.pool import Answer
from costscan.reading.io.rows import TABLES
from costscan.store.layout import OWN_NAMES, stored_schema
from costscan.store.manifest import FILES
from costscan.store.sources import Source, text

_MOST_ROWS: Final = 1_000_000
"""Rows of about so many are held at a time."""
_COUNTS: Final = ("lines", "bytes_read", "skipped_lines", "repaired_lines")
LARGE_TOKENS: Final = 60_000
"""First reads from the cache of so many tokens say of one another what they are (see `billing.clipped`)."""


@dataclass
class Fresh:
    """Files that were read, their tables in a folder by task.

    `unread` says of files that could not be read why. `files` has a row for each other, as a manifest has it;
    `of_task` are the numbers of the files of each task in turn.
    """

    folder: Path
    files: pl.DataFrame
    of_task: Mapping[int, Sequence[int]]
    unread: Mapping[str, str]
    tables: Sequence[str] = field(default=tuple(TABLES))

    def chunks(self, wanted: Collection[int]) -> Iterator[dict[str, pl.DataFrame]]:
        """Yield the rows of wanted files, as the store has them, so many at a time as memory can hold."""
        sizes = dict(self.files.select("file", "rows").iter_rows())
        tasks: list[int] = []
        room = _MOST_ROWS
        for task, files in self.of_task.items():
            rows = sum(sum(sizes[file]) for file in files if file in wanted)
            if tasks and rows > room:
                yield self._rows(tasks, sizes, wanted)
                tasks, room = [], _MOST_ROWS
            tasks.append(task)
            room -= rows
        if tasks:
            yield self._rows(tasks, sizes, wanted)

    def _rows(
        self, tasks: Sequence[int], sizes: Mapping[int, Sequence[int]], wanted: Collection[int]
    ) -> dict[str, pl.DataFrame]:
        out = {}
        for number, name in enumerate(self.tables):
            frames = [
                stored(self.folder, name, task, [(file, sizes[file]) for file in self.of_task[task]], number)
                for task in tasks
            ]
            rows = pl.concat(frames)
            out[name] = rows.filter(pl.col("file").is_in(list(wanted)))
        return out


def stored(
    folder: Path, name: str, task: int, sizes: Sequence[tuple[int, Sequence[int]]], number: int
) -> pl.DataFrame:
    """Return a table of a task as the store has it: `file` says whose each row is, copies count in a file.

    Args:
        folder: where tables of tasks are.
        name: the table.
        task: the number of the task.
        sizes: the files of the task, and how many rows each has in every table.
        number: which of these is that of this table.
    """
    rows = pl.read_ipc(folder / f"{name}-{task}.arrow")
    own = [(file, rows_of[number], rows_of[0]) for file, rows_of in sizes]
    starts = pl.Series([0, *(copies for _, _, copies in own)], dtype=pl.Int64).cum_sum()[:-1]
    each = pl.DataFrame(
        {"file": [file for file, *_ in own], "rows": [n for _, n, _ in own], "start": starts},
        schema={"file": pl.Int64, "rows": pl.Int64, "start": pl.Int64},
    )
    index = pl.int_range(each.height, eager=True).repeat_by(each["rows"]).explode(empty_as_null=False)
    whose = each[index.cast(pl.UInt32)] if rows.height else each.clear()
    rows = rows.with_columns(file=whose["file"])
    if "copy" in rows.columns:
        rows = rows.with_columns(pl.col("copy") - whose["start"])
    schema = stored_schema(name)
    return rows.rename({k: v for k, v in OWN_NAMES.items() if k in rows.columns}).select(
        pl.col(column).cast(kind) for column, kind in schema.items()
    )


def read(
    sources: Sequence[Source],
    folder: Path,
    *,
    source: str | None,
    read_all: ReadAll,
    on_answer: Callable[[Answer], None],
) -> Fresh:
    """Read logs into tables in a folder.

    Raises:
        CostscanError: the tables cannot be written.
    """
    answers: list[Answer] = []

    def add(answer: Answer) -> None:
        answers.append(answer)
        on_answer(answer)

    kind = {"source": source, "bill_only": False, "kept_in": None, "apart": True}
    logs = [one.log for one in sources]
    if logs:
        read_all(logs, kind, folder, on_answer=add)
    by_path: dict[str, deque[Source]] = defaultdict(deque)
    for one in sources:
        by_path[one.log.path].append(one)
    unread = {path: why for answer in answers for path, why in answer["unread"].items()}
    of_task: dict[int, list[int]] = {}
    rows = []
    for answer in sorted((a for a in answers if "task" in a), key=lambda a: int(a["task"])):
        own = [_row(by_path[path].popleft(), *told) for path, *told in answer["read"]]
        of_task[answer["task"]] = [row["file"] for row in own]
        rows += own
    files = pl.DataFrame(rows, schema=dict(FILES))
    return Fresh(folder, _placed(files, folder, of_task), of_task, unread)


def _row(
    source: Source, formats: Sequence[str], unusable: str | None, counts: Sequence[int], sizes: Sequence[int]
) -> dict[str, Any]:
    told = f"{source.identity}\0{source.signature or source.seen_at.isoformat()}"
    number = xxhash.xxh3_64_intdigest(told.encode("utf-8", "surrogateescape")) >> 1
    return {
        "file": number,
        "component": number,
        "path": text(source.log.path),
        "identity": source.identity,
        "signature": source.signature,
        "seen_at": source.seen_at,
        "bytes": source.size,
        "formats": list(formats),
        "unusable": unusable,
        "rows": list(sizes),
        **dict(zip(_COUNTS, counts, strict=True)),
    }


def _placed(files: pl.DataFrame, folder: Path, of_task: Mapping[int, Sequence[int]]) -> pl.DataFrame:
    """Add when each file was called first and last, its project, and large first reads."""
    sizes = dict(files.select("file", "rows").iter_rows())

    def whole(name: str) -> pl.DataFrame:
        number = list(TABLES).index(name)
        tasks = [
            stored(folder, name, task, [(file, sizes[file]) for file in own], number)
            for task, own in of_task.items()
        ]
        return pl.concat([pl.DataFrame(schema=stored_schema(name)), *tasks])

    calls, copies, recorded = whole("calls"), whole("copies"), whole("recorded")
    moments = pl.concat([
        calls.select("file", pl.col("at")),
        calls.select("file", at="end_at"),
        recorded.select("file", "at"),
    ])  # fmt: skip
    spans = moments.group_by("file").agg(
        pl.col("at").min().alias("first_at"), pl.col("at").max().alias("last_at")
    )
    days = calls.group_by("file").agg(pl.col("at").min().dt.date().alias("day"))
    projects = pl.concat([copies.select("file", "folder"), recorded.select("file", "folder")])
    owners = projects.group_by("file", maintain_order=True).agg(
        pl.col("folder").drop_nulls().first().alias("project")
    )
    first = calls.unique(["file", "copy"], keep="first", maintain_order=True)
    large = first.filter(pl.col("cache_read_tokens") >= LARGE_TOKENS)
    reads = large.group_by("file").agg(pl.col("cache_read_tokens").unique().sort().alias("first_reads"))
    own = files.drop("first_at", "last_at", "day", "project", "first_reads")
    for more in (spans, days, owners, reads):
        own = own.join(more, on="file", how="left", maintain_order="left")
    dated = own.with_columns(pl.coalesce("day", pl.col("first_at").dt.date()).alias("day"))
    return dated.with_columns(
        pl.col("first_reads").fill_null(pl.lit([], pl.List(pl.Int64))),
        duplicates=pl.lit(0, pl.Int64),
        is_pruned=pl.lit(False),
    ).select(pl.col(name).cast(kind) for name, kind in FILES.items())


__all__ = ["Fresh", "read", "stored"]
