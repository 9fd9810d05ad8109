"""Measure what reading costs, format by format: CPU seconds a GB, against Claude Code's transcripts.

Each format gets the same invented talks (Claude Code and its stream what `make_logs.py` makes) or, with
`--copies-of`, copies of logs that are at hand: a folder a format.
"""

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import pyarrow as pa

from costscan import formats
from costscan.formats.interface import LogFile
from costscan.ingest.discover import discover
from costscan.ingest.pool import TASK_BYTES
from costscan.ingest.worker import read_files
from make_logs import make_logs, parse_bytes
from synthetic.talks import TalkMaker, as_stream

BASE: Final = "claude_code"
NAMES: Final = [name for name in formats.names() if name != "usage_export"]
"""An export of sums has a few KB a month."""
GB: Final = 10**9


class Cost(NamedTuple):
    """What one reading took: bytes, calls, CPU seconds of the user and the system."""

    bytes: int
    calls: int
    cpu_s: float


def make(name: str, out: Path, size: int) -> None:
    """Write about `size` bytes of logs of a format to a folder."""
    if name == BASE:
        make_logs(out, size)
    elif name == "claude_stream":
        _write(({"run.jsonl": told} for told in _streams(out.parent / BASE)), out, size)
    else:
        _write(TalkMaker().files(name), out, size)


def _streams(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.jsonl")):
        if "subagents" not in path.parts:
            yield as_stream(path.read_text(encoding="utf-8"))


def copies(logs: Path) -> Iterator[Mapping[str, bytes]]:
    """Yield the files of a folder again and again."""
    files = {str(p.relative_to(logs)): p.read_bytes() for p in sorted(logs.rglob("*")) if p.is_file()}
    while sum(map(len, files.values())):
        yield files


def _write(talks: Iterable[Mapping[str, str | bytes]], out: Path, size: int) -> None:
    written = 0
    for number, files in enumerate(talks):
        for path, told in files.items():
            target = out / f"{number:05}" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            written += target.write_bytes(told.encode() if isinstance(told, str) else told)
        if written >= size:
            return


def read(folder: Path) -> None:
    """Read all logs of a folder as a worker does, and print the bytes, the calls and the CPU seconds."""
    with tempfile.TemporaryDirectory() as made:
        out = Path(made)
        sizes = {f: Path(f.on_disk).stat().st_size for f in discover([str(folder)], out).files}
        gc.disable()
        began_s = time.process_time()
        for task, files in enumerate(_tasks(sizes)):
            told = read_files(files, source=None, out=out, task=task)
            if told["unread"]:
                raise SystemExit(f"{folder}: not read: {told['unread']}")
        took_s = time.process_time() - began_s
        calls = sum(pa.ipc.open_file(path).read_all().num_rows for path in out.glob("calls-*"))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(json.dumps([size, calls, took_s]))


def _tasks(sizes: Mapping[LogFile, int]) -> Iterator[list[LogFile]]:
    some: list[LogFile] = []
    room = TASK_BYTES
    for file, size in sizes.items():
        if some and size > room:
            yield some
            some, room = [], TASK_BYTES
        some.append(file)
        room -= size
    if some:
        yield some


def measure(names: Sequence[str], folder: Path, runs: int) -> dict[str, Cost]:
    """Return what reading each format took, the medians of some runs that take turns."""
    told: dict[str, list[Cost]] = {name: [] for name in names}
    for _ in range(runs):
        for name in names:
            words = [sys.executable, __file__, "--read", str(folder / name)]
            done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
            told[name].append(Cost(*json.loads(done.stdout)))
    return {name: some[0]._replace(cpu_s=median(c.cpu_s for c in some)) for name, some in told.items()}


def show(costs: Mapping[str, Cost]) -> None:
    """Print a table, the most expensive first."""
    base = costs[BASE].cpu_s / costs[BASE].bytes
    print("| format | MB | calls | KB a call | CPU s a GB | to claude_code | µs a call |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name, cost in sorted(costs.items(), key=lambda item: -item[1].cpu_s / item[1].bytes):
        each = max(cost.calls, 1)
        print(
            f"| `{name}` | {cost.bytes / 1e6:.0f} | {cost.calls:,} | {cost.bytes / each / 1e3:.1f} | "
            f"{cost.cpu_s / cost.bytes * GB:.1f} | {cost.cpu_s / cost.bytes / base:.1f} | "
            f"{cost.cpu_s / each * 1e6:.0f} |"
        )


def main() -> None:
    """Make logs, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help="where the logs are made, and kept")
    parser.add_argument("--bytes", type=parse_bytes, default=50 * 10**6, help="a format: 50MB, 100MB, ...")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--formats", nargs="+", default=NAMES, choices=NAMES)
    parser.add_argument("--copies-of", type=Path, metavar="FOLDER", help="logs to copy: a folder a format")
    chosen = parser.parse_args()
    if chosen.read:
        read(chosen.read)
        return
    names = [BASE, *(name for name in chosen.formats if name != BASE)]
    if chosen.copies_of:
        names = [name for name in names if (chosen.copies_of / name).is_dir()]
    for name in names:
        if not (place := chosen.out / name).exists():
            if chosen.copies_of:
                _write(copies(chosen.copies_of / name), place, chosen.bytes)
            else:
                make(name, place, chosen.bytes)
    show(measure(names, chosen.out, chosen.runs))


if __name__ == "__main__":
    main()
