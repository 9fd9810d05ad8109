"""Reads files into Arrow tables on disk: the map step, in this process or in a worker process.

A worker takes a task (a JSON list of files) a line on standard input and answers with a JSON line that says
what was read and where the tables are. It imports neither Polars nor the command line, so that it starts
within a tenth of a second; and it is a plain subprocess, so that it works from any script or notebook.
"""

import gc
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from costscan.defects import described
from costscan.errors import CostscanError
from costscan.formats import available, foreign, named
from costscan.formats.interface import Format, LogFile, RemoteFile
from costscan.ingest import arrow_tables, bill_tables, polars_tables
from costscan.ingest.fetching import Fetching
from costscan.ingest.kept_readings import Added, KeptReadings, Read, key_of
from costscan.ingest.reasons import NOTHING_KNOWN
from costscan.ingest.table_formats import table_format
from costscan.reading.io.containers import kind_of
from costscan.reading.io.files import open_log
from costscan.reading.io.lenient_json import document, is_document, is_object_document, text_of
from costscan.reading.io.row_types import UnknownRow
from costscan.reading.io.rows import Rows, written

SNIFF_BYTES: Final = (1 << 14, 1 << 22)
SNIFF_LINES: Final = 1000
SNIFF_PIECES: Final = 64


def read_files(
    files: Sequence[LogFile],
    *,
    source: str | None,
    out: Path,
    task: int,
    bill_only: bool = False,
    kept_in: Path | None = None,
    apart: bool = False,
) -> dict[str, Any]:
    """Have files read, their tables written for `task`, and return the counts of what was read.

    A file that cannot be opened, or whose reader raises, leaves no rows; it is in `unread` with the reason.
    With `bill_only`, tables that no bill needs are not written. `read` says what each file has in those that
    are, where `bill_only` or `apart` is set; with `apart`, the skipped lines of each file are named as if it
    were the only one. What is kept in `kept_in` is not read again.

    Raises:
        OSError: the tables cannot be written.
    """
    rows = Rows(bill_only=bill_only)
    outcome = _Outcome(rows, apart=apart)
    sources = [named(source)] if source else list(available().values())
    alone = len(files) == 1
    kept = None if kept_in is None else KeptReadings(kept_in, source, one_by_one=alone)
    to_fetch = [file for file in files if file.remote and not (kept and kept.may_have(file))]
    with Fetching(to_fetch, out / f"fetched-{task}") as fetching:
        for file in files:
            outcome.take(file, lambda log: _read_or_taken(log, sources, rows, kept, fetching))
    _writer(bill_only=bill_only)(rows, out, task)
    return {
        "read": outcome.told if bill_only or apart else [],
        "task": task,
        "files": len(files),
        "formats": Counter(name for read in outcome.done.values() for name in read.formats),
        "unusable": [
            (path, read.unusable) for path, read in outcome.done.items() if read.unusable is not None
        ],
        "unread": outcome.unread,
        "lines": rows.lines,
        "bytes": rows.bytes_read,
        "skipped": rows.skipped_lines,
        "repaired": rows.repaired_lines,
        "kept": 0 if kept is None else kept.count,
    }


def _writer(*, bill_only: bool) -> Callable[[Rows, Path, int], None]:
    """Return what writes tables: what this process has imported already, where that is so."""
    if bill_only:
        return bill_tables.write
    return polars_tables.write if "polars" in sys.modules else arrow_tables.write


@dataclass
class _Outcome:
    """What became of the files of a task: read, or why not; `told` is how many rows each has."""

    rows: Rows
    apart: bool
    done: dict[str, Read] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    told: list[tuple[Any, ...]] = field(default_factory=list)

    def take(self, file: LogFile, read: Callable[[LogFile], Read]) -> None:
        """Have a file read; one that cannot be leaves no rows."""
        added = Added(self.rows)
        self.rows.named_from = len(self.rows.skipped) if self.apart else 0
        names = list(written(self.rows))
        try:
            with self.rows.whole():
                self.done[file.path] = done = read(file)
            self.told.append((file.path, done.formats, done.unusable, added.counts(), added.sizes(names)))
        except CostscanError as error:
            self.unread[file.path] = error.what.removeprefix(f"{file.path}: ").removeprefix(
                f"{file.on_disk}: "
            )
        except Exception as error:  # noqa: BLE001 - a defect costs this file and no other
            self.unread[file.path] = described(error)
            self.rows.kept.clear()


