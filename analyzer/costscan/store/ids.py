"""Which files tell of the same runs or calls: found by hashes of their ids, in a table beside the others."""

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl
import xxhash

from costscan.store.layout import IDS, stored_schema
from costscan.store.manifest import Manifest
from costscan.store.parts import Parts, read_all
from costscan.store.places import Place

MOST_PARTS: Final = 8
"""Of more parts, the small ones become one."""
_LARGE_ROWS: Final = 4_000_000
IDS_SCHEMA: Final = {"file": pl.Int64, "id": pl.Int64}
_RUNS: Final = {"copies": ("run_id", "root_run_id", "parent_run_id"), "recorded": ("session",)}
_CALLS: Final = ("message_id", "request_id")
TABLES_WITH_IDS: Final = (*_RUNS, "calls", "agents")


def none_of(table: str) -> pl.DataFrame:
    """Return no rows of a table."""
    return pl.DataFrame(schema=stored_schema(table))


def ids_of(rows: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the hashes of the ids in the rows of some files: file, id."""
    frames = [
        rows[table].select("file", word=pl.lit("run ") + pl.col(column))
        for table, columns in _RUNS.items()
        for column in columns
    ]
    frames += [rows["calls"].select("file", word=pl.lit(f"{column} ") + pl.col(column)) for column in _CALLS]
    agents = rows["agents"]
    frames += [
        agents.select("file", word=pl.lit("run ") + pl.col("session")),
        agents.select("file", word="run " + pl.col("session") + "/agent-" + pl.col("agent_id")),
    ]
    words = pl.concat(frames).drop_nulls().unique(maintain_order=True)
    hashes = [xxhash.xxh3_64_intdigest(word.encode()) >> 1 for word in words["word"].to_list()]
    return words.select("file", id=pl.Series(hashes, dtype=pl.Int64))


def components(
    place: Place, manifest: Manifest, own: pl.DataFrame, before: Mapping[int, int]
) -> dict[int, int]:
    """Return the component that each component belongs to once some files are added.

    Args:
        place: where the store is.
        manifest: what it was.
        own: the ids of the new files.
        before: of new files that were there in an earlier version, its component.
    """
    wanted = own["id"].unique()
    known = manifest.live.select("file", "component")
    parts = read_all(place, manifest.parts.filter(pl.col("table") == IDS))
    hits = [part.filter(pl.col("id").is_in(wanted.implode())) for part in parts]
    old = pl.concat([pl.DataFrame(schema=IDS_SCHEMA), *hits]).join(known, on="file", how="inner")
    linked = pl.concat([old.select("id", "component"), own.select("id", component="file")]).unique()
    shared = linked.filter(pl.len().over("id") > 1).sort("id", "component")
    roots: dict[int, int] = {}
    find = _finder(roots)
    for new, earlier in before.items():
        roots[find(new)] = find(earlier)
    last = None
    for name, component in shared.iter_rows():
        if last is not None and last[0] == name:
            roots[find(component)] = find(last[1])
        last = name, component
    return {component: find(component) for component in list(roots)}


def _finder(roots: dict[int, int]) -> Callable[[int], int]:
    def find(one: int) -> int:
        way = []
        while (above := roots.get(one, one)) != one:
            way.append(one)
            one = above
        for passed in way:
            roots[passed] = one
        return one

    return find


def write(place: Place, manifest: Manifest, own: pl.DataFrame, parts: Parts, group: str) -> list[str]:
    """Write the ids of new files as a part; with small ones that are there, where they are many.

    Returns:
        The names of the parts that the new one stands for.

    Raises:
        OSError: that cannot be written.
    """
    there = manifest.parts.filter(pl.col("table") == IDS)
    merged = there.filter(pl.col("rows") < _LARGE_ROWS) if there.height >= MOST_PARTS else there.clear()
    earlier = read_all(place, merged)
    alive = manifest.live["file"].implode()
    rows = pl.concat([own, *(one.filter(pl.col("file").is_in(alive)) for one in earlier)])
    parts.write(IDS, None, None, group, rows.sort("id"))
    return merged["name"].to_list()


__all__ = ["IDS_SCHEMA", "TABLES_WITH_IDS", "components", "ids_of", "none_of", "write"]
