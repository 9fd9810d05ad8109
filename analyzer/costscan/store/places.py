"""Where a store is: a folder of this machine, or a prefix of an object store; both know the same verbs."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from costscan.errors import CostscanError
from costscan.remote.addresses import SIGN_OF_STORE as MANIFESTS
from costscan.remote.addresses import is_remote, is_web, shown

_MAGIC: Final = frozenset("*?[{")
_FEW: Final = 64
"""So many files are brought to disk one by one; of more, the system is asked to do it at once."""
_TRIES: Final = 5
UNFINISHED: Final = ".unfinished"


class Entry(NamedTuple):
    """What is at a place: its name from there, its bytes and when it was written, in seconds since 1970."""

    name: str
    size: int
    written_s: float


class Place(Protocol):
    """What a store needs of the place it is at; names have `/` between folders."""

    @property
    def shown(self) -> str:
        """The place as it may be printed."""

    @property
    def at_once(self) -> int:
        """How many things it is asked for at once: more than one where asking is mostly waiting."""

    def entries(self, folder: str) -> list[Entry]:
        """Return what is in a folder and in all folders in it; nothing where there is no such folder."""

    def read(self, name: str) -> bytes:
        """Return what is there.

        Raises:
            FileNotFoundError: nothing is.
        """

    def write(self, name: str, content: bytes) -> None:
        """Write something new; who looks sees all of it or nothing. It is there by `settle` at the latest."""

    def create(self, name: str, content: bytes) -> bool:
        """Write something where nothing is; say whether that was so."""

    def settle(self) -> None:
        """See to it that what was written outlives a loss of power."""

    def remove(self, names: Iterable[str]) -> None:
        """Remove what is there, and no matter what is not."""

    def address(self, name: str) -> str:
        """Return what other programs open it by."""


@dataclass
class Folder:
    """A folder of this machine."""

    path: Path

    def __post_init__(self) -> None:
        self._unsettled: list[Path] = []

    @property
    def shown(self) -> str:
        """The folder as it was given."""
        return str(self.path)

    @property
    def at_once(self) -> int:
        """One after another: a disk has them soon."""
        return 1

    def entries(self, folder: str) -> list[Entry]:
        """Return the files in a folder."""
        out: list[Entry] = []
        todo = [str(self.path / folder)]
        while todo:
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(todo.pop()) as found:
                for one in found:
                    if one.is_dir(follow_symlinks=False):
                        todo.append(one.path)
                        continue
                    with suppress(FileNotFoundError):
                        stat = one.stat()
                        name = Path(one.path).relative_to(self.path).as_posix()
                        out.append(Entry(name, stat.st_size, stat.st_mtime))
        return out

    def read(self, name: str) -> bytes:
        """Return what is in a file."""
        return (self.path / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Write a file beside its place and rename it."""
        path = self.path / name
        unfinished = path.with_name(path.name + UNFINISHED)
        try:
            _write(unfinished, content)
            unfinished.rename(path)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
        self._unsettled.append(path)

    def create(self, name: str, content: bytes) -> bool:
        """Write a file beside its place and link it there, which fails where something is."""
        path = self.path / name
        unfinished = path.with_name(f"{path.name}.{os.getpid()}{UNFINISHED}")
        try:
            _write(unfinished, content)
            _settle([unfinished])
            _linked(unfinished, path, content)
        except FileExistsError:
            return False
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
        _settle([path.parent])
        return True

    def settle(self) -> None:
        """Have what was written brought to disk."""
        if len(self._unsettled) > _FEW and hasattr(os, "sync"):
            os.sync()
        else:
            _settle([*self._unsettled, *{path.parent for path in self._unsettled}])
        self._unsettled.clear()

    def remove(self, names: Iterable[str]) -> None:
        """Remove files, and the folders that are empty then."""
        folders: set[Path] = set()
        for name in names:
            path = self.path / name
            with suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()
            folders.add(path.parent)
        for folder in folders:
            for empty in (folder, *folder.parents):
                if empty == self.path or not empty.is_relative_to(self.path):
                    break
                try:
                    empty.rmdir()
                except OSError:
                    break

    def address(self, name: str) -> str:
        """Return the path of a file."""
        return str(self.path / name)


def _write(path: Path, content: bytes) -> None:
    for _ in range(_TRIES):
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # an empty folder may just be removed by another process
            path.write_bytes(content)
            return
    path.write_bytes(content)


def _linked(unfinished: Path, path: Path, content: bytes) -> None:
    """Have a file that was written be at a path, too.

    Raises:
        FileExistsError: something is there.
    """
    try:
        os.link(unfinished, path)
    except FileExistsError:
        raise
    except OSError:  # this file system has no links
        with path.open("xb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())


def _settle(paths: Sequence[Path]) -> None:
    for path in paths:
        if path.is_dir() and os.name != "posix":
            continue
        with suppress(FileNotFoundError):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def place(store: str) -> Place:
    """Return the place that a user names.

    Raises:
        CostscanError: it is in the web, where none can be, or what reaches an object store is not installed.
    """
    if is_web(store):
        raise CostscanError(
            f"{shown(store)}: no store can be at an address of the web", "name a folder, or s3://..."
        )
    if not is_remote(store):
        return Folder(Path(store).expanduser())
    from costscan.store.remote import Objects  # noqa: PLC0415 - only where something is remote

    return Objects(store)


def is_store(path: str) -> bool:
    """Whether there is a store at a path; not where that cannot be seen: who reads it as logs is told why."""
    if is_web(path) or path == "-" or (is_remote(path) and _MAGIC & {*path}):
        return False
    if not is_remote(path):
        # Path.is_dir raises where it may not look.
        return os.path.isdir(Path(path).expanduser() / MANIFESTS)  # noqa: PTH112
    with suppress(CostscanError):
        return bool(place(path).entries(MANIFESTS))
    return False


def state(path: str) -> bytes | None:
    """Return what is another as soon as a store is; None where that cannot be told."""
    where = place(path)
    numbers = sorted(entry.name for entry in where.entries(MANIFESTS) if entry.name.endswith(".json"))
    with suppress(OSError, CostscanError):
        return path.encode("utf-8", "surrogateescape") + where.read(numbers[-1]) if numbers else None
    return None


__all__ = ["UNFINISHED", "Entry", "Folder", "Place", "is_store", "place", "state"]