def _read_or_taken(
    file: LogFile, sources: Sequence[Format], rows: Rows, kept: KeptReadings | None, fetching: Fetching
) -> Read:
    """Add to `rows` what is kept of a file, else read it, and keep that."""
    key = None if kept is None else key_of(file)
    if kept is not None and key is not None and (taken := kept.take(file, key, rows)) is not None:
        return taken
    file = fetching.local(file)
    added = Added(rows)
    log_format = detect(file, sources)
    if isinstance(log_format, str):
        read = Read(unusable=log_format)
    else:
        read = Read(_read(file, log_format, sources, rows))
    if kept is not None:
        kept.keep(file, key, read, added)
    return read


def _read(file: LogFile, log_format: Format, sources: Sequence[Format], rows: Rows) -> list[str]:
    """Read a file of one format, and the lines of other formats in it; return the names of them all."""
    rows.strange.clear()
    log_format.read(file, rows)
    others: list[Format] = []
    for line, n in rows.strange.values():
        owner = next((s for s in sources if s is not log_format and s.sniff([line])), None)
        if owner is None:
            name = foreign.named(line)
            kind = name or foreign.described(line)
            rows.unknown.append(UnknownRow(path=file.path, kind=kind, lines=n, other=name is not None))
        elif owner not in others:
            others.append(owner)
    for other in others:
        with rows.once_more():
            other.read(file, rows)
    return [log_format.name, *(other.name for other in others)]


def detect(file: LogFile, sources: Sequence[Format]) -> Format | str:
    """Return the format of a file by what its first lines hold, or why there is none."""
    looks_like: str | None = None
    with open_log(file.on_disk) as stream:
        try:
            if kind_of(file.on_disk) is not None:
                return next((s for s in sources if s.owns and s.owns(file.on_disk)), NOTHING_KNOWN)
            if (of_table := table_format(file.on_disk, sources)) is not None:
                return of_table
            for head in _heads(stream):
                log_format = _first_format(head, sources)
                if not isinstance(log_format, str | None):
                    return log_format
                # Of a document cut short only parts are seen: more of it says better what it is.
                looks_like = log_format or looks_like
        except OSError:
            return NOTHING_KNOWN
    if looks_like is None:
        return NOTHING_KNOWN
    return f"this looks like {looks_like}, which costscan does not read yet"


def _heads(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the beginning of a file, longer and longer: some KB mostly do, one image may take 50 MB.

    A document that is one object is yielded whole alone: cut anywhere it is no JSON.
    """
    head, is_object = b"", False
    for size in SNIFF_BYTES:
        head += stream.read(size - len(head))
        is_object = is_object_document(head)
        if len(head) < size or not is_object:
            yield head
        if len(head) < size:
            return
    pieces = [head]
    while is_object or b"\n" not in pieces[-1]:
        if len(pieces) == SNIFF_PIECES or not (more := stream.read(SNIFF_BYTES[-1])):
            break
        pieces.append(more)
    if is_object or len(pieces) > 1:
        yield b"".join(pieces)


def _first_format(head: bytes, sources: Sequence[Format]) -> Format | str | None:
    """Return the format of the first line that has one, else what another line looks like."""
    looks_like: str | None = None
    lines = (line for line in head.split(b"\n") if b"{" in line)
    for piece in [head] if is_document(head) else islice(lines, SNIFF_LINES):
        log_format = _sniffed(piece, sources)
        if not isinstance(log_format, str | None):
            return log_format
        looks_like = looks_like or log_format
    return looks_like


def _sniffed(raw: bytes, sources: Sequence[Format]) -> Format | str | None:
    lines = document(text_of(raw)).objects[:SNIFF_LINES]
    own = next((s for s in sources if s.sniff(lines)), None)
    return own or next((name for line in lines if (name := foreign.named(line)) is not None), None)


def answered(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to an order: what `read_files` gives, or `error` (of the disk), or `failed`."""
    files = [LogFile(path, spooled, _remote(told)) for path, spooled, told in order["files"]]
    out = Path(order["out"])
    try:
        return read_files(
            files,
            source=order["source"],
            out=out,
            task=order["task"],
            bill_only=order["bill_only"],
            kept_in=Path(order["kept_in"]) if order["kept_in"] else None,
            apart=order.get("apart", False),
        )
    except OSError as error:
        return {"error": f"{error.filename or order['out']}: {error.strerror or error}"}
    except Exception as error:  # noqa: BLE001 - it must reach the user as one line, not kill the pipe
        return {"failed": described(error)}


def _remote(told: Sequence[Any] | None) -> RemoteFile | None:
    """Return what an order says of a remote file, which lists stand for in JSON."""
    if told is None:
        return None
    size, version, beside, url = told
    return RemoteFile(size, version, tuple((name, its) for name, its in beside), url)


def main() -> None:
    """Answer tasks until standard input ends."""
    gc.disable()
    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.write(json.dumps(answered(order)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
