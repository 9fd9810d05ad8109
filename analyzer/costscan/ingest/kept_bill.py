"""What a bill needs of all the files of some paths, kept in one file: what did not change is not read again.

It holds of each file what tells whether it is as it was (see `kept_readings`), and of all files the rows of
the tables of a bill: numbers, names and ids, and no text. Whatever is found that cannot be used, is as if it
were not there.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import xxhash

from costscan.cache_folder import write
from costscan.ingest.kept_readings import FOLDER

_DIGEST_BYTES = 16


class KeptFile(msgspec.Struct, array_like=True, gc=False):
    """A file: its key, what it is, and how much was read of it.

    Attributes:
        key: tells whether it is as it was.
        formats: those that its lines are of.
        unusable: why it cannot be used.
        counts: lines, bytes, skipped and repaired lines.
        sizes: the rows that it has in each table.
    """

    key: bytes
    formats: list[str]
    unusable: str | None
    counts: list[int]
    sizes: list[int]


class KeptBill(msgspec.Struct, array_like=True):
    """The files whose rows the tables hold, in their order, and the tables as Arrow files."""

    files: list[KeptFile]
    tables: dict[str, bytes]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(KeptBill).decode


def place(root: Path, source: str | None, paths: Sequence[str]) -> Path:
    """Return where the bill of what these paths mean is kept."""
    called: list[Any] = ["bill", source, *((path, os.path.realpath(path)) for path in paths)]
    name = xxhash.xxh3_128_hexdigest(repr(called).encode("utf-8", "surrogateescape"))
    return root / FOLDER / name[:2] / name


def take(path: Path) -> KeptBill:
    """Return what is kept at a place; nothing where that cannot be used."""
    with suppress(Exception):  # a cache that cannot be used must not be worse than none
        content = memoryview(path.read_bytes())
        if xxhash.xxh3_128_digest(content[_DIGEST_BYTES:]) == content[:_DIGEST_BYTES]:
            kept = _decode(content[_DIGEST_BYTES:])
            os.utime(path)
            return kept
    return KeptBill([], {})


def keep(path: Path, files: list[KeptFile], tables: Mapping[str, bytes]) -> bool:
    """Keep the tables of these files; say whether that was done."""
    with suppress(Exception):
        content = _encode(KeptBill(files, dict(tables)))
        write(path, xxhash.xxh3_128_digest(content) + content)
        return True
    return False


__all__ = ["KeptBill", "KeptFile", "keep", "place", "take"]
