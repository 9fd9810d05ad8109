"""Where costscan keeps what it may make again: the user's cache folder, and how it is bounded.

`COSTSCAN_CACHE_DIR` names another folder, `COSTSCAN_CACHE=off` keeps nothing. The cache is never needed:
whatever goes wrong with it, the work is done again.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

OFF: Final = "COSTSCAN_CACHE"
DIR: Final = "COSTSCAN_CACHE_DIR"
MOST_BYTES: Final = 2 << 30
"""What is kept takes so much at most: the longest unused goes first."""


_PATTERNS: Final = ("*.arrow*", "reading/??/*")
_OWN: Final = re.compile(r"^(prices-[0-9a-f]{16}\.arrow|reading/([0-9a-f]{2})/\2[0-9a-f]{30})(\.\d+\.tmp)?$")
"""How files of costscan are called."""


def is_off() -> bool:
    """Whether the user wants nothing kept."""
    return os.environ.get(OFF, "").lower() == "off"


def folder() -> Path:
    """Return the folder, which need not be there."""
    if chosen := os.environ.get(DIR):
        return Path(chosen)
    from platformdirs import user_cache_path  # noqa: PLC0415 - not where a folder is named

    return user_cache_path("costscan", appauthor=False)


def write(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it, so that whoever reads it sees all of it or nothing.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def entries(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the files of costscan below a folder, with sizes and times, and none that others put there."""
    for path in (path for pattern in _PATTERNS for path in root.glob(pattern)):
        if _OWN.search(path.relative_to(root).as_posix()):
            with suppress(OSError):  # another process may have removed it
                yield path, path.stat()


def prune(root: Path, most_bytes: int = MOST_BYTES) -> int:
    """Remove the longest unused files until the others fit; return the bytes that are left."""
    found = sorted(entries(root), key=lambda entry: entry[1].st_mtime_ns)
    total = sum(stat.st_size for _, stat in found)
    for path, stat in found:
        if total <= most_bytes:
            break
        with suppress(OSError):
            path.unlink()
        total -= stat.st_size
    return total


def clear(root: Path) -> int:
    """Remove what costscan keeps in a folder; return how many files that were."""
    removed = 0
    for path, _ in entries(root):
        with suppress(OSError):
            path.unlink()
            removed += 1
    return removed
