"""Logs into a store: what is new is read once, and committed with all that follows from it."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import polars as pl

from costscan import cleanup
from costscan.billing import Pricing
from costscan.errors import CostscanError
from costscan.formats import named
from costscan.ingest import Moments
from costscan.ingest.discover import LogFiles, discover, is_pipe
from costscan.ingest.engines import LOCAL, engine_named
from costscan.store import fresh
from costscan.store.change import Change
from costscan.store.committing import commit
from costscan.store.fresh import Fresh
from costscan.store.layout import MANIFESTS, PENDING, TABLES_OF_STORE, TURNS
from costscan.store.manifest import Manifest, newest
from costscan.store.parts import Parts
from costscan.store.places import Folder, Place, place
from costscan.store.sources import Found, compared, unread_now


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """What an ingest did.

    Attributes:
        store: where it is.
        new: files that are in it now and were not.
        grown: files that were in it and are another now.
        unchanged: files that were in it.
        gone: files that are in it and among the logs no more.
        unusable: files of logs without a usable line, and why.
        unread: what could not be read, and why.
        calls: calls that are billed in the whole store.
        usd: what they cost; calls that have no price add nothing.
        read_bytes: bytes of logs that were read.
        bytes: bytes of the whole store.
        number: of the manifest that says so.
    """

    store: str
    new: int
    grown: int
    unchanged: int
    gone: int
    unusable: Sequence[tuple[str, str]]
    unread: dict[str, str]
    calls: int
    usd: Decimal
    read_bytes: int
    bytes: int
    number: int


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to put into a store.

    Attributes:
        paths: files, folders, patterns, or addresses of all these.
        pricing: prices other than list, for the table `turns`.
        source: the format of all files; by default each file's is detected.
        workers: processes to read with; by default one a core.
        engine: who reads: `local` processes, `ray`, or `ray:ADDRESS` of a cluster that runs.
        moments: the days of paths that have a date in them.
        on_bytes: called with the bytes read by each finished task.
    """

    paths: Sequence[str]
    pricing: Pricing = field(default_factory=Pricing)
    source: str | None = None
    workers: int | None = None
    engine: str = LOCAL
    moments: Moments | None = None
    on_bytes: Callable[[int], None] = lambda _: None


def ingest(wanted: Wanted, store: str) -> Ingested:
    """Put what is new of logs into a store, which is made where it is not there.

    Args:
        wanted: the logs.
        store: a folder, or an address.

    Raises:
        CostscanError: a path does not exist, no file can be used, the store is damaged, or cannot be written.
    """
    if wanted.source is not None:
        named(wanted.source)
    if any(path == "-" or is_pipe(path) for path in wanted.paths):
        raise CostscanError("-: what comes through a pipe is no file that can be told again", "name files")
    where = place(store)
    folder = Path(tempfile.mkdtemp(prefix="costscan-"))
    cleanup.folders.add(folder)
    try:
        return _ingested(where, wanted, folder)
    except OSError as error:
        raise _untouched(where, error) from error
    finally:
        cleanup.forget(folder)


def _untouched(where: Place, error: OSError) -> CostscanError:
    name = error.filename or where.shown
    return CostscanError(
        f"{name}: {error.strerror or error}: the store is as it was",
        "check space and permissions, and try again",
    )


def _ingested(where: Place, wanted: Wanted, folder: Path) -> Ingested:
    base = newest(where)
    if not base.number:
        _refuse_shared(where)
    logs = discover(wanted.paths, folder, wanted.moments)
    found = compared(logs, wanted.paths, base.files, wanted.source or "", besides=where.shown)
    read = fresh.read(
        found.to_read,
        folder,
        source=wanted.source,
        read_all=engine_named(wanted.engine, wanted.workers),
        on_answer=lambda answer: wanted.on_bytes(answer["bytes"]),
    )
    unread = {**logs.unread, **read.unread}
    _refuse_nothing(base, read, unread, logs)
    names = [log.path for log in logs.files]

    def change(parts: Parts, manifest: Manifest) -> Manifest | None:
        left = unread_now(manifest.unread, wanted.paths, names, unread)
        return Change(where, parts, wanted.pricing).added(manifest, read, left)

    return _told(base, commit(where, base, change), found, read, where=where, unread=unread)


def _refuse_shared(where: Place) -> None:
    """Refuse to make a folder a store that holds something else: logs in a store would be no logs.

    Raises:
        CostscanError: that is so.
    """
    if not isinstance(where, Folder) or not where.path.is_dir():
        return
    other = sorted({path.name for path in where.path.iterdir()} - {*TABLES_OF_STORE, MANIFESTS, PENDING})
    if other:
        raise CostscanError(
            f"{where.shown}: this folder holds other files, like {other[0]}", "name one for the store alone"
        )


def _refuse_nothing(base: Manifest, read: Fresh, unread: dict[str, str], logs: LogFiles) -> None:
    """Refuse logs of which nothing can be used, where the store is empty or a file was named.

    Raises:
        CostscanError: that is so.
    """
    bad = read.files.drop_nulls("unusable").select("path", "unusable").rows()
    named_bad = [(path, why) for path, why in [*bad, *unread.items()] if path in logs.named]
    usable = read.files.height - len(bad)
    if named_bad or (not usable and not base.files.height and (bad or unread)):
        path, why = named_bad[0] if named_bad else [*bad, *unread.items()][0]
        raise CostscanError(
            f"{path}: {why}", "nothing was put into the store; --format NAME says what files are"
        )


def _told(
    base: Manifest, after: Manifest, found: Found, read: Fresh, *, where: Place, unread: dict[str, str]
) -> Ingested:
    known = set(base.files["identity"])
    grown = sum(identity in known for identity in read.files["identity"])
    turns = after.parts.filter(pl.col("table") == TURNS)
    return Ingested(
        store=where.shown,
        new=read.files.height - grown,
        grown=grown,
        unchanged=found.unchanged,
        gone=found.gone,
        unusable=read.files.drop_nulls("unusable").select("path", "unusable").rows(),
        unread=unread,
        calls=int(turns["rows"].sum()),
        usd=Decimal(turns["usd"].sum()),
        read_bytes=int(read.files["bytes_read"].sum()),
        bytes=int(after.parts["bytes"].sum()),
        number=after.number,
    )


__all__ = ["Ingested", "Wanted", "ingest"]
