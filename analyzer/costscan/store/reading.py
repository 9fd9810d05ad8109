"""A store as a reading: what `ingest.read` would return of the logs that were put into it."""

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from costscan import cleanup
from costscan.errors import CostscanError
from costscan.ingest import Moments, Reading
from costscan.reading.io.rows import TABLES
from costscan.store import tables
from costscan.store.manifest import Manifest, newest
from costscan.store.parts import GoneError
from costscan.store.places import Place, place

_TRIES: Final = 5
_TOLD: Final = ("skipped", "unknown")


def read(
    store: str,
    *,
    moments: Moments | None = None,
    bill_only: bool = False,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Reading:
    """Return what reading the logs of a store made of them.

    Args:
        store: the folder or address of the store.
        moments: the moments that are looked at: files without a call in them are left out, unless what they
            tell bears on calls of others. The counts are those of all files.
        bill_only: take no more than is billed.
        on_bytes: called with the bytes of the logs that were read.

    Raises:
        CostscanError: the store is empty, damaged, or cannot be reached.
    """
    where = place(store)
    for _ in range(_TRIES):
        manifest = newest(where)
        try:
            reading = of_manifest(where, manifest, moments=moments, bill_only=bill_only)
        except GoneError:
            if newest(where).number == manifest.number:
                raise
            continue  # what was superseded meanwhile is told by a newer manifest
        on_bytes(reading.bytes)
        return _refused(reading, store)
    raise CostscanError(f"{store}: changes faster than it can be read", "try again when no ingest is running")


def of_manifest(
    where: Place,
    manifest: Manifest,
    *,
    moments: Moments | None = None,
    bill_only: bool = False,
    files: Sequence[int] | None = None,
) -> Reading:
    """Return the reading of the files of a manifest, or of some of them.

    Raises:
        CostscanError: a part is damaged.
        GoneError: a part is not there.
    """
    every = tables.in_order(manifest.live)
    chosen = every.filter(pl.col("file").is_in(list(files))) if files is not None else of_time(every, moments)
    folder = Path(tempfile.mkdtemp(prefix="costscan-"))
    cleanup.folders.add(folder)
    try:
        tables.write(where, manifest, chosen, folder, bill_only=bill_only)
    except BaseException:
        cleanup.forget(folder)
        raise
    left_out = every.join(chosen, on="file", how="anti") if files is None else every.clear()
    usable = every.filter(pl.col("unusable").is_null())
    return Reading(
        folder,
        files=usable.height,
        bytes=int(every["bytes_read"].sum()),
        lines=int(every["lines"].sum()),
        skipped_lines=int(every["skipped_lines"].sum()),
        repaired_lines=int(every["repaired_lines"].sum()),
        formats=dict(Counter(name for names in every["formats"].to_list() for name in names)),
        unusable=sorted(every.drop_nulls("unusable").select("path", "unusable").rows()),
        unread=dict(sorted(manifest.unread.items())),
        duplicates_elsewhere=int(left_out["duplicates"].sum()),
        whole=(lambda: of_manifest(where, manifest, bill_only=True)) if left_out.height else None,
    )


def of_time(files: pl.DataFrame, moments: Moments | None) -> pl.DataFrame:
    """Return the files that bear on the calls of some time.

    These are the files with a call in it, those that tell of the same runs or calls, those whose first reads
    from the cache are alike and large, and those with lines that could not be read.
    """
    if moments is None:
        return files
    chosen = pl.col("first_at") <= pl.lit(moments.until)
    if moments.since is not None:
        chosen &= pl.col("last_at") >= pl.lit(moments.since)
    own = files.filter(chosen)
    related = files.filter(pl.col("component").is_in(own["component"].implode()))
    reads = related["first_reads"].explode().drop_nulls().unique()
    alike = pl.col("first_reads").list.set_intersection(reads.implode()).list.len() > 0
    told = [list(TABLES).index(name) for name in _TOLD]
    has_told = pl.sum_horizontal(pl.col("rows").list.get(n) for n in told) > 0
    return files.filter(pl.col("component").is_in(own["component"].implode()) | alike | has_told)


def _refused(reading: Reading, store: str) -> Reading:
    """Return a reading of at least one file.

    Raises:
        CostscanError: there is none.
    """
    if reading.files:
        return reading
    cleanup.forget(reading.folder)
    bad = [*reading.unusable, *reading.unread.items()]
    if bad:
        raise CostscanError(f"{bad[0][0]}: {bad[0][1]}", f"nothing in {store} can be used; ingest other logs")
    raise CostscanError(f"{store}: nothing in this store", f"costscan ingest LOGS --store {store}")


__all__ = ["of_manifest", "of_time", "read"]
