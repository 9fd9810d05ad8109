"""What a store holds, and where: tables in folders by day and project, as Parquet.

    STORE/calls/day=2026-11-01/project=%2Fhome%2Fme%2Fapp/GROUP.parquet
    STORE/_manifest/0000000007.json

A group is what one ingest wrote of one day and project, a file for each table that has rows of it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final
from urllib.parse import quote

import polars as pl
import xxhash

from costscan.reading.io.rows import TABLES
from costscan.remote.addresses import SIGN_OF_STORE
from costscan.schema.frames import TIME

SCHEMA_VERSION: Final = 1
TURNS: Final = "turns"
IDS: Final = "_ids"
MANIFESTS: Final = SIGN_OF_STORE
PENDING: Final = "_pending"
TABLES_OF_STORE: Final = (*TABLES, TURNS, IDS)
"""The folders that parts are in."""
ENDING: Final = ".parquet"
UNKNOWN: Final = "__HIVE_DEFAULT_PARTITION__"
"""The day or project that is not known: DuckDB, Polars, Spark and BigQuery take it for null."""
OWN_NAMES: Final[Mapping[str, str]] = {"project": "folder"}
"""Columns whose names are those of partitions are called otherwise in the files."""
_LONGEST: Final = 200
"""Names of folders have at most 255 bytes."""
_TYPES: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "int": pl.Int64,
    "float": pl.Float64,
    "str": pl.String,
    "bool": pl.Boolean,
    "time": TIME,
}


def stored_schema(table: str) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Return the columns of a table of readings as the files of the store have them."""
    own = {OWN_NAMES.get(name, name): _TYPES[kind] for name, kind in TABLES[table].items()}
    return {"file": pl.Int64, **own}


def name_of(table: str, day: date | None, project: str | None, group: str) -> str:
    """Return the name of the file of a table; what finds files by ids has no partitions.

    >>> name_of("calls", date(2026, 11, 1), "/home/me/my app", "g")
    'calls/day=2026-11-01/project=%2Fhome%2Fme%2Fmy%20app/g.parquet'
    >>> name_of("calls", None, None, "g")
    'calls/day=__HIVE_DEFAULT_PARTITION__/project=__HIVE_DEFAULT_PARTITION__/g.parquet'
    """
    if table == IDS:
        return f"{table}/{group}{ENDING}"
    return f"{table}/day={day or UNKNOWN}/project={encoded(project)}/{group}{ENDING}"


def encoded(project: str | None) -> str:
    """Return a project as the name of its folder; a long one is cut, and a hash tells it from others.

    >>> encoded("..") , encoded(""), len(encoded("/x" * 500))
    ('..', '__HIVE_DEFAULT_PARTITION__', 217)
    """
    if not project:
        return UNKNOWN
    whole = quote(project.encode("utf-8", "replace"), safe="")
    if len(whole) <= _LONGEST:
        return whole
    cut = whole[:_LONGEST]
    if "%" in cut[-2:]:
        cut = cut[: cut.rindex("%")]
    return f"{cut}~{xxhash.xxh3_64_hexdigest(whole.encode())}"


__all__ = [
    "ENDING",
    "IDS",
    "MANIFESTS",
    "OWN_NAMES",
    "PENDING",
    "SCHEMA_VERSION",
    "TABLES_OF_STORE",
    "TURNS",
    "UNKNOWN",
    "encoded",
    "name_of",
    "stored_schema",
]
