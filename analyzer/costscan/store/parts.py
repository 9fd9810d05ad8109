"""The files of a store that hold rows: written once, never changed, and known by what is in them."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any, Final

import polars as pl
import xxhash

from costscan import __version__
from costscan.errors import CostscanError
from costscan.reading.io.rows import TABLES
from costscan.schema.frames import USD
from costscan.store.layout import SCHEMA_VERSION, TURNS, name_of, stored_schema
from costscan.store.places import Place

PARTS: Final[Mapping[str, Any]] = {
    "name": pl.String,
    "table": pl.String,
    "day": pl.Date,
    "project": pl.String,
    "group": pl.String,
    "rows": pl.Int64,
    "bytes": pl.Int64,
    "usd": USD,
    "digest": pl.String,
    "files": pl.List(pl.Int64),
}
"""What a manifest says of each: `files` are those that its rows are of; `usd` is what turns cost."""
_MANY_ROWS: Final = 10_000
"""Of fewer rows, what a file says of its columns takes more room than it saves to know."""
_METADATA: Final = {
    "costscan.schema_version": str(SCHEMA_VERSION),
    "costscan.version": __version__,
}


class GoneError(CostscanError):
    """A file that a manifest names is there no more: a newer manifest may name others."""


@dataclass
class Parts:
    """Writes parts at a place, and knows which it wrote."""

    place: Place
    written: list[dict[str, Any]] = field(default_factory=list)

    def write(
        self, table: str, day: date | None, project: str | None, group: str, rows: pl.DataFrame
    ) -> None:
        """Write rows of a table as one part; nothing where there are none.

        Args:
            table: its name.
            day: the day of the partition, None where it is unknown.
            project: its project, None where it is unknown.
            group: what tells the part from others of the partition.
            rows: with `file`, the number of the file that each is of.

        Raises:
            OSError: that cannot be written.
        """
        if not rows.height:
            return
        content = as_parquet(rows, table)
        name = name_of(table, day, project, group)
        part = {
            "name": name,
            "table": table,
            "day": day,
            "project": project,
            "group": group,
            "rows": rows.height,
            "bytes": len(content),
            "usd": rows["usd"].sum() if table == TURNS else None,
            "digest": digest(content),
            "files": rows["file"].unique().sort().to_list(),
        }
        self.written.append(part)
        self.place.write(name, content)

    def frame(self) -> pl.DataFrame:
        """Return what a manifest says of the parts that were written."""
        return pl.DataFrame(self.written, schema=dict(PARTS))

    def remove(self) -> None:
        """Remove them all: nothing came of it."""
        self.place.remove([part["name"] for part in self.written])
        self.written.clear()


def as_parquet(rows: pl.DataFrame, table: str) -> bytes:
    """Return rows as a Parquet file that says which table and schema version it is of."""
    out = BytesIO()
    rows.write_parquet(
        out,
        compression="zstd",
        statistics=rows.height >= _MANY_ROWS,
        metadata={**_METADATA, "costscan.table": table},
    )
    return out.getvalue()


def digest(content: bytes) -> str:
    """Return what tells whether a file is as it was written."""
    return xxhash.xxh3_128_hexdigest(content)


def read(place: Place, part: Mapping[str, Any]) -> pl.DataFrame:
    """Return the rows of a part; a column that an older costscan did not write is unknown.

    Raises:
        GoneError: it is not there.
        CostscanError: it is not what was written.
    """
    content = BytesIO(checked(place, part["name"], part["digest"]))
    rows = pl.read_parquet(content, hive_partitioning=False)
    schema = stored_schema(part["table"]) if part["table"] in TABLES else {}
    lacking = [pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in rows.columns]
    return rows.with_columns(lacking).select(*schema) if lacking else rows


def read_all(place: Place, parts: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the rows of some parts.

    Raises:
        GoneError: one is not there.
        CostscanError: one is not what was written.
    """
    rows = list(parts.iter_rows(named=True))
    if place.at_once == 1 or len(rows) < 2:  # noqa: PLR2004 - one alone has nothing to wait for
        return [read(place, part) for part in rows]
    place.settle()
    with ThreadPoolExecutor(place.at_once) as threads:
        return list(threads.map(lambda part: read(place, part), rows))


def checked(place: Place, name: str, expected: str) -> bytes:
    """Return what is in a file of the store.

    Raises:
        GoneError: it is not there.
        CostscanError: it is not what was written.
    """
    try:
        content = place.read(name)
    except FileNotFoundError:
        raise GoneError(
            f"{place.address(name)}: not there, though the store names it", _mend(place)
        ) from None
    except OSError as error:
        raise CostscanError(f"{place.address(name)}: {error.strerror or error}", _mend(place)) from error
    if digest(content) != expected:
        raise CostscanError(
            f"{place.address(name)}: damaged: these are not the {len(content):,} bytes that were written",
            _mend(place),
        )
    return content


def _mend(place: Place) -> str:
    return f"costscan store check {place.shown} --repair, then ingest the logs again"


def groups_of(parts: pl.DataFrame, files: Iterable[int]) -> pl.DataFrame:
    """Return the parts that have rows of some files."""
    wanted = pl.Series("files", list(files), pl.Int64)
    return parts.filter(pl.col("files").list.set_intersection(wanted.implode()).list.len() > 0)


__all__ = ["PARTS", "GoneError", "Parts", "as_parquet", "checked", "digest", "groups_of", "read", "read_all"]
