"""What must not outlive this process, however it ends: temporary files and worker processes."""

import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import subprocess

_TRIES: Final = 20
_BETWEEN_S: Final = 0.01

folders: Final[set[Path]] = set()
"""Temporary folders that exist."""
files: Final[set[Path]] = set()
"""Files that are being written, under names that are not yet their own."""
workers: Final[set["subprocess.Popen[Any]"]] = set()
"""Processes that run for this one."""


def forget(folder: Path) -> None:
    """Remove a temporary folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folders.discard(folder)


def remove() -> None:
    """Remove all of it. It may run at any moment, so it takes no locks and imports nothing."""
    for worker in tuple(workers):
        worker.kill()
    for file in tuple(files):
        with suppress(OSError):
            file.unlink(missing_ok=True)
    for folder in tuple(folders):
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a folder into which threads of native code may still write."""
    for _ in range(_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_BETWEEN_S)
