"""What every command on logs does first: read its options, and have the logs read with a progress bar."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from costscan import pipeline
from costscan.cli.progress import progress
from costscan.cli.warn import warn
from costscan.pipeline import Request
from costscan.settings.keys import Settings
from costscan.settings.load import load
from costscan.times import moment
from costscan.zones import zone, zone_named

if TYPE_CHECKING:
    from costscan.analysis import Analysis
    from costscan.rulebook import Diagnosis
    from costscan.summary import Summary


def request(  # noqa: PLR0917 - as many as a user may choose
    path: Sequence[str],
    since: str | None,
    until: str | None,
    task: Sequence[str] | None,
    model: Sequence[str] | None,
    source: str | None,
    rules: Sequence[Path] | None,
    settings: Sequence[str] | None,
    config: Path | None,
    workers: int | None,
    *,
    tz: str | None = None,
) -> Request:
    """Return what the options of a command ask for.

    Raises:
        CostscanError: a time or a setting is wrong.
    """
    now = datetime.now(UTC)
    chosen = with_zone(load(Path.cwd(), file=config, assignments=settings or ()), tz)
    here = zone(chosen.tz)
    return Request(
        paths=tuple(path),
        since=moment("--since", since, now, here),
        until=moment("--until", until, now, here, whole_day=True),
        tasks=tuple(task or ()),
        models=tuple(model or ()),
        source=source,
        rules=tuple(rules or ()),
        settings=chosen,
        workers=workers,
        now=now,
    )


def with_zone(settings: Settings, tz: str | None) -> Settings:
    """Return the settings with the time zone of --tz, where it is given.

    Raises:
        CostscanError: there is no such zone.
    """
    return settings if tz is None else replace(settings, tz=zone_named(tz, f"--tz {tz}"))


@contextmanager
def diagnosed(asked: Request, *, rank: str = "cost") -> "Iterator[tuple[Diagnosis, Summary]]":
    """Do what `pipeline.diagnosed` does, with a progress bar and warnings."""
    with progress(asked.paths) as watch, pipeline.diagnosed(asked, watch, rank=rank) as (diagnosis, summary):
        _warn_of(diagnosis)
        yield diagnosis, summary


@contextmanager
def analyzed(asked: Request) -> "Iterator[Analysis]":
    """Do what `pipeline.analyzed` does, with a progress bar and warnings."""
    with progress(asked.paths) as watch, pipeline.analyzed(asked, watch) as analysis:
        _warn_of(analysis)
        yield analysis


def _warn_of(analysis: "Analysis") -> None:
    """Tell of what was not read, and of what could not be worked out."""
    warn(f"{path}: not read: {reason}" for path, reason in analysis.reading.unread.items())
    parts: dict[str, list[str]] = {}
    for part, reason in analysis.reasons.items():
        parts.setdefault(reason, []).append(part)
    warn(f"{', '.join(some)}: {reason}" for reason, some in parts.items())
