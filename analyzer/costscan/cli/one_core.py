"""One core for the analysis of a small log.

Polars hands each step over to a thread of its own. To wake that thread on another core takes longer than most
steps of a small log: on one core they take a quarter less time (docs/performance.md).
"""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from costscan.request import Watch

SMALL_BYTES: Final = 100_000_000
"""From so many bytes of logs on, a second core saves more than it costs."""
_THREADS: Final = Path("/proc/self/task")


@contextmanager
def where_small(watch: Watch) -> Iterator[Watch]:
    """Yield a watch that has this process stay on one core, once little was read, until the context ends."""
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set[int]()
    seen = 0

    def read(size: int) -> None:
        nonlocal seen
        seen += size
        watch.read(size)

    def adding_up() -> None:
        if seen < SMALL_BYTES and len(before) > 1:
            _stay_on(_this_core())
        watch.adding_up()

    try:
        yield Watch(read, adding_up)
    finally:
        if len(before) > 1:
            _stay_on(before)


def _this_core() -> Collection[int]:
    """Return the core that this thread runs on; none where that cannot be told."""
    with suppress(OSError, AttributeError):
        import ctypes  # noqa: PLC0415 - not where nothing is analyzed

        return [core] if (core := int(ctypes.CDLL(None).sched_getcpu())) >= 0 else []
    return []


def _stay_on(cores: Collection[int]) -> None:
    """Have all threads of this process run on some cores, if the system can do that."""
    # Whatever is not as expected, and threads that end meanwhile: it is only slower.
    with suppress(OSError, ValueError):
        for thread in _THREADS.iterdir() if cores else ():
            with suppress(OSError):
                os.sched_setaffinity(int(thread.name), cores)


__all__ = ["SMALL_BYTES", "where_small"]
