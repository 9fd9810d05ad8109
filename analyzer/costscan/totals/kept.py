"""Sums that were worked out, kept for the same question about the same logs.

They hold what `costscan usage` prints: numbers, names of models, projects and sessions. Whatever is found
that cannot be used, is as if it were not there.
"""

from contextlib import suppress
from dataclasses import replace
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


def place(state: bytes, question: object) -> Path:
    """Return where the answer to a question about logs in some state is kept.

    Args:
        state: see `ingest.found`.
        question: all that decides the sums beside the logs and the code; its `repr` counts.
    """
    asked = repr((state, question, __version__, version("genai-prices"), _code()))
    name = xxhash.xxh3_128_hexdigest(asked.encode("utf-8", "surrogateescape"))
    return cache_folder.folder() / FOLDER / name[:2] / name


def take(path: Path, now: datetime) -> Totals | None:
    """Return the sums that are kept at a place, as of now; None where there are none."""
    with suppress(Exception):  # a cache that cannot be used must not be worse than none
        content = path.read_bytes()
        if xxhash.xxh3_128_digest(content[_DIGEST_BYTES:]) == content[:_DIGEST_BYTES]:
            kept = _decode(content[_DIGEST_BYTES:])
            path.touch()
            rows, models = list(map(_exact, kept.rows)), list(map(_exact, kept.models))
            return replace(kept, generated_at=now, total=_exact(kept.total), rows=rows, models=models)
    return None


def keep(path: Path, totals: Totals) -> None:
    """Keep sums at a place, if that can be."""
    with suppress(Exception):
        content = _encode(totals)
        cache_folder.write(path, xxhash.xxh3_128_digest(content) + content)


def _exact(row: Row) -> Row:
    return {**row, "usd": None if row["usd"] is None else Decimal(row["usd"])}


@cache
def _code() -> str:
    """Return a digest of all that decides what reading gives a bill, and a bill sums."""
    return digest_of(*(f"{folder}/{ending}" for folder in _FOLDERS for ending in ("*.py", "*.toml")))
