"""Logs found before they are read, so that it can be told whether anything changed since they were read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import xxhash

from costscan import cache_folder
from costscan.ingest.dated_paths import Moments
from costscan.ingest.discover import LogFiles, discover, is_pipe
from costscan.ingest.kept_readings import key_of


@dataclass(frozen=True)
class Found:
    """The logs that paths mean, and by their paths what tells whether they are as they were, where it can."""

    log_files: LogFiles
    keys: Mapping[str, bytes | None]

    def state(self) -> bytes | None:
        """Return what is another as soon as anything about the logs is; None where that cannot be told."""
        keys = [key for key in self.keys.values() if key is not None]
        if len(keys) != len(self.keys) or self.log_files.unread:
            return None
        return xxhash.xxh3_128_digest(b"".join(keys))


def find(paths: Sequence[str], moments: Moments | None = None) -> Found | None:
    """Find logs; None where nothing is to be kept of them, or they can be read only once.

    Raises:
        CostscanError: a path does not exist, or a folder or pattern holds no log.
    """
    if cache_folder.is_off() or any(path == "-" or is_pipe(path) for path in paths):
        return None
    log_files = discover(paths, Path(), moments)
    return Found(log_files, {file.path: key_of(file) for file in log_files.files})
