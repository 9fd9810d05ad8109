"""Paths as users give them (files, folders, globs, standard input) to the list of files to read."""

import glob
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from costscan.errors import CostscanError
from costscan.sources.interface import LogFile

LOG_ENDINGS: Final = (".jsonl", ".ndjson", ".json")
PACKED_ENDINGS: Final = (".gz", ".zst")


def discover(paths: Sequence[str], spool: Path) -> tuple[list[LogFile], set[str]]:
    """Give every file to read, each once, in a fixed order, and the paths that were named one by one.

    Standard input ("-") and pipes are spooled to files in `spool`, for their format is found by reading them
    twice. In a folder only files with the endings of logs are taken; one that is named is always taken.

    Raises:
        CostscanError: a path does not exist, or a folder or pattern holds no log.
    """
    found: dict[str, LogFile] = {}
    named: set[str] = set()
    for path in paths:
        if path == "-" or Path(path).is_fifo():
            if path not in found:
                found[path] = LogFile(path, _spooled(path, spool / f"spooled-{len(found)}"))
            named.add(path)
            continue
        matched, alone = _files(path)
        named.update(matched if alone else ())
        found.update({str(Path(f).resolve()): LogFile(f) for f in matched})
    return list(found.values()), named


def _files(path: str) -> tuple[list[str], bool]:
    given = Path(path).expanduser()
    if given.is_dir():
        logs = sorted(str(f) for f in given.rglob("*") if is_log(f) and f.is_file())
        if not logs:
            raise CostscanError(
                f"{path}: no log in this folder", f"logs end in {', '.join(LOG_ENDINGS)}, .gz or .zst"
            )
        return logs, False
    if given.exists():
        return [str(given)], True
    matches = sorted(glob.glob(str(given), recursive=True))  # noqa: PTH207 - absolute patterns too
    files = [m for m in matches if Path(m).is_file()]
    for folder in (m for m in matches if Path(m).is_dir()):
        files.extend(sorted(str(f) for f in Path(folder).rglob("*") if is_log(f) and f.is_file()))
    if not files:
        raise CostscanError(
            f"{path}: no such file or folder", "give a log file, a folder, a pattern, or - for standard input"
        )
    return files, False


def is_log(path: Path) -> bool:
    """Say whether a file in a folder looks like a log by its name."""
    name = path.name.lower()
    if name.endswith(".meta.json"):
        return False
    return name.endswith((*LOG_ENDINGS, *PACKED_ENDINGS))


def _spooled(path: str, target: Path) -> str:
    with target.open("wb") as out:
        if path == "-":
            shutil.copyfileobj(sys.stdin.buffer, out, 1 << 20)
        else:
            with Path(path).open("rb") as pipe:
                shutil.copyfileobj(pipe, out, 1 << 20)
    return str(target)
