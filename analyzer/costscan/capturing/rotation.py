"""A log that is full is set aside under a name that is new, and compressed while the program goes on."""

import os
import threading
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_serial = count()


def set_aside(path: Path) -> None:
    """Rename a log that nobody writes to and have it compressed in the background.

    `runs.jsonl` becomes `runs.20261129T214413Z-PID-N.jsonl.zst`, without `.zst` where that is impossible.

    Raises:
        OSError: it cannot be renamed.
    """
    mark = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}-{next(_serial)}"
    aside = path.with_name(f"{path.stem}.{mark}{path.suffix}")
    path.rename(aside)
    with suppress(RuntimeError):  # no thread can be started while the program ends
        threading.Thread(target=compress, args=(aside,), name="costscan-compress").start()


def compress(path: Path) -> None:
    """Put a compressed file in place of one; it is under its own name only when it is whole."""
    import zstandard  # noqa: PLC0415 - programs that are never here need not wait for it

    whole = path.with_name(f"{path.name}.zst")
    unfinished = path.with_name(f"{whole.name}.tmp")
    try:
        with path.open("rb") as source, os.fdopen(os.open(unfinished, _NEW, 0o600), "wb") as target:
            zstandard.ZstdCompressor().copy_stream(source, target)
        unfinished.replace(whole)
        path.unlink()
    except OSError:
        with suppress(OSError):
            unfinished.unlink()
