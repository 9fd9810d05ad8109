"""Temporary files of tests in memory, where the machine has room: they are many, and a disk takes a tenth of all time.

Whoever sets TMPDIR has them there. A run that fails leaves its files to be looked at; the next one removes them.
"""

import os
import tempfile
from pathlib import Path
from shutil import rmtree
from typing import Final

SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the folder in it is made anew
PREFIX: Final = "costscan-tests-"
ENOUGH_BYTES: Final = 4 << 30


def use() -> Path | None:
    """Have this process, and those it starts, keep temporary files in memory; return the folder, None where not."""
    if "TMPDIR" in os.environ or "PYTEST_DEBUG_TEMPROOT" in os.environ or not _has_room():
        return None
    for left in SHARED_MEMORY.glob(f"{PREFIX}*"):
        if not _is_running(left.name.removeprefix(PREFIX).partition("-")[0]):
            rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=SHARED_MEMORY))
    folder.chmod(0o1777)  # as that of the machine: some tests start processes of other users
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    return folder


def _has_room() -> bool:
    try:
        told = os.statvfs(SHARED_MEMORY)
        memory = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # neither is everywhere
        return False
    is_usable = os.access(SHARED_MEMORY, os.W_OK) and not told.f_flag & (os.ST_NOEXEC | os.ST_RDONLY)
    return is_usable and min(told.f_bavail * told.f_frsize, memory) >= ENOUGH_BYTES


def _is_running(process: str) -> bool:
    return not process.isdecimal() or Path("/proc", process).exists()
