"""What every command on logs does: have them read with a progress bar, and tell of what was not."""

from contextlib import contextmanager
from typing import TYPE_CHECKING

from costscan import pipeline
from costscan.cli.one_core import where_small
from costscan.cli.progress import progress
from costscan.cli.warn import warn
from costscan.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costscan.actions import Advised
    from costscan.analysis import Analysis
    from costscan.summary import Summary


@contextmanager
def diagnosed(request: Request, *, rank: str = "cost") -> "Iterator[tuple[Advised, Summary]]":
    """Do what `pipeline.diagnosed` does, with a progress bar and warnings."""
    with (
        progress(request.paths) as shown,
        where_small(shown) as watch,
        pipeline.diagnosed(request, watch, rank=rank) as (diagnosis, summary),
    ):
        _warn_of(diagnosis)
        yield diagnosis, summary


@contextmanager
def analyzed(request: Request) -> "Iterator[Analysis]":
    """Do what `pipeline.analyzed` does, with a progress bar and warnings."""
    with (
        progress(request.paths) as shown,
        where_small(shown) as watch,
        pipeline.analyzed(request, watch) as analysis,
    ):
        _warn_of(analysis)
        yield analysis


def _warn_of(analysis: "Analysis") -> None:
    """Tell of what was not read, and of what could not be worked out."""
    warn(f"{path}: not read: {reason}" for path, reason in analysis.reading.unread.items())
    parts: dict[str, list[str]] = {}
    for part, reason in analysis.reasons.items():
        parts.setdefault(reason, []).append(part)
    warn(f"{', '.join(some)}: {reason}" for reason, some in parts.items())
