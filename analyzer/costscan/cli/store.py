"""`costscan store`: what a store holds, and its upkeep."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from costscan.cli import parameters as p
from costscan.cli.options import Options, with_options
from costscan.errors import CostscanError
from costscan.pipeline import pricing
from costscan.times import moment
from costscan.zones import zone

if TYPE_CHECKING:
    from costscan.store.manifest import Manifest
    from costscan.store.places import Place
    from costscan.store.upkeep import Damage

store = typer.Typer(
    help="Show what a store holds, merge its small files, drop what is old, find and mend damage.",
    no_args_is_help=True,
)
Path = Annotated[str, typer.Argument(metavar="STORE", help="The store: a folder, or an address.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


class Table(StrEnum):
    """What can be queried."""

    TURNS = "turns"
    CALLS = "calls"
    COPIES = "copies"
    BLOCKS = "blocks"
    BREAKS = "breaks"
    WINDOWS = "windows"
    PREFIXES = "prefixes"
    MOVED = "moved"
    RECORDED = "recorded"
    AGENTS = "agents"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


@store.command("info")
def info(path: Path, *, json: p.Json = False) -> None:
    """Say how much there is, and of which days."""
    from costscan.reports.listings.store import info as shown  # noqa: PLC0415 - imports Polars

    sys.stdout.write(shown(*_opened(path), as_json=json))


@store.command("files")
def files(
    path: Path,
    *,
    table: Annotated[Table, typer.Option(help="The table.")] = Table.TURNS,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only the days from this one on (UTC).")
    ] = None,
) -> None:
    """Print the Parquet files of a table, one a line: just those that are the store now.

    \b
    Example:
      costscan store files ~/costs --table turns
    """  # noqa: D301 - \b keeps the lines apart
    import polars as pl  # noqa: PLC0415 - slow to import

    place, manifest = _opened(path)
    own = manifest.parts.filter(pl.col("table") == table.value)
    if since is not None:
        own = own.filter(pl.col("day") >= _moment("--since", since).date())
    sys.stdout.write("".join(f"{place.address(name)}\n" for name in own["name"].sort()))


@store.command("compact")
def compact(path: Path) -> None:
    """Merge small files of a day and project into larger ones, of about 64 MB."""
    from costscan.reports.listings.store import megabytes  # noqa: PLC0415 - imports Polars
    from costscan.store.upkeep import compact as merge  # noqa: PLC0415

    place, _ = _opened(path)
    done = merge(place)
    typer.echo(f"{done.before:,} parts are {done.after:,} now, {megabytes(done.bytes)}")
    if done.garbage:
        typer.echo(f"removed {done.garbage:,} files that belonged to nothing")


@store.command("prune")
@with_options("set", "config")
def prune(
    path: Path,
    *,
    before: Annotated[
        str, typer.Option(metavar="DATE", help="What was before: 2026-01-01 (UTC), or 365d ago.")
    ],
    yes: Yes = False,
    options: Options,
) -> None:
    """Drop the rows of logs all of whose calls were before a day. They are not read again.

    \b
    Example:
      costscan store prune ~/costs --before 365d
    """  # noqa: D301 - \b keeps the lines apart
    from costscan.store.upkeep import prune as drop  # noqa: PLC0415 - imports Polars
    from costscan.store.upkeep import to_prune  # noqa: PLC0415

    place, manifest = _opened(path)
    at = _moment("--before", before)
    old = to_prune(manifest, at)
    if not old.height:
        typer.echo(f"no log has all its calls before {at:%Y-%m-%d %H:%M} UTC")
        return
    what = (
        f"{old.height:,} of {manifest.live.height:,} logs have all their calls before {at:%Y-%m-%d %H:%M} UTC"
    )
    if _is_meant(f"{what}; drop their rows?", yes=yes):
        typer.echo(f"dropped the rows of {drop(place, at, pricing(options.settings())):,} logs")


@store.command("check")
@with_options("set", "config")
def check(
    path: Path,
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Drop what is damaged, so that the next ingest reads it anew.")
    ] = False,
    options: Options,
) -> None:
    """Read every file of a store and say whether it is what was written.

    Exit codes: 0 fine, 1 something is damaged, 2 cannot run.
    """
    from costscan.store.upkeep import damage  # noqa: PLC0415 - imports Polars
    from costscan.store.upkeep import repair as mend  # noqa: PLC0415

    place, manifest = _opened(path)
    found = mend(place, pricing(options.settings())) if repair else damage(place, manifest)
    _tell(found, manifest, path, repaired=repair)
    raise typer.Exit(1 if found.parts and not repair else 0)


def _tell(found: "Damage", manifest: "Manifest", path: str, *, repaired: bool) -> None:
    from costscan.reports.text.sanitize import inert, unheeded  # noqa: PLC0415 - seldom needed

    if not found.parts:
        typer.echo(f"{manifest.parts.height:,} parts are what was written")
        return
    for what in found.parts.values():
        typer.echo(unheeded(inert(what)))
    if found.logs:
        typer.echo(f"rows of {len(found.logs):,} logs were in them:")
        for log in found.logs:
            typer.echo(unheeded(f"  {inert(log)}"))
    if repaired:
        typer.echo("dropped; ingest the logs again to have their rows back")
    else:
        typer.echo(
            f"costscan store check {inert(path)} --repair drops them, and the next ingest reads the logs"
        )


def _opened(path: str) -> "tuple[Place, Manifest]":
    from costscan.store.manifest import newest  # noqa: PLC0415 - imports Polars
    from costscan.store.places import place  # noqa: PLC0415

    where = place(path)
    manifest = newest(where)
    if not manifest.number:
        raise CostscanError(f"{path}: there is no store", f"make one: costscan ingest LOGS --store {path}")
    return where, manifest


def _moment(option: str, text: str) -> datetime:
    at = moment(option, text, datetime.now(UTC), zone("UTC"))
    assert at is not None  # noqa: S101 - it is given
    return at


def _is_meant(question: str, *, yes: bool) -> bool:
    """Return whether something is wanted.

    Raises:
        CostscanError: nobody is there to say so.
    """
    if yes:
        return True
    if not (sys.stdin is not None and sys.stdin.isatty()):
        raise CostscanError(f"{question.rstrip('?')}: there is no terminal to ask on", "--yes does it")
    return typer.confirm(question)
