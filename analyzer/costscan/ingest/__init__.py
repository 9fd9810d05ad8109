"""Paths to calls: find the files, read them side by side, put together what they tell.

Text never leaves the process that reads a file; what comes back are Arrow tables in a temporary folder. Only
the calls are held in memory: the blocks stay on disk and are taken batch by batch.
"""

import tempfile
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from costscan import cache_folder, cleanup
from costscan.defects import DEFECT, TRACEBACK
from costscan.errors import CostscanError
from costscan.formats import available, named
from costscan.ingest.dated_paths import Moments
from costscan.ingest.discover import discover
from costscan.ingest.engines import LOCAL, engine_named
from costscan.ingest.reasons import NOTHING_KNOWN
from costscan.ingest.wanted import Wanted
from costscan.reading.io.rows import MAX_NAMED_SKIPS

if TYPE_CHECKING:
    from costscan.ingest.found import Found

BATCH_BLOCKS: Final = 50_000


@dataclass(frozen=True)
class Reading:
    """What was read: counts, the lines that could not be read, and the folder of the tables.

    `unusable` are the files that hold no usable line; `unread` says of others, and of folders, why they could
    not be read. `duplicates_elsewhere` are calls that another file tells too, in files that were left out;
    `whole` reads what is billed in those as well, where there are any.

    Use as a context manager: the folder is removed at the end, and when the process is told to end before.
    """

    folder: Path
    files: int = 0
    bytes: int = 0
    lines: int = 0
    skipped_lines: int = 0
    repaired_lines: int = 0
    formats: Mapping[str, int] = field(default_factory=dict)
    unusable: Sequence[tuple[str, str]] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    duplicates_elsewhere: int = 0
    whole: Callable[[], "Reading"] | None = None

    def __post_init__(self) -> None:
        """Have the tables removed whatever happens."""
        cleanup.folders.add(self.folder)
        weakref.finalize(self, cleanup.forget, self.folder)

    @property
    def skipped(self) -> list[dict[str, Any]]:
        """The files that hold no usable line, as rows of the lines that were skipped."""
        reasons = {NOTHING_KNOWN: "no usable line in this file"}
        return [{"path": path, "line": None, "reason": reasons.get(why, why)} for path, why in self.unusable]

    def __enter__(self) -> Self:
        """Return the reading itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the tables."""
        cleanup.forget(self.folder)


@dataclass
class _Tally:
    """The counts of the tasks that are finished; `on_bytes` is called with the bytes that each read."""

    on_bytes: Callable[[int], None]
    counts: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    unusable: list[tuple[str, str]] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    kept: int = 0

    def add(self, answer: Mapping[str, Any]) -> None:
        """Add what a task answered."""
        self.counts["files"] += answer["files"] - len(answer["unusable"]) - len(answer["unread"])
        self.counts["bytes"] += answer["bytes"]
        self.counts["lines"] += answer["lines"]
        self.counts["skipped_lines"] += answer["skipped"]
        self.counts["repaired_lines"] += answer["repaired"]
        self.kept += answer["kept"]
        self.unusable.extend((path, why) for path, why in answer["unusable"])
        self.unread |= answer["unread"]
        self.formats.update(answer["formats"])
        self.on_bytes(answer["bytes"])

    def reading(self, folder: Path) -> Reading:
        """Return what was read, its tables in `folder`."""
        return Reading(
            folder,
            files=self.counts["files"],
            bytes=self.counts["bytes"],
            lines=self.counts["lines"],
            skipped_lines=self.counts["skipped_lines"],
            repaired_lines=self.counts["repaired_lines"],
            formats=dict(self.formats),
            unusable=sorted(self.unusable),
            unread=dict(sorted(self.unread.items())),
        )


def read(
    paths: Sequence[str],
    *,
    source: str | None = None,
    workers: int | None = None,
    engine: str = LOCAL,
    bill_only: bool = False,
    keep: bool = True,
    found: "Found | None" = None,
    moments: Moments | None = None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Reading:
    """Read logs: files, folders, glob patterns, addresses of all these in stores, or "-" for standard input.

    Args:
        paths: what to read.
        source: the format of all files; by default each file's is detected from its content.
        workers: processes to read with; by default one a core.
        engine: who reads: `local` processes, `ray`, or `ray:ADDRESS` of a cluster that runs.
        bill_only: read no more than is billed: there are no blocks.
        keep: keep what is read, and take what was kept of files that did not change (see `cache_folder`).
        found: the logs that the paths mean, where they were looked for already.
        moments: the days of paths that have a date in them.
        on_bytes: called with the bytes read by each finished task.

    Raises:
        CostscanError: a path does not exist, a named file holds no usable line, or no file can be read.
    """
    if source is not None:
        named(source)
    read_all = engine_named(engine, workers)
    kept_in = cache_folder.folder() if keep and not cache_folder.is_off() else None
    with _own_folder() as folder:
        tally = _Tally(on_bytes)
        logs = found.log_files if found is not None else discover(paths, folder, moments)
        files, alone, tally.unread, _ = logs
        keys = found.keys if found is not None else None
        wanted = Wanted(files, paths, source, read_all, kept_in, keys)
        is_more_kept = (_read_bill if bill_only else _read_whole)(wanted, folder, tally)
        reading = tally.reading(folder)
        if kept_in is not None and is_more_kept:
            cache_folder.prune(kept_in)
        _refuse_unusable(reading, alone, source)
    return reading


def _read_bill(wanted: Wanted, folder: Path, tally: _Tally) -> bool:
    """Have no more read than is billed; say whether more is kept now."""
    from costscan.ingest import bill  # noqa: PLC0415 - not needed to start

    return bill.read(wanted, folder, tally.add)


def _read_whole(wanted: Wanted, folder: Path, tally: _Tally) -> bool:
    """Have all of the logs read; say whether more is kept now."""
    kept_in = str(wanted.kept_in) if wanted.kept_in else None
    kind = {"source": wanted.source, "bill_only": False, "kept_in": kept_in}
    wanted.read_all(wanted.files, kind, folder, on_answer=tally.add)
    return tally.kept > 0


@contextmanager
def _own_folder() -> Iterator[Path]:
    """Make a temporary folder, and remove it where the body raises."""
    folder = Path(tempfile.mkdtemp(prefix="costscan-"))
    cleanup.folders.add(folder)
    try:
        yield folder
    except BaseException:
        cleanup.forget(folder)
        raise


def _refuse_unusable(reading: Reading, alone: set[str], source: str | None) -> None:
    if reading.unread and not reading.files:
        path, reason = next(iter(reading.unread.items()))
        hint = f"{TRACEBACK}=1 shows where" if DEFECT in reason else "check the path and its permissions"
        raise CostscanError(f"{path}: not read: {reason}", hint)
    bad = [(p, why) for p, why in reading.unusable if p in alone] or (
        list(reading.unusable) if not reading.files else []
    )
    if bad:
        every = f"a log of {', '.join(available())}; --format NAME shows what one of them looks like"
        expected = named(source).expected if source else every
        raise CostscanError(f"{bad[0][0]}: {bad[0][1]}", f"expected {expected}")


def batches(reading: Reading) -> Iterator[list[Path]]:
    """Yield the block tables in groups of at most about BATCH_BLOCKS blocks."""
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


__all__ = ["MAX_NAMED_SKIPS", "Moments", "Reading", "batches", "read"]
