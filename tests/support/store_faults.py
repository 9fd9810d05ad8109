"""A place at which processes die and disks are full: at the nth thing that is done to it."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from costscan.store import places


class Killed(BaseException):
    """The process ended here, and cleans nothing up."""


class Steps:
    """Counts what is done to a place; from the step `at` on, nothing is any more."""

    def __init__(self, at: int | None, fault: Callable[[], BaseException], *, for_good: bool) -> None:
        self.at, self.fault, self.for_good, self.count = at, fault, for_good, 0

    def __call__(self, *, writes: bool = True) -> bool:
        """Count a step; say whether it fails."""
        number = self.count
        self.count += 1
        if self.at is None or number < self.at:
            return False
        return self.for_good or writes


@contextmanager
def faulty(steps: Steps) -> Iterator[None]:
    """Have steps fail: a write that does leaves half of what it writes."""
    write, link, rename, unlink = places._write, os.link, Path.rename, Path.unlink

    def half(path: Path, content: bytes) -> None:
        if steps():
            write(path, content[: len(content) // 2])
            raise steps.fault()
        write(path, content)

    def linked(source: Path, target: Path) -> None:
        if steps():
            raise steps.fault()
        link(source, target)
        if steps(writes=False):
            raise steps.fault()

    def renamed(self: Path, target: Path) -> Path:
        if steps():
            raise steps.fault()
        return rename(self, target)

    def unlinked(self: Path, missing_ok: bool = False) -> None:  # noqa: FBT002 - as pathlib has it
        if steps(writes=False):
            raise steps.fault()
        unlink(self, missing_ok=missing_ok)

    with (
        patch.object(places, "_write", half),
        patch.object(os, "link", linked),
        patch.object(Path, "rename", renamed),
        patch.object(Path, "unlink", unlinked),
    ):
        yield


def killed(at: int | None) -> Steps:
    """Return steps of which the nth is the last of a process."""
    return Steps(at, Killed, for_good=True)


def full(at: int | None) -> Steps:
    """Return steps from the nth of which on nothing more fits on the disk; removing works."""
    return Steps(at, lambda: OSError(errno.ENOSPC, "No space left on device", "a part"), for_good=False)


def files_below(store: Path) -> dict[str, bytes]:
    return {
        path.relative_to(store).as_posix(): path.read_bytes() for path in store.rglob("*") if path.is_file()
    }


def spread(total: int, most: int) -> Iterable[int]:
    """Return so many of the steps, at equal distances, the first and the last among them."""
    return (
        sorted({round(n * (total - 1) / (most - 1)) for n in range(most)}) if total > most else range(total)
    )
