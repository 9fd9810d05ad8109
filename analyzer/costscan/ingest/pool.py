"""Worker processes that read files side by side.

A worker that dies, or a task that cannot be finished, costs no more than it must: the files of the task are
given out again in halves, and what fails in the end is a single file.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

from costscan import cleanup
from costscan.errors import CostscanError
from costscan.formats.interface import LogFile

TASK_BYTES: Final = 32 << 20
"""Files are handed out in tasks of about this size: it bounds what a worker holds at a time."""
ALONE_BYTES: Final = 12 << 20
"""Logs smaller than this are read in this process: faster than starting workers."""

_TO_END_S: Final = 10
_ALLOCATION: Final = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
}
"""For glibc: a worker frees memory to ask for as much again, and ends soon; to give it back takes time."""

Answer = dict[str, Any]
Order = dict[str, Any]


def read_all(
    files: Sequence[LogFile],
    kind: Order,
    out: Path,
    *,
    workers: int | None,
    on_answer: Callable[[Answer], None],
) -> None:
    """Read files into tables in `out`, calling `on_answer` with the counts of each finished task.

    `kind` says how: what `worker.read_files` takes beside them.

    Raises:
        CostscanError: the tables cannot be written.
    """
    orders = orders_of(files, kind, out)
    wanted = workers if workers is not None else min(os.cpu_count() or 1, 8)
    if wanted <= 1 or len(orders.first) == 1 or sum(map(size_bytes, files)) < ALONE_BYTES:
        _alone(orders, on_answer)
    else:
        _Pool(orders, on_answer).read(min(wanted, len(orders.first)))


def orders_of(files: Sequence[LogFile], kind: Order, out: Path) -> "Orders":
    """Return the orders to read files into tables in `out`; see `read_all`."""
    return Orders(_tasks(files, {f: size_bytes(f) for f in files}), {"out": str(out), **kind})


def in_order(files: Sequence[LogFile], sizes: Mapping[LogFile, int]) -> list[LogFile]:
    """Return files as they are read: the biggest first."""
    return sorted(files, key=lambda file: -sizes[file])


def size_bytes(file: LogFile) -> int:
    """Return the size of a file, 0 where it cannot be told."""
    if file.remote is not None:
        return file.remote.size
    try:
        return Path(file.on_disk).stat().st_size
    except OSError:
        return 0


def _tasks(files: Sequence[LogFile], sizes: dict[LogFile, int]) -> list[list[LogFile]]:
    """Pack files into tasks, biggest first, so that the last tasks to end are small."""
    tasks: list[list[LogFile]] = []
    room = 0
    for file in in_order(files, sizes):
        if not tasks or sizes[file] > room:
            tasks.append([])
            room = TASK_BYTES
        tasks[-1].append(file)
        room -= max(sizes[file], 1 << 12)
    return tasks or [[]]


class Orders:
    """The tasks as workers take them, and what follows from their answers."""

    def __init__(self, tasks: Sequence[Sequence[LogFile]], shared: Order) -> None:
        self._shared, self._out = shared, Path(shared["out"])
        self._numbers = count()
        self.first = [self._order([[f.path, f.spooled, f.remote] for f in task]) for task in tasks]

    def _order(self, files: list[list[Any]]) -> Order:
        return {"task": next(self._numbers), "files": files, **self._shared}

    def again(self, order: Order, answer: Answer) -> list[Order]:
        """Return the orders for what is left of a task; where that is a file that failed, `answer` names it.

        Raises:
            CostscanError: the tables cannot be written.
        """
        if "error" in answer:
            raise CostscanError(answer["error"], "check space and permissions")
        if "failed" not in answer:
            return []
        for table in self._out.glob(f"*-{order['task']}.arrow"):
            table.unlink()
        files = order["files"]
        if (half := len(files) // 2) > 0:
            return [self._order(some) for some in (files[:half], files[half:])]
        counts = dict.fromkeys(("lines", "bytes", "skipped", "repaired", "kept"), 0)
        unread = {path: answer.pop("failed") for path, *_ in files}
        answer |= {"files": len(unread), "formats": {}, "unusable": [], "unread": unread, "read": []} | counts
        return []


def _alone(orders: Orders, on_answer: Callable[[Answer], None]) -> None:
    """Read in this process."""
    from costscan.ingest.worker import answered  # noqa: PLC0415 - workers import it themselves

    todo = deque(orders.first)
    while todo:
        order = todo.popleft()
        answer = answered(order)
        todo.extend(orders.again(order, answer))
        if "failed" not in answer:
            on_answer(answer)


class _Pool:
    """Worker processes, each fed by a thread."""

    def __init__(self, orders: Orders, on_answer: Callable[[Answer], None]) -> None:
        self._orders, self._on_answer = orders, on_answer
        self._todo: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[Order, Answer]] = queue.SimpleQueue()
        self._started: list[subprocess.Popen[str]] = []
        self._lock = threading.Lock()
        self._is_over = False

    def read(self, workers: int) -> None:
        """Have all tasks done by so many workers."""
        feeders = [threading.Thread(target=self._feed, daemon=True) for _ in range(workers)]
        pending = 0
        for order in self._orders.first:
            self._todo.put(order)
            pending += 1
        for feeder in feeders:
            feeder.start()
        try:
            while pending:
                order, answer = self._done.get()
                for more in self._orders.again(order, answer):
                    self._todo.put(more)
                    pending += 1
                if "failed" not in answer:
                    self._on_answer(answer)
                pending -= 1
        finally:
            self._end(feeders)

    def _end(self, feeders: Sequence[threading.Thread]) -> None:
        with self._lock:
            self._is_over = True
        for _ in feeders:
            self._todo.put(None)
        for worker in self._started:
            worker.kill()
            worker.communicate()
            cleanup.workers.discard(worker)
        for feeder in feeders:
            feeder.join()

    def _feed(self) -> None:
        """Hand a worker one order after another and pass its answers on; where it died, start another one."""
        worker: subprocess.Popen[str] | None = None
        for order in iter(self._todo.get, None):
            try:
                worker = worker or self._start()
            except OSError as error:
                self._done.put((order, {"failed": f"no process to read it can be started: {error.strerror}"}))
                continue
            if worker is None:
                return
            answer = _answer(worker, order)
            if answer is None:
                answer, worker = {"failed": _death(worker)}, None
            self._done.put((order, answer))

    def _start(self) -> "subprocess.Popen[str] | None":
        """Start a worker; none where the work is over."""
        with self._lock:
            if self._is_over:
                return None
            worker = _start()
            self._started.append(worker)
            return worker


def _answer(worker: "subprocess.Popen[str]", order: Order) -> Answer | None:
    """Return the answer of a worker; None where it died."""
    stdin, stdout = worker.stdin, worker.stdout
    assert stdin is not None  # noqa: S101 - `_start` opens them
    assert stdout is not None  # noqa: S101
    try:
        stdin.write(json.dumps(order) + "\n")
        stdin.flush()
        answer: Answer = json.loads(stdout.readline())
    except (OSError, ValueError):  # it died, or was closed when this process was told to end
        return None
    return answer


def _death(worker: "subprocess.Popen[str]") -> str:
    """Return how a worker ended, in words."""
    try:
        code = worker.wait(_TO_END_S)
    except subprocess.TimeoutExpired:
        return "the process that read it gave no answer that can be read"
    how = f"exit code {code}"
    with suppress(ValueError):
        how = signal.Signals(-code).name
    memory = ": out of memory?" if how == "SIGKILL" else ""
    return f"the process that read it ended with {how}{memory}"


def _start() -> "subprocess.Popen[str]":
    # In a process group of its own: Ctrl-C ends this process, which ends its workers.
    worker = subprocess.Popen(
        [sys.executable, "-m", "costscan.ingest.worker"],
        process_group=0 if os.name == "posix" else None,
        env=_ALLOCATION | os.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    cleanup.workers.add(worker)
    return worker
