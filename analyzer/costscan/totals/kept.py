"""Sums that were worked out, kept for the same question about the same logs.

They hold what `costscan usage` prints: numbers, names of models, projects and sessions. Whatever is found
that cannot be used, is as if it were not there.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
import xxhash

from costscan import __version__, cache_folder
from costscan.ingest.kept_readings import FOLDER, digest_of
from costscan.totals import Row, Totals

_DIGEST_BYTES: Final = 16
_FOLDERS: Final = (".", "billing", "prices", "recorded_cost", "schema", "totals")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Totals).decode


@dataclass(frozen=True)
class Place:
    """Where the answer to a question is kept, and the state of logs and code in which it is the answer."""

    path: Path
    state: bytes


def place(logs: bytes, question: object) -> Place:
    """Return where the answer to a question about logs is kept: one for each, that of the last state.

    Args:
        logs: their state (see `ingest.found`).
        question: all that decides the sums beside the logs and the code; its `repr` counts.
    """
    name = xxhash.xxh3_128_hexdigest(f"sums {question!r}".encode("utf-8", "surrogateescape"))
    state = repr((logs, __version__, version("genai-prices"), _code()))
    path = cache_folder.folder() / FOLDER / name[:2] / name
    return Place(path, xxhash.xxh3_128_digest(state.encode()))


def take(place: Place, now: datetime) -> Totals | None:
    """Return the sums that are kept at a place, as of now; None where there are none of this state."""
    with suppress(Exception):  # a cache that cannot be used must not be worse than none
        content = place.path.read_bytes()
        kept = content[_DIGEST_BYTES:]
        if content[:_DIGEST_BYTES] == _digest(place, kept):
            place.path.touch()
            found = _decode(kept)
            rows, models = list(map(_exact, found.rows)), list(map(_exact, found.models))
            return replace(found, generated_at=now, total=_exact(found.total), rows=rows, models=models)
    return None


def keep(place: Place, totals: Totals) -> None:
    """Keep sums at a place, if that can be."""
    with suppress(Exception):
        content = _encode(totals)
        cache_folder.write(place.path, _digest(place, content) + content)


def _digest(place: Place, content: bytes) -> bytes:
    return xxhash.xxh3_128_digest(place.state + content)


def _exact(row: Row) -> Row:
    return {**row, "usd": None if row["usd"] is None else Decimal(row["usd"])}


@cache
def _code() -> str:
    """Return a digest of all that decides what reading gives a bill, and a bill sums."""
    return digest_of(*(f"{folder}/{ending}" for folder in _FOLDERS for ending in ("*.py", "*.toml")))
