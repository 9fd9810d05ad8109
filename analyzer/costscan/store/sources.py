"""Which logs are new to a store: told by size, time and number from those that it has."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import polars as pl

from costscan.formats.interface import LogFile
from costscan.ingest.discover import LogFiles
from costscan.ingest.kept_readings import code_digest
from costscan.ingest.walk import names_beside
from costscan.remote.addresses import is_remote

_SETTLED_NS: Final = 2 * 10**9
"""A file that was written to so shortly ago may be written to again within the same tick of its clock."""


@dataclass(frozen=True)
class Source:
    """A log as it was found: what it is, whether it is as it was ("" where that cannot be told), and when."""

    log: LogFile
    identity: str
    signature: str
    size: int
    seen_at: datetime


@dataclass
class Found:
    """What was found: logs to read, among them grown ones that the store has earlier, and how many others."""

    to_read: list[Source] = field(default_factory=list)
    grown: int = 0
    unchanged: int = 0
    gone: int = 0


def compared(found: LogFiles, paths: Sequence[str], known: pl.DataFrame, kind: str, *, besides: str) -> Found:
    """Hold the logs that were found against those that a store has.

    Args:
        found: the logs.
        besides: a path whose files are none: that of the store, which may be among the logs.
        paths: where they were looked for.
        known: the files of the manifest.
        kind: how they are read: the format that all are said to be of, "" for any.
    """
    signatures = dict(known.select("identity", "signature").iter_rows())
    signed = _Signed(kind)
    out = Found()
    seen: set[str] = set()
    store = _identity(besides)
    for log, identity in zip(found.files, found.identities, strict=True):
        source = signed.source(log, identity)
        if _is_in(source.identity, store):
            continue
        while source.identity in seen:  # addresses that differ in what is signed alone
            source = replace(source, identity=f"{source.identity}#")
        seen.add(source.identity)
        before = signatures.get(source.identity)
        if before and before == source.signature:
            out.unchanged += 1
            continue
        out.grown += before is not None
        out.to_read.append(source)
    under = [_identity(path) for path in paths]
    out.gone = sum(name not in seen and any(_is_in(name, place) for place in under) for name in signatures)
    return out


def is_under(path: str, paths: Sequence[str]) -> bool:
    """Whether a path is one of some paths, or in one of them."""
    return any(_is_in(_identity(path), _identity(one)) for one in paths)


def _is_in(name: str, place: str) -> bool:
    return name == place or name.startswith(place.rstrip("/") + "/")


def _identity(path: str) -> str:
    return path if is_remote(path) else text(os.path.realpath(os.path.expanduser(path)))  # noqa: PTH111


def text(path: str) -> str:
    """Return a path as text that every program can read: names of files may be any bytes."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class _Signed:
    """What tells whether logs are as they were.

    A stat of each file, and none of what may stand beside it where its folder has no such thing: there may be
    ten thousand.
    """

    def __init__(self, kind: str) -> None:
        self._kind = f"{kind} {code_digest()}"
        self._settled_ns = time.time_ns() - _SETTLED_NS
        self._now = datetime.now(UTC)
        self._folders: dict[str, frozenset[str]] = {}
        self._beside = tuple(names_beside())

    def source(self, log: LogFile, identity: str) -> Source:
        """Return a log with its signature."""
        if log.remote is not None:
            told = repr((*log.remote[:3], self._kind)) if log.remote.version is not None else ""
            return Source(log, log.path, told, log.remote.size, self._now)  # what is signed is not kept
        try:
            stat = os.stat(log.path)  # noqa: PTH116
        except OSError:
            return Source(log, text(identity), "", 0, self._now)
        told = ""
        if stat.st_mtime_ns < self._settled_ns:
            own = f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ino}"
            told = f"{own} {self._beside_it(log.path)}{self._kind}"
        return Source(log, text(identity), told, stat.st_size, self._now)

    def _beside_it(self, path: str) -> str:
        """Return the state of what stands beside a log and is read with it."""
        folder, _, name = path.rpartition(os.sep)
        if folder not in self._folders:
            self._folders[folder] = self._names(folder or (os.sep if path.startswith(os.sep) else os.curdir))
        if not self._folders[folder]:
            return ""
        stem = name.split(".", maxsplit=1)[0]
        near = [stem + ending if ending.startswith(".") else ending for ending in self._beside]
        there = [one for one in near if one in self._folders[folder]]
        return "".join(f"{one} {_state(os.path.join(folder, one))} " for one in there)  # noqa: PTH118

    def _names(self, folder: str) -> frozenset[str]:
        """Return the names in a folder of what is read with a log."""
        try:
            return frozenset(name for name in os.listdir(folder) if name.endswith(self._beside))  # noqa: PTH208
        except OSError:
            return frozenset()


def _state(path: str) -> tuple[int, int]:
    try:
        stat = os.stat(path)  # noqa: PTH116
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def unread_now(
    before: Mapping[str, str], paths: Sequence[str], found: Sequence[str], now: Mapping[str, str]
) -> dict[str, str]:
    """Return what is not read of a store after these paths were looked at, with the reasons.

    Args:
        before: what was not read before.
        paths: what was looked at.
        found: the files that were found there.
        now: what could not be read of it.
    """
    there = set(found)
    left = {p: why for p, why in before.items() if p not in there and not is_under(p, paths)}
    return left | {text(path): why for path, why in now.items()}


__all__ = ["Found", "Source", "compared", "is_under", "text", "unread_now"]
