"""The upkeep of a store: small parts merged, old files dropped, damage found and mended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import polars as pl

from costscan.billing import Pricing
from costscan.errors import CostscanError
from costscan.reading.io.rows import TABLES
from costscan.store import garbage, ids
from costscan.store.change import Change, related
from costscan.store.committing import commit
from costscan.store.layout import IDS, TURNS
from costscan.store.manifest import Manifest, newest
from costscan.store.parts import Parts, checked, groups_of, read
from costscan.store.places import Place

TARGET_BYTES: Final = 64 << 20
"""Parts are merged up to about this size."""


@dataclass(frozen=True)
class Compacted:
    """How many parts there were and are, their bytes, and how many files that were garbage were removed."""

    before: int
    after: int
    bytes: int
    garbage: int


def compact(place: Place, *, target_bytes: int = TARGET_BYTES) -> Compacted:
    """Merge small parts of a table and partition, and remove old garbage.

    Raises:
        CostscanError: the store is damaged.
        OSError: it cannot be written.
    """
    base = newest(place)
    after = commit(place, base, lambda parts, manifest: _merged(place, parts, manifest, target_bytes))
    return Compacted(
        base.parts.height, after.parts.height, int(after.parts["bytes"].sum()), garbage.collect(place, after)
    )


def _merged(place: Place, parts: Parts, manifest: Manifest, target_bytes: int) -> Manifest | None:
    change = Change(place, parts, Pricing())
    gone: list[str] = []
    for some in _small(manifest.parts, target_bytes):
        rows = pl.concat([read(place, part) for part in some], how="diagonal")
        parts.write(some[0]["table"], some[0]["day"], some[0]["project"], next(change.groups), rows)
        gone += [part["name"] for part in some]
    if not gone:
        return None
    return replace(manifest, number=manifest.number + 1, parts=change.live(manifest, gone))


def _small(parts: pl.DataFrame, target_bytes: int) -> Iterator[list[dict[str, Any]]]:
    """Yield parts that may be one: of one table and partition, and together of no more than the target."""
    ordered = parts.sort("table", "day", "project", "bytes", "name").iter_rows(named=True)
    for _, own in groupby(ordered, key=lambda part: (part["table"], part["day"], part["project"])):
        some: list[dict[str, Any]] = []
        room = target_bytes
        for part in own:
            if part["bytes"] > room:
                break  # those that follow are no smaller
            some.append(part)
            room -= part["bytes"]
        if len(some) > 1:
            yield some


def to_prune(manifest: Manifest, before: datetime) -> pl.DataFrame:
    """Return the files all of whose calls were before some moment."""
    return manifest.live.filter(pl.col("last_at") < before)


def prune(place: Place, before: datetime, pricing: Pricing) -> int:
    """Drop the rows of files all of whose calls were before some moment; return how many files that are.

    The files stay known: they are not read again for being found again.

    Raises:
        CostscanError: the store is damaged.
        OSError: it cannot be written.
    """
    base = newest(place)
    after = commit(place, base, lambda parts, manifest: _pruned(place, parts, manifest, before, pricing))
    return base.live.height - after.live.height


def _pruned(
    place: Place, parts: Parts, manifest: Manifest, before: datetime, pricing: Pricing
) -> Manifest | None:
    old = to_prune(manifest, before)["file"].to_list()
    return _dropped(Change(place, parts, pricing), manifest, old) if old else None


def _dropped(change: Change, manifest: Manifest, files: Sequence[int]) -> Manifest:
    """Return a store without the rows of some files, which it knows all the same."""
    touched = related(manifest, files)
    gone = change.without(manifest, files)
    is_old = pl.col("file").is_in(list(files))
    after = replace(
        manifest,
        number=manifest.number + 1,
        files=manifest.files.with_columns(is_pruned=pl.col("is_pruned") | is_old),
        parts=change.live(manifest, gone),
    )
    left = touched.filter(~touched.is_in(list(files)))
    return change.billed(after, left.to_list(), also=files)


@dataclass(frozen=True)
class Damage:
    """Parts that are damaged or missing, with what is wrong, and the logs whose rows were in them."""

    parts: dict[str, str]
    logs: tuple[str, ...]


def damage(place: Place, manifest: Manifest) -> Damage:
    """Read every part of a store, and say which are not what was written."""
    bad: dict[str, str] = {}
    for name, digest in manifest.parts.select("name", "digest").iter_rows():
        try:
            checked(place, name, digest)
        except CostscanError as error:
            bad[name] = error.what
    return Damage(bad, tuple(_logs_in(manifest, bad)["path"]))


def _logs_in(manifest: Manifest, bad: dict[str, str]) -> pl.DataFrame:
    lost = manifest.parts.filter(pl.col("name").is_in(list(bad)), pl.col("table").is_in(list(TABLES)))
    return manifest.files.filter(pl.col("file").is_in(lost["files"].explode().drop_nulls().implode()))


def repair(place: Place, pricing: Pricing) -> Damage:
    """Have a store without what is damaged: files whose rows are lost are unknown to it, and read again.

    Returns:
        What was damaged.

    Raises:
        CostscanError: the manifest itself is damaged.
        OSError: the store cannot be written.
    """
    base = newest(place)
    found = damage(place, base)
    if found.parts:
        commit(place, base, lambda parts, manifest: _repaired(place, parts, manifest, pricing))
    return found


def _repaired(place: Place, parts: Parts, manifest: Manifest, pricing: Pricing) -> Manifest | None:
    bad = damage(place, manifest).parts
    if not bad:
        return None
    lost = _logs_in(manifest, bad)["file"].to_list()
    is_bad = pl.col("name").is_in(list(bad))
    unbilled = manifest.parts.filter(is_bad, pl.col("table") == TURNS)["files"].explode().drop_nulls()
    touched = related(manifest, [*lost, *unbilled.to_list()])
    sound = replace(manifest, parts=manifest.parts.filter(~is_bad))
    change = Change(place, parts, pricing)
    gone = change.without(sound, lost)
    after = replace(
        sound,
        number=manifest.number + 1,
        files=manifest.files.filter(~pl.col("file").is_in(lost)),
        parts=change.live(sound, gone),
    )
    unlinked = manifest.parts.filter(is_bad, pl.col("table") == IDS)["files"].explode().drop_nulls()
    if unlinked.len():
        after = _linked(change, after, unlinked.to_list())
    left = touched.filter(~touched.is_in(lost))
    return change.billed(after, left.to_list(), also=lost)


def _linked(change: Change, manifest: Manifest, files: Sequence[int]) -> Manifest:
    """Return a store with the ids of some files, which were lost, told by their rows."""
    before = len(change.parts.written)
    rows = {}
    for table in ids.TABLES_WITH_IDS:
        own = groups_of(manifest.parts.filter(pl.col("table") == table), files)
        frames = [read(change.place, part) for part in own.iter_rows(named=True)]
        rows[table] = pl.concat([ids.none_of(table), *frames]).filter(pl.col("file").is_in(list(files)))
    change.parts.write(IDS, None, None, next(change.groups), ids.ids_of(rows).sort("id"))
    return replace(manifest, parts=pl.concat([manifest.parts, change.parts.frame()[before:]]))


__all__ = ["Compacted", "Damage", "compact", "damage", "prune", "repair", "to_prune"]
