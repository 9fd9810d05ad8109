"""Paths as users give them (files, folders, globs, standard input) to the list of files to read."""

import glob
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from costscan.errors import CostscanError, near
from costscan.formats import available
from costscan.formats.interface import LogFile
from costscan.ingest.dated_paths import Moments, is_dated, of_each_day
from costscan.ingest.walk import LOG_ENDINGS, PACKED_ENDINGS, is_log, logs_in, names_beside
from costscan.remote.addresses import SIGN_OF_STORE, is_remote

MAX_PLACES: Final = 8


class LogFiles(NamedTuple):
    """Every file to read, the paths that were named one by one, and why others cannot be looked into.

    `identities` tell the files apart: their paths without links.
    """

    files: list[LogFile]
    named: set[str]
    unread: dict[str, str]
    identities: Sequence[str] = ()


def discover(paths: Sequence[str], spool: Path, moments: Moments | None = None) -> LogFiles:
    """Return every file to read, each once, in a fixed order.

    A path with a date in it stands for those of the days of `moments`, as far as they are there.

    Standard input ("-") and pipes are spooled to files in `spool`, for their format is found by reading them
    twice. In a folder only files with the endings of logs are taken; one that is named is always taken.

    Raises:
        CostscanError: a path does not exist, or a folder or pattern holds no log.
    """
    log_files: dict[str, LogFile] = {}
    folders: dict[str, str] = {}
    named: set[str] = set()
    unread: dict[str, str] = {}
    for path in paths:
        if path == "-" or is_pipe(path):
            if path not in log_files:
                log_files[path] = LogFile(path, _spooled(path, spool / f"spooled-{len(log_files)}"))
            named.add(path)
            continue
        matched, alone = _dated(path, moments, unread) if is_dated(path) else _found(path, unread)
        named.update(file.path for file in matched if alone)
        log_files.update({_identity(f, folders): f for f in matched})
    return LogFiles(list(log_files.values()), named, unread, list(log_files))


def _dated(path: str, moments: Moments | None, unread: dict[str, str]) -> tuple[list[LogFile], bool]:
    """Return the files that a path with a date in it means, of the days that have some.

    Raises:
        CostscanError: no day has any.
    """
    files: list[LogFile] = []
    missing: CostscanError | None = None
    for one in of_each_day(path, moments):
        try:
            files += _found(one, unread)[0]
        except NotThereError as error:
            missing = missing or error
    if not files and missing is not None:
        raise missing
    return files, False


def _found(path: str, unread: dict[str, str]) -> tuple[list[LogFile], bool]:
    """Return the files that a path means, and whether it names one.

    Raises:
        NotThereError: there are none.
        CostscanError: a store cannot be reached.
    """
    if not is_remote(path):
        files, alone = _files(path, unread)
        return [LogFile(file) for file in files], alone
    from costscan.remote.objects import found  # noqa: PLC0415 - only where something is remote

    objects, alone = found(path, lambda name: is_log(Path(name)), names_beside())
    if not objects:
        raise NotThereError(f"{path}: no log there", f"logs end in {', '.join(LOG_ENDINGS)}, .gz or .zst")
    return objects, alone


class NotThereError(CostscanError):
    """There is no log where one was looked for."""


def _identity(file: LogFile, folders: dict[str, str]) -> str:
    """Return what tells files apart: of the web, what is signed in an address may say which part it is."""
    return _real(file.path, folders) if file.remote is None else file.remote.url or file.path


def _real(path: str, folders: dict[str, str]) -> str:
    """Return the path of a file without links; `folders` are those that were looked at before.

    There may be thousands of files, and each step of a path is a question to the system.
    """
    folder, name = os.path.split(path)
    if not name or name in {os.curdir, os.pardir} or os.path.islink(path):  # noqa: PTH114
        return os.path.realpath(path)
    if folder not in folders:
        folders[folder] = os.path.realpath(folder)
    return os.path.join(folders[folder], name)  # noqa: PTH118


