"""A progress bar on standard error, where a person looks at it."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from costscan.errors import CostscanError
from costscan.request import Watch


@contextmanager
def progress(paths: Sequence[str]) -> Iterator[Watch]:
    """Show a bar while the body runs, on a terminal only."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield Watch()
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    from costscan.reports.text.console import console, width_of  # noqa: PLC0415 - only a terminal needs it

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    screen = console(sys.stderr, width_of(sys.stderr))
    with Progress(*columns, console=screen, transient=True, refresh_per_second=5) as shown:
        task = shown.add_task("reading", total=_total(paths))
        yield Watch(
            read=lambda size: shown.advance(task, size),
            adding_up=lambda: shown.update(task, description="adding up", total=None),
        )


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar of so many steps while the body runs, on a terminal only; call what is yielded for each."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.progress import Progress  # noqa: PLC0415 - only a terminal needs it

    from costscan.reports.text.console import console, width_of  # noqa: PLC0415

    screen = console(sys.stderr, width_of(sys.stderr))
    with Progress(console=screen, transient=True, refresh_per_second=5) as shown:
        task = shown.add_task(what, total=total)
        yield lambda: shown.advance(task)


def _total(paths: Sequence[str]) -> int | None:
    """Sum the sizes of the logs; None where what they hold is larger (packed), or not known yet."""
    from costscan.ingest.dated_paths import is_dated  # noqa: PLC0415
    from costscan.ingest.discover import PACKED_ENDINGS, discover, is_pipe  # noqa: PLC0415
    from costscan.remote.addresses import is_remote  # noqa: PLC0415

    if any(path == "-" or is_pipe(path) or is_remote(path) or is_dated(path) for path in paths):
        return None  # what is read of them here is gone, or takes as long to find out
    try:
        files = [file.on_disk for file in discover(paths, Path())[0]]
        return (
            None
            if any(f.endswith(PACKED_ENDINGS) for f in files)
            else sum(Path(f).stat().st_size for f in files)
        )
    except (CostscanError, OSError):
        return None
