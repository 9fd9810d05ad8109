"""What to read and how to look at it, and whom to tell how far that is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from costscan.remote.addresses import shown
from costscan.settings.keys import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to read and how to look at it.

    Attributes:
        paths: files, folders, patterns, or "-" for standard input.
        since: only turns from this moment on.
        until: only turns before this one.
        tasks: only runs of these tasks, with their sub-agents (see `names`).
        projects: only runs of these projects, by their folder or its last part.
        models: only turns of these models.
        may_lack: whether one of several tasks or projects may be in none of these logs, as in a baseline.
        source: the format of all files; None to detect that of each.
        rules: folders of rules, beside those that come along.
        settings: the settings that hold.
        trials: what `costscan trial` wrote, by which actions are judged.
        anonymize: whether hashes stand for names and excerpts in all that reports are made from.
        workers: processes to read with; by default one a core.
        engine: who reads: `local` processes, `ray`, or `ray:ADDRESS` of a cluster that runs.
        keep: whether what is read may be kept, and taken from what was.
        now: the moment of the report.
    """

    paths: tuple[str, ...]
    since: datetime | None = None
    until: datetime | None = None
    tasks: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    may_lack: bool = False
    models: tuple[str, ...] = ()
    source: str | None = None
    rules: tuple[Path, ...] = ()
    settings: Settings = field(default_factory=Settings)
    trials: tuple[Path, ...] = ()
    anonymize: bool = False
    workers: int | None = None
    engine: str = "local"
    keep: bool = True
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def shown_paths(self) -> tuple[str, ...]:
        """The paths as they may be printed: without what is signed in an address."""
        return tuple(map(shown, self.paths))


@dataclass(frozen=True, slots=True)
class Watch:
    """Whom the work tells how far it is: of bytes that were read, and that reading is over."""

    read: Callable[[int], None] = lambda _: None
    adding_up: Callable[[], None] = lambda: None