def clients() -> dict[str, Sequence[str]]:
    """Return where each client keeps its logs, by the name of its format."""
    return {name: log_format.roots for name, log_format in available().items() if log_format.roots}


def default_folders(of: Sequence[str] = ()) -> list[str]:
    """Return the folders in which clients keep logs on this machine, as far as there are any.

    Args:
        of: the clients, by the names of their formats; all where none is named.

    Raises:
        CostscanError: there are none, or no such client.
    """
    known = clients()
    for name in of:
        if name not in known:
            raise CostscanError(f"no client named {name!r}", near(name, list(known)))
    folders = [_expanded(known[name]) for name in of or known]
    there = [f for f in dict.fromkeys(f for own in folders for f in own) if _holds_logs(Path(f))]
    if not there:
        raise CostscanError(f"no logs in {_places(folders)}", "name a file or a folder of logs")
    return there


def _expanded(roots: Sequence[str]) -> list[str]:
    """Return places as paths of this machine, without those of variables that are not set."""
    folders = [os.path.expandvars(root) for root in roots]
    return [str(Path(folder).expanduser()) for folder in folders if not folder.startswith("$")]


def _places(folders: Sequence[Sequence[str]]) -> str:
    """Return places in words: the first one of each client before all others."""
    first = [own[0] for own in folders if own]
    every = list(dict.fromkeys([*first, *(f for own in folders for f in own)]))
    shown = [folder.replace(str(Path.home()), "~", 1) for folder in every[:MAX_PLACES]]
    more = f" and {len(every) - MAX_PLACES} more places" if len(every) > MAX_PLACES else ""
    return f"{', '.join(shown)}{more}"


def _holds_logs(root: Path) -> bool:
    try:
        return root.is_file() or bool(logs_in(root, lambda *_: None))
    except OSError:  # in a folder that may not be looked into
        return False


def is_pipe(path: str) -> bool:
    """Whether a path is a pipe, which can be read once."""
    try:
        return Path(path).is_fifo()
    except OSError:  # in a folder that may not be looked into
        return False


def _files(path: str, unread: dict[str, str]) -> tuple[list[str], bool]:
    """Return the files that a path means, and whether it names one; `unread` gets what cannot be seen."""
    given = Path(path).expanduser()
    before = len(unread)
    if os.path.isdir(given):  # noqa: PTH112 - Path.is_dir raises where it may not look
        if os.path.isdir(given / SIGN_OF_STORE):  # noqa: PTH112
            raise CostscanError(
                f"{path}: this is a store, which holds no texts", "name the logs that were put into it"
            )
        logs = logs_in(given, unread.__setitem__)
        if not logs and len(unread) == before:
            raise NotThereError(
                f"{path}: no log in this folder", f"logs end in {', '.join(LOG_ENDINGS)}, .gz or .zst"
            )
        return logs, False
    try:
        if given.exists():
            return [str(given)], True
    except OSError as error:
        unread[path] = error.strerror or str(error)
        return [], False
    matches = sorted(glob.glob(str(given), recursive=True))  # noqa: PTH207 - absolute patterns too
    files = [m for m in matches if os.path.isfile(m)]  # noqa: PTH113
    for folder in (m for m in matches if os.path.isdir(m)):  # noqa: PTH112
        files.extend(logs_in(Path(folder), unread.__setitem__))
    if not files and len(unread) == before:
        raise NotThereError(
            f"{path}: no such file or folder", "give a log file, a folder, a pattern, or - for standard input"
        )
    return files, False


def _spooled(path: str, target: Path) -> str:
    with target.open("wb") as out:
        if path == "-":
            shutil.copyfileobj(sys.stdin.buffer, out, 1 << 20)
        else:
            with Path(path).open("rb") as pipe:
                shutil.copyfileobj(pipe, out, 1 << 20)
    return str(target)


__all__ = [
    "LOG_ENDINGS",
    "PACKED_ENDINGS",
    "LogFiles",
    "clients",
    "default_folders",
    "discover",
    "is_pipe",
]
