"""Run a command and measure it: wall time, CPU of the whole process tree, peak memory."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import IO, Final

SAMPLE_EVERY_S: Final = 0.01
RUSAGE_UNIT_BYTES: Final = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Command:
    """A command line with what it needs to run."""

    name: str
    words: Sequence[str]
    env: Mapping[str, str]
    cwd: Path


@dataclass(frozen=True, slots=True)
class Sample:
    """One run."""

    wall_s: float
    cpu_s: float
    """User and system time of the process and of the children it waited for."""
    largest_process_bytes: int
    """Peak resident set of the largest process of the tree."""
    tree_bytes: int | None
    """Peak proportional set of all processes together, where it was sampled."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Several runs of the same command: the first one sampled, the others timed."""

    wall_s: float
    fastest_s: float
    slowest_s: float
    cpu_s: float
    largest_process_bytes: int
    tree_bytes: int | None


class CommandFailedError(Exception):
    """The command ended with an error, so its times mean nothing."""

    def __init__(self, name: str, code: int, errors: str) -> None:
        super().__init__(f"{name} ended with exit code {code}: {errors.strip()[-500:]}")


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:  # the thread has ended
            continue
    return found


def _pss_bytes(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:  # the process has ended
        pass
    return 0


def _tree_bytes(root: int) -> int:
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        total += _pss_bytes(pid)
        waiting += _children(pid)
    return total


class _TreeSampler(threading.Thread):
    """Follows the memory of a process tree until it is stopped."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root = root
        self.peak_bytes = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(SAMPLE_EVERY_S):
            self.peak_bytes = max(self.peak_bytes, _tree_bytes(self.root))

    def stop(self) -> int | None:
        """Return the peak, or None where the system has no /proc."""
        self.stopped.set()
        self.join()
        return self.peak_bytes or None


def run_once(command: Command, *, with_tree: bool = False, stdout: IO[bytes] | None = None) -> Sample:
    """Run the command to its end; sampling the tree costs a little time, so it is not the default."""
    with tempfile.TemporaryFile() as errors:
        started_s = time.perf_counter()
        process = subprocess.Popen(
            command.words,
            stdout=stdout or subprocess.DEVNULL,
            stderr=errors,
            env=command.env,
            cwd=command.cwd,
        )
        sampler = _TreeSampler(process.pid) if with_tree else None
        if sampler:
            sampler.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started_s
        tree_bytes = sampler.stop() if sampler else None
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            raise CommandFailedError(command.name, process.returncode, errors.read().decode(errors="replace"))
    largest_bytes = usage.ru_maxrss * RUSAGE_UNIT_BYTES
    return Sample(wall_s, usage.ru_utime + usage.ru_stime, largest_bytes, tree_bytes)


def summarize(sampled: Sample, timed: Iterable[Sample]) -> Summary:
    """Return the medians; memory is the largest value seen in any run."""
    runs = list(timed)
    walls = [run.wall_s for run in runs]
    return Summary(
        median(walls),
        min(walls),
        max(walls),
        median(run.cpu_s for run in runs),
        max(run.largest_process_bytes for run in (sampled, *runs)),
        sampled.tree_bytes,
    )
