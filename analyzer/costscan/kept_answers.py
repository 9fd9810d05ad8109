"""Answers that were worked out, kept for the same question about the same logs.

Whatever is found that cannot be used, is as if it were not there.
"""

from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import xxhash

from costscan import __version__, cache_folder
from costscan.ingest.kept_readings import FOLDER

_DIGEST_BYTES: Final = 16


@dataclass(frozen=True)
class Place:
    """Where the answer to a question is kept, and the state of logs and code in which it is the answer."""

    path: Path
    state: bytes


def place(logs: bytes, question: object, code: str) -> Place:
    """Return where the answer to a question about logs is kept: one for each, that of the last state.

    Args:
        logs: their state (see `ingest.found`).
        question: what is asked, with all that decides the answer beside logs and code; its `repr` counts.
        code: what is another as soon as the code is that works it out.
    """
    name = xxhash.xxh3_128_hexdigest(repr(question).encode("utf-8", "surrogateescape"))
    state = repr((logs, __version__, version("genai-prices"), code))
    path = cache_folder.folder() / FOLDER / name[:2] / name
    return Place(path, xxhash.xxh3_128_digest(state.encode()))


def take(at: Place) -> bytes | None:
    """Return what is kept at a place; None where there is nothing of this state."""
    with suppress(Exception):  # a cache that cannot be used must not be worse than none
        content = at.path.read_bytes()
        kept = content[_DIGEST_BYTES:]
        if content[:_DIGEST_BYTES] == _digest(at, kept):
            at.path.touch()
            return kept
    return None


def keep(at: Place, content: bytes) -> None:
    """Keep an answer at a place, if that can be."""
    with suppress(Exception):
        cache_folder.write(at.path, _digest(at, content) + content)


def _digest(at: Place, content: bytes) -> bytes:
    return xxhash.xxh3_128_digest(at.state + content)


__all__ = ["Place", "keep", "place", "take"]
