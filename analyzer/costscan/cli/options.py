"""The options that every command on logs or settings has some of: declared once, given to it as one value."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from costscan import formats
from costscan.errors import CostscanError
from costscan.request import Request
from costscan.settings.load import load
from costscan.times import moment
from costscan.zones import zone, zone_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costscan.settings.keys import Settings

Command = Callable[..., None]
_GIVEN = "options"
"""The parameter of a command that takes them."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a user chose, in the order of the help texts; None is what was not chosen."""

    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Only calls from this time on: 2026-11-01, 2026-11-01T09:30, or 7d, 24h, 2w ago. "
            "In --tz where no zone is given.",
        ),
    ] = None
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only calls before; a date counts whole.")
    ] = None
    task: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only runs of this task, with their sub-agents; takes * (any text) and ? (a character). "
            "Repeatable.",
        ),
    ] = None
    project: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only runs in this folder, with their sub-agents: its path or the last part of it; takes * "
            "and ?. Repeatable.",
        ),
    ] = None
    model: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only calls of this model. Repeatable.")
    ] = None
    format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"The format of all files, instead of what each looks like: {', '.join(formats.names())}.",
        ),
    ] = None
    client: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Without PATH: read only what this client keeps on this machine; it is named as its format "
            "is, like codex. Repeatable.",
        ),
    ] = None
    rules: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR", help="A folder of rules of your own, beside those that come along. Repeatable."
        ),
    ] = None
    trial: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Judge actions by what `costscan trial` measured, their risk and what is made again. "
            "Repeatable.",
        ),
    ] = None
    anonymize: Annotated[
        bool,
        typer.Option(
            "--anonymize",
            help="Show short hashes instead of names (tasks, projects, branches, users, agents, tools of "
            "your own), paths, ids and excerpts; numbers, models and rules stay.",
        ),
    ] = False
    tz: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            show_default=False,
            help="The time zone of days and dates: a name like Asia/Tokyo, or local; UTC if not set.",
        ),
    ] = None
    set: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Set a setting, like prices.discount=0.1. Repeatable."),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settings to use instead of costscan.toml or pyproject.toml."),
    ] = None
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Read every file anew, and keep nothing of it.")
    ] = False
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Who reads the logs: local (processes of this machine), ray, or ray:ADDRESS of a cluster "
            "that runs.",
        ),
    ] = "local"
    workers: Annotated[int | None, typer.Option(hidden=True, min=1)] = None

    def settings(self) -> "Settings":
        """Return the settings that hold, with the time zone of --tz where it is given.

        Raises:
            CostscanError: a setting is wrong, or there is no such zone.
        """
        loaded = load(Path.cwd(), file=self.config, assignments=self.set or ())
        return loaded if self.tz is None else replace(loaded, tz=zone_named(self.tz, f"--tz {self.tz}"))

    def paths(self, given: "Sequence[str] | None") -> "Sequence[str]":
        """Return the paths that are given, else those where clients keep their logs.

        Raises:
            CostscanError: a client is named beside a path, or is not known, or there are no logs.
        """
        if given and self.client:
            raise CostscanError(
                "--client reads where a client keeps its logs, and a PATH was given too",
                "leave out one of them; --format NAME says what files are",
            )
        from costscan.ingest.discover import default_folders  # noqa: PLC0415 - readers are slow to import

        return given or default_folders(self.client or ())

    def request(self, paths: "Sequence[str]") -> Request:
        """Return what these options ask for of some logs.

        Raises:
            CostscanError: a time or a setting is wrong.
        """
        now = datetime.now(UTC)
        settings = self.settings()
        here = zone(settings.tz)
        return Request(
            paths=tuple(paths),
            since=moment("--since", self.since, now, here),
            until=moment("--until", self.until, now, here, whole_day=True),
            tasks=tuple(self.task or ()),
            projects=tuple(self.project or ()),
            models=tuple(self.model or ()),
            source=self.format,
            rules=tuple(self.rules or ()),
            settings=settings,
            trials=tuple(self.trial or ()),
            anonymize=self.anonymize,
            workers=self.workers,
            engine=self.engine,
            keep=not self.no_cache,
            now=now,
        )


CHOICE: Final = ("since", "until", "task", "project", "model")
"""The options that say which turns are looked at."""
READING: Final = ("no_cache", "engine", "workers")
"""The options that say how logs are read."""
LOOK: Final = ("rules", "anonymize", "tz", "set", "config", *READING)
"""The options that say how."""


def with_options(*names: str) -> Callable[[Command], Command]:
    """Give a command some of the options, behind its own; it takes them as its parameter `options`."""
    declared = {option.name: option for option in fields(Options)}
    shared = [
        Parameter(
            name, Parameter.KEYWORD_ONLY, default=declared[name].default, annotation=declared[name].type
        )
        for name in names
    ]

    def decorated(command: Command) -> Command:
        @wraps(command)
        def run(*arguments: Any, **given: Any) -> None:
            options = Options(**{name: given.pop(name, declared[name].default) for name in names})
            command(*arguments, **given, options=options)

        asked = signature(command)
        own = [parameter for name, parameter in asked.parameters.items() if name != _GIVEN]
        every = [*own, *shared]
        run.__signature__ = asked.replace(parameters=every)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in every}
        return run

    return decorated


__all__ = ["CHOICE", "LOOK", "READING", "Options", "with_options"]
