"""Worker processes that read files side by side."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from costscan import leftovers
from costscan.errors import CostscanError
from costscan.sources.interface import LogFile

TASK_BYTES: Final = 32 << 20
"""Files are handed out in tasks of about this size: it bounds what a worker holds at a time."""
ALONE_BYTES: Final = 12 << 20
"""Logs smaller than this are read in this process: faster than starting workers."""

Answer = dict[str, Any]


def read_all(
    files: Sequence[LogFile],
    *,
    source: str | None,
    out: Path,
    workers: int | None,
    on_answer: Callable[[Answer], None],
) -> None:
    """Read files into tables in `out`, calling `on_answer` with the counts of each finished task.

    Raises:
        CostscanError: a file cannot be opened, or a worker died.
    """
    sizes = {f: _size(f) for f in files}
    tasks = _tasks(files, sizes)
    wanted = workers if workers is not None else min(os.cpu_count() or 1, 8)
    if wanted <= 1 or len(tasks) == 1 or sum(sizes.values()) < ALONE_BYTES:
        from costscan.ingest.worker import read_files  # noqa: PLC0415 - workers import it themselves

        for number, task in enumerate(tasks):
            on_answer(read_files(task, source=source, out=out, task=number))
        return
    _side_by_side(tasks, source, out, min(wanted, len(tasks)), on_answer)


def _size(file: LogFile) -> int:
    try:
        return Path(file.on_disk).stat().st_size
    except OSError:
        return 0


def _tasks(files: Sequence[LogFile], sizes: dict[LogFile, int]) -> list[list[LogFile]]:
    """Pack files into tasks, biggest first, so that the last tasks to end are small."""
    tasks: list[list[LogFile]] = []
    room = 0
    for file in sorted(files, key=lambda f: -sizes[f]):
        if not tasks or sizes[file] > room:
            tasks.append([])
            room = TASK_BYTES
        tasks[-1].append(file)
        room -= max(sizes[file], 1 << 12)
    return tasks or [[]]


def _side_by_side(
    tasks: list[list[LogFile]],
    source: str | None,
    out: Path,
    workers: int,
    on_answer: Callable[[Answer], None],
) -> None:
    orders = [
        {"task": number, "files": [[f.path, f.spooled] for f in files], "source": source, "out": str(out)}
        for number, files in enumerate(tasks)
    ]
    todo: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    done: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    for order in orders:
        todo.put(order)
    started = [_start() for _ in range(workers)]
    try:
        for worker in started:
            threading.Thread(target=_feed, args=(worker, todo, done), daemon=True).start()
        for _ in tasks:
            answer = done.get()
            if "error" in answer:
                raise CostscanError(answer["error"], answer["hint"])
            on_answer(answer)
    finally:
        for worker in started:
            worker.kill()
            worker.communicate()
            leftovers.workers.discard(worker)


def _feed(
    worker: "subprocess.Popen[str]",
    todo: "queue.SimpleQueue[dict[str, Any]]",
    done: "queue.SimpleQueue[Answer]",
) -> None:
    """Give a worker one order after another and pass its answers on."""
    stdin, stdout = worker.stdin, worker.stdout
    while stdin is not None and stdout is not None:
        try:
            order = todo.get_nowait()
        except queue.Empty:
            return
        try:
            stdin.write(json.dumps(order) + "\n")
            stdin.flush()
            answer = stdout.readline()
        except (OSError, ValueError):  # it died, or was closed when this process was told to end
            answer = ""
        done.put(json.loads(answer) if answer else {"error": "a worker process died", "hint": ""})


def _start() -> "subprocess.Popen[str]":
    # In a process group of its own: Ctrl-C ends this process, which ends its workers.
    worker = subprocess.Popen(
        [sys.executable, "-m", "costscan.ingest.worker"],
        process_group=0 if os.name == "posix" else None,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    leftovers.workers.add(worker)
    return worker
