"""Paths to calls: find the files, read them side by side, put together what they tell.

Text never leaves the process that reads a file; what comes back are Arrow tables in a temporary folder. Only
the calls are held in memory: the blocks stay on disk and are taken batch by batch.
"""

import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from costscan import cleanup
from costscan.defects import DEFECT, TRACEBACK
from costscan.errors import CostscanError
from costscan.formats import available, named
from costscan.ingest.discover import discover
from costscan.ingest.pool import read_all
from costscan.ingest.worker import NOTHING_KNOWN
from costscan.reading.io.rows import MAX_NAMED_SKIPS

BATCH_BLOCKS: Final = 50_000


@dataclass
class Reading:
    """What was read: counts, the lines that could not be read, and the folder of the tables.

    `unusable` are the files that hold no usable line; `unread` says of others, and of folders, why they could
    not be read.

    Use as a context manager: the folder is removed at the end, and when the process is told to end before.
    """

    folder: Path
    files: int = 0
    bytes: int = 0
    lines: int = 0
    skipped_lines: int = 0
    repaired_lines: int = 0
    formats: dict[str, int] = field(default_factory=dict)
    unusable: list[tuple[str, str]] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    skipped: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Have the tables removed whatever happens."""
        cleanup.folders.add(self.folder)
        self._remove = weakref.finalize(self, cleanup.forget, self.folder)

    def __enter__(self) -> Self:
        """Give the reading itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the tables."""
        self._remove()

    def add(self, answer: dict[str, Any]) -> None:
        """Add the counts of a finished task."""
        self.files += answer["files"] - len(answer["unusable"]) - len(answer["unread"])
        self.bytes += answer["bytes"]
        self.lines += answer["lines"]
        self.skipped_lines += answer["skipped"]
        self.repaired_lines += answer["repaired"]
        self.unusable.extend((path, why) for path, why in answer["unusable"])
        self.unread |= answer["unread"]
        for name, count in answer["formats"].items():
            self.formats[name] = self.formats.get(name, 0) + count


def read(
    paths: Sequence[str],
    *,
    source: str | None = None,
    workers: int | None = None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Reading:
    """Read logs: files, folders, glob patterns, or "-" for standard input.

    Args:
        paths: what to read.
        source: the format of all files; by default each file's is detected from its content.
        workers: processes to read with; by default one a core.
        on_bytes: called with the bytes read by each finished task.

    Raises:
        CostscanError: a path does not exist, a named file holds no usable line, or no file can be read.
    """
    if source is not None:
        named(source)
    reading = Reading(Path(tempfile.mkdtemp(prefix="costscan-")))
    try:
        files, alone, reading.unread = discover(paths, reading.folder)

        def answered(answer: dict[str, Any]) -> None:
            reading.add(answer)
            on_bytes(answer["bytes"])

        read_all(files, source=source, out=reading.folder, workers=workers, on_answer=answered)
        _refuse_unusable(reading, alone, source)
    except BaseException:
        cleanup.forget(reading.folder)
        raise
    return reading


def _refuse_unusable(reading: Reading, alone: set[str], source: str | None) -> None:
    reading.unread = dict(sorted(reading.unread.items()))
    if reading.unread and not reading.files:
        path, reason = next(iter(reading.unread.items()))
        hint = f"{TRACEBACK}=1 shows where" if DEFECT in reason else "check the path and its permissions"
        raise CostscanError(f"{path}: not read: {reason}", hint)
    reading.unusable.sort()
    bad = [(p, why) for p, why in reading.unusable if p in alone] or (
        reading.unusable if not reading.files else []
    )
    if bad:
        known = [named(source)] if source else available().values()
        expected = "; ".join(f.EXPECTED for f in known)
        raise CostscanError(f"{bad[0][0]}: {bad[0][1]}", f"expected {expected}")
    for path, why in reading.unusable:
        reason = "no usable line in this file" if why == NOTHING_KNOWN else why
        reading.skipped.append({"path": path, "line": None, "reason": reason})


def batches(reading: Reading) -> Iterator[list[Path]]:
    """Give the block tables in groups of at most about BATCH_BLOCKS blocks."""
    import polars as pl  # noqa: PLC0415 - the workers read while it is imported

    group: list[Path] = []
    room = BATCH_BLOCKS
    for path in sorted(reading.folder.glob("blocks-*.arrow")):
        rows = pl.scan_ipc(path).select(pl.len()).collect().item()
        if group and rows > room:
            yield group
            group, room = [], BATCH_BLOCKS
        group.append(path)
        room -= rows
    if group:
        yield group


__all__ = ["MAX_NAMED_SKIPS", "Reading", "batches", "read"]
