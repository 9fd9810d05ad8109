"""What becomes of a store: with new files, without old ones, and the turns that either bears on."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final
from uuid import uuid4

import polars as pl

from costscan.billing import Pricing
from costscan.reading.io.rows import TABLES
from costscan.store import ids, turns
from costscan.store.fresh import Fresh
from costscan.store.layout import TURNS
from costscan.store.manifest import Manifest
from costscan.store.parts import Parts, groups_of, read
from costscan.store.places import Place

PARTITION: Final = ("day", "project")


@dataclass
class Change:
    """Writes the parts of a change; names of groups begin with the moment, and no two are the same."""

    place: Place
    parts: Parts
    pricing: Pricing

    def __post_init__(self) -> None:
        stem = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"
        self.groups = (f"{stem}-{number}" for number in count())

    def added(self, manifest: Manifest, new: Fresh, unread: Mapping[str, str]) -> Manifest | None:
        """Return a store with what is new of files that were read; None where that is nothing.

        Raises:
            CostscanError: a part is damaged.
            GoneError: a part is not there.
            OSError: that cannot be written.
        """
        prices = turns.prices_of(self.pricing)
        own = _still_new(manifest, new.files)
        if not own.height and dict(unread) == dict(manifest.unread) and prices == manifest.prices:
            return None
        earlier = manifest.files.join(own, on="identity", how="semi")
        gone = self.without(manifest, earlier["file"].to_list())
        links = self._write(new, own)
        roots = ids.components(self.place, manifest, links, _earlier_components(own, earlier))
        left = replace(manifest, files=manifest.files.join(earlier, on="file", how="anti"))
        if links.height:
            gone += ids.write(self.place, left, links, self.parts, next(self.groups))
        after = replace(
            manifest,
            number=manifest.number + 1,
            files=_joined(pl.concat([left.files, own]), roots),
            parts=self.live(manifest, gone),
            unread=unread,
            prices=prices,
        )
        all_anew = prices != manifest.prices
        touched = after.live["file"] if all_anew else related(after, own["file"].to_list())
        return self.billed(after, touched.to_list(), also=earlier["file"].to_list())

    def without(self, manifest: Manifest, files: Collection[int]) -> list[str]:
        """Write parts that have rows of some files anew, without these; turns are left to `billed`.

        Returns:
            The names of the parts that are superseded.
        """
        parts = groups_of(manifest.parts.filter(pl.col("table").is_in(list(TABLES))), files)
        groups: dict[str, str] = {}
        left = _with_others(parts, files)
        for part in left.iter_rows(named=True):
            rows = read(self.place, part).filter(~pl.col("file").is_in(list(files)))
            group = groups.get(part["group"]) or groups.setdefault(part["group"], next(self.groups))
            self.parts.write(part["table"], part["day"], part["project"], group, rows)
        return parts["name"].to_list()

    def _write(self, new: Fresh, own: pl.DataFrame) -> pl.DataFrame:
        """Write the rows of files, partition by partition; return their ids."""
        links = [pl.DataFrame(schema=ids.IDS_SCHEMA)]
        place_of = own.select("file", *PARTITION)
        for rows in new.chunks(own["file"].to_list()):
            groups: dict[Any, str] = {}
            for table, frame in rows.items():
                for key, some in _by_partition(frame, place_of):
                    group = groups.get(key) or groups.setdefault(key, next(self.groups))
                    self.parts.write(table, *key, group, some)
            links.append(ids.ids_of(rows))
        return pl.concat(links)

    def live(self, manifest: Manifest, gone: Iterable[str]) -> pl.DataFrame:
        """Return the parts that there are: those that were written for those that are gone."""
        left = manifest.parts.filter(~pl.col("name").is_in(list(gone)))
        return pl.concat([left, self.parts.frame()])

    def billed(self, manifest: Manifest, files: Collection[int], *, also: Collection[int]) -> Manifest:
        """Return a store with the turns of some files billed anew, and none of files that are there no more.

        Raises:
            CostscanError: a part is damaged.
            OSError: that cannot be written.
        """
        before = len(self.parts.written)
        old = groups_of(manifest.parts.filter(pl.col("table") == TURNS), {*files, *also})
        left = _with_others(old, {*files, *also})
        rows = [self._turns_of_others(part, {*files, *also}) for part in left.iter_rows(named=True)]
        duplicates: dict[int, int] = {}
        if files:
            bill = turns.bill(self.place, manifest, list(files), self.pricing)
            rows.append(bill.turns)
            duplicates = bill.duplicates
        if rows:
            self._write_turns(pl.concat(rows))
        sound = manifest.parts.join(old, on="name", how="anti")
        own = self.parts.frame()[before:]
        again = pl.col("file").replace_strict(duplicates, default=0, return_dtype=pl.Int64)
        is_billed = pl.col("file").is_in(list(files))
        counted = pl.when(is_billed).then(again).otherwise("duplicates").alias("duplicates")
        return replace(manifest, parts=pl.concat([sound, own]), files=manifest.files.with_columns(counted))

    def _turns_of_others(self, part: Mapping[str, Any], files: Collection[int]) -> pl.DataFrame:
        rows = read(self.place, part).filter(~pl.col("file").is_in(list(files)))
        return rows.with_columns(day=pl.lit(part["day"], pl.Date), project=pl.lit(part["project"], pl.String))

    def _write_turns(self, rows: pl.DataFrame) -> None:
        group = next(self.groups)
        parts = rows.partition_by(PARTITION, as_dict=True, include_key=False, maintain_order=True)
        for key, some in parts.items():
            self.parts.write(TURNS, key[0], key[1], group, some)


def related(manifest: Manifest, files: Collection[int]) -> pl.Series:
    """Return the files that tell of the same runs or calls as some files, these among them."""
    own = manifest.files.filter(pl.col("file").is_in(list(files)))["component"]
    return manifest.live.filter(pl.col("component").is_in(own.implode()))["file"]


def _with_others(parts: pl.DataFrame, files: Collection[int]) -> pl.DataFrame:
    """Return the parts that have rows of other files than these, too."""
    own = pl.Series("files", list(files), pl.Int64)
    return parts.filter(pl.col("files").list.set_difference(own.implode()).list.len() > 0)


def _still_new(manifest: Manifest, files: pl.DataFrame) -> pl.DataFrame:
    """Return the files that the store does not have, or has as they were before."""
    there = manifest.files.select("identity", known_file="file", known_at="seen_at")
    joined = files.join(there, on="identity", how="left", maintain_order="left")
    is_later = (pl.col("known_file") != pl.col("file")) & (pl.col("known_at") < pl.col("seen_at"))
    return joined.filter(pl.col("known_file").is_null() | is_later).select(files.columns)


def _earlier_components(own: pl.DataFrame, earlier: pl.DataFrame) -> dict[int, int]:
    pairs = own.select("file", "identity").join(earlier.select("identity", "component"), on="identity")
    return dict(pairs.select("file", "component").iter_rows())


def _joined(files: pl.DataFrame, roots: Mapping[int, int]) -> pl.DataFrame:
    """Return the files with the component that each belongs to now."""
    if not roots:
        return files
    old, new = list(roots), list(roots.values())
    return files.with_columns(pl.col("component").replace(old, new))


def _by_partition(rows: pl.DataFrame, places: pl.DataFrame) -> Iterable[tuple[tuple[Any, Any], pl.DataFrame]]:
    """Return rows by day and project of their files."""
    if not rows.height:
        return []
    placed = rows.join(places, on="file", how="left", maintain_order="left")
    parts = placed.partition_by(PARTITION, as_dict=True, include_key=False, maintain_order=True)
    return [((key[0], key[1]), some) for key, some in parts.items()]


__all__ = ["PARTITION", "Change", "related"]
