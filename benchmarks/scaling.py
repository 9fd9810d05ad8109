"""Time costscan on growing sets and on growing single runs, to see linearity and bounded memory."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from make_logs import make_one_run
from timing import Command, Summary, run_once, summarize

FRACTIONS: Final = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)
RUN_TURNS: Final = (2_500, 5_000, 10_000, 20_000)
MB: Final = 10**6

MakeCommand = Callable[[Path], Command]


def log_files(data: Path) -> list[Path]:
    """Return the transcripts under a folder, those of a session and its sub-agents together."""
    projects = data / "projects"
    return sorted(projects.rglob("*.jsonl"), key=lambda path: path.relative_to(projects).parts[1:])


def size_bytes(data: Path) -> int:
    """Return the bytes of all transcripts under a folder."""
    return sum(path.stat().st_size for path in log_files(data))


@contextmanager
def subset(data: Path, most_bytes: float) -> Iterator[Path]:
    """Yield a folder of hard links to the first transcripts that fit in so many bytes."""
    # Beside the data, because hard links cannot cross file systems.
    with tempfile.TemporaryDirectory(dir=data.parent, prefix="subset-") as folder:
        taken_bytes = 0
        for path in log_files(data):
            file_bytes = path.stat().st_size
            if taken_bytes + file_bytes > most_bytes:
                continue
            taken_bytes += file_bytes
            link = Path(folder) / path.relative_to(data)
            link.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, link)
        yield Path(folder)


def measure(command: Command, runs: int) -> Summary:
    """Run once for memory and the page cache, then `runs` times for the clock."""
    sampled = run_once(command, with_tree=True)
    return summarize(sampled, [run_once(command) for _ in range(runs)])


def print_scaling(data: Path, make_command: MakeCommand, runs: int) -> None:
    """Print one table for growing sets and one for growing runs."""
    print("\n| set | wall | MB/s | CPU | largest process | whole tree (PSS) |\n|--:|--:|--:|--:|--:|--:|")
    total_bytes = size_bytes(data)
    for fraction in FRACTIONS:
        with subset(data, total_bytes * fraction) as folder:
            _print_row(folder, "", measure(make_command(folder), runs))
    print("\n| one run | wall | MB/s | CPU | largest process | whole tree (PSS) |\n|--:|--:|--:|--:|--:|--:|")
    for turns in RUN_TURNS:
        folder = data.parent / f"run-{turns}"
        if not folder.exists():
            make_one_run(folder, turns)
        _print_row(folder, f"{turns:,} turns, ", measure(make_command(folder), runs))


def _print_row(folder: Path, prefix: str, summary: Summary) -> None:
    size_mb = size_bytes(folder) / MB
    print(
        f"| {prefix}{size_mb:,.0f} MB | {summary.wall_s:.2f} s | {size_mb / summary.wall_s:,.0f} "
        f"| {summary.cpu_s:.2f} s | {in_mb(summary.largest_process_bytes)} | {in_mb(summary.tree_bytes)} |",
        flush=True,
    )


def in_mb(count_bytes: int | None) -> str:
    """Return bytes as MB, or a dash where they are unknown."""
    return "-" if count_bytes is None else f"{count_bytes / MB:,.0f} MB"
