"""Manifests: which files of logs, and which parts, a store is made of. The newest one is the store.

A commit creates the next number. Who finds that number taken looks again at what is there, and tries the
next; so nothing that two do at once is lost, and nothing counts twice.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final
from uuid import uuid4

import polars as pl

from costscan import __version__
from costscan.errors import CostscanError
from costscan.schema.frames import TIME
from costscan.store.layout import ENDING, MANIFESTS, SCHEMA_VERSION
from costscan.store.parts import PARTS, GoneError, as_parquet, checked, digest
from costscan.store.places import Place

KEPT: Final = 5
"""So many manifests are kept, for whoever reads by one that is no more the newest."""
_REMEMBERED: Final = 100
_DIGITS: Final = 10
_TRIES: Final = 5
_END: Final = ".json"
FILES: Final[Mapping[str, Any]] = {
    "file": pl.Int64,
    "path": pl.String,
    "identity": pl.String,
    "signature": pl.String,
    "seen_at": TIME,
    "bytes": pl.Int64,
    "formats": pl.List(pl.String),
    "unusable": pl.String,
    "day": pl.Date,
    "project": pl.String,
    "component": pl.Int64,
    "first_at": TIME,
    "last_at": TIME,
    "lines": pl.Int64,
    "bytes_read": pl.Int64,
    "skipped_lines": pl.Int64,
    "repaired_lines": pl.Int64,
    "rows": pl.List(pl.Int64),
    "first_reads": pl.List(pl.Int64),
    "duplicates": pl.Int64,
    "is_pruned": pl.Boolean,
}
"""What a manifest says of each file of logs.

`file` numbers this version of it; `identity` is its path without links, `signature` tells whether it is as it
was; `day` and `project` say where its rows are, `rows` how many each table has. Files of one
`component` tell of the same runs or calls, `duplicates` are calls that another file keeps, and `first_reads`
large first reads from the cache, which other runs may have begun with, too. One that `is_pruned` has no rows
any more, and is known so that it is not read again.
"""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A state of a store.

    Attributes:
        number: which one it is.
        files: those of logs.
        parts: those of the store.
        unread: what could not be read, and why.
        prices: what the table `turns` was billed by.
        history: the ids of the manifests before it, its own last.
    """

    number: int = 0
    files: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(FILES)))
    parts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(PARTS)))
    unread: Mapping[str, str] = field(default_factory=dict)
    prices: str = ""
    history: tuple[str, ...] = ()

    @property
    def live(self) -> pl.DataFrame:
        """The files that have not been pruned."""
        return self.files.filter(~pl.col("is_pruned"))


def newest(place: Place) -> Manifest:
    """Return the newest manifest of a store; an empty one of number 0 where there is none.

    Raises:
        CostscanError: it cannot be read, or a newer costscan wrote it.
    """
    for _ in range(_TRIES):
        numbers = _numbers(place)
        if not numbers:
            return Manifest()
        try:
            return _read(place, max(numbers))
        except GoneError:
            continue  # others went on, and removed it meanwhile
    return _read(place, max(_numbers(place)))


def earlier(place: Place, number: int) -> list[Manifest]:
    """Return the manifests before one that are kept and can be read."""
    out = []
    for one in sorted(n for n in _numbers(place) if n < number):
        with suppress(CostscanError):
            out.append(_read(place, one))
    return out


def _read(place: Place, number: int) -> Manifest:
    name = _name(number)
    try:
        told = json.loads(place.read(name))
        version = told["schema_version"]
        if version > SCHEMA_VERSION:
            raise CostscanError(
                f"{place.shown}: a store of schema version {version}, by costscan {told['costscan']}",
                "update costscan",
            )
        lists = {
            kind: pl.read_parquet(BytesIO(checked(place, told[kind]["name"], told[kind]["digest"])))
            for kind in ("files", "parts")
        }
        history = tuple(told["history"])
        return Manifest(number=number, unread=told["unread"], prices=told["prices"], history=history, **lists)
    except FileNotFoundError:
        raise GoneError(f"{place.address(name)}: not there", "try again") from None
    except (ValueError, KeyError, TypeError) as error:
        raise CostscanError(
            f"{place.address(name)}: damaged: this is no manifest of a store",
            "restore that file from a backup, or ingest the logs into a new store",
        ) from error


def committed(place: Place, manifest: Manifest) -> bool:
    """Make a manifest the newest one; say whether that was done, and not that number taken by another.

    Raises:
        OSError: it cannot be written.
    """
    own = uuid4().hex[:12]
    stem = f"{_stem(manifest.number)}-{own}"
    told: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "costscan": __version__,
        "number": manifest.number,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "unread": dict(manifest.unread),
        "prices": manifest.prices,
        "history": [*manifest.history, own][-_REMEMBERED:],
    }
    names = []
    try:
        for kind, frame in (("files", manifest.files), ("parts", manifest.parts)):
            content = as_parquet(frame, f"{MANIFESTS}/{kind}")
            names.append(f"{stem}-{kind}{ENDING}")
            place.write(names[-1], content)
            told[kind] = {"name": names[-1], "rows": frame.height, "digest": digest(content)}
        place.settle()
        text = json.dumps(told, indent=1, ensure_ascii=True)
        is_done = place.create(_name(manifest.number), text.encode()) and _is_of(place, manifest.number, own)
    except BaseException:
        place.remove(names)
        raise
    if not is_done:
        place.remove(names)
    return is_done


def _is_of(place: Place, number: int, own: str) -> bool:
    """Whether a manifest that was just made is part of the store.

    It is not where its number was taken long ago and is free again, as old manifests are removed.
    """
    if number >= max(_numbers(place)) or own in newest(place).history:
        return True
    place.remove([_name(number)])
    return False


def forget_old(place: Place, number: int) -> None:
    """Remove manifests that are long superseded, with their lists."""
    old = [entry.name for entry in place.entries(MANIFESTS) if 0 < _number(entry.name) <= number - KEPT]
    # A list without its manifest is of no use, a manifest without its lists misleads.
    place.remove(sorted(old, key=lambda name: not name.endswith(_END)))


def _numbers(place: Place) -> list[int]:
    return [_number(entry.name) for entry in place.entries(MANIFESTS) if entry.name.endswith(_END)]


def _number(name: str) -> int:
    digits = name.removeprefix(f"{MANIFESTS}/")[:_DIGITS]
    return int(digits) if digits.isdecimal() else 0


def _stem(number: int) -> str:
    return f"{MANIFESTS}/{number:0{_DIGITS}}"


def _name(number: int) -> str:
    return _stem(number) + _END


__all__ = ["FILES", "Manifest", "committed", "earlier", "forget_old", "newest"]
