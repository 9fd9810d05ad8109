"""`costscan usage`: totals, and nothing else."""

import sys
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from costscan import pipeline
from costscan.cli import parameters as p
from costscan.cli.options import CHOICE, READING, Options, with_options
from costscan.cli.printing import print_document
from costscan.cli.progress import progress
from costscan.cli.warn import warn
from costscan.zones import DEFAULT, here

if TYPE_CHECKING:
    from costscan.totals import Totals


class By(StrEnum):
    """What to sum by."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    HOUR = "hour"
    SESSION = "session"
    PROJECT = "project"
    BRANCH = "branch"
    USER = "user"
    MODEL = "model"
    BLOCK = "block"


@with_options(*CHOICE, "format", "client", "tz", "set", "config", *READING)
def usage(
    path: p.PathsOrDefault = None,
    *,
    by: Annotated[
        By,
        typer.Option(
            help="What to sum by; branch: of git, that a session began on; user: of metadata.user_id; block: "
            "the 5-hour windows of a subscription."
        ),
    ] = By.DAY,
    breakdown: Annotated[bool, typer.Option("--breakdown", help="Show the models of each row.")] = False,
    json: p.Json = False,
    top: p.Top = None,
    options: Options,
) -> None:
    """Sum up what was spent: tokens and dollars by day, session, project or model.

    \b
    Examples:
      costscan usage
      costscan usage --by month --breakdown
      costscan usage ~/.claude/projects --by project --since 7d
      costscan usage --by block --json

    Days are those of this machine, in JSON those of UTC, unless --tz says otherwise. The sums are those of
    `analyze`: less of the logs is read for them.

    Exit codes: 0 fine, 2 cannot run (usage, unreadable input, no usable line).
    """  # noqa: D301 - \b keeps the lines apart
    paths = options.paths(path)
    if not json and options.tz is None and options.settings().tz == DEFAULT:
        options = replace(options, tz=here())
    request = options.request(paths)
    with progress(request.paths) as watch:
        totals = pipeline.total(request, by.value, watch)
    warn(f"{path}: not read: {reason}" for path, reason in totals.unread.items())
    _print(totals, as_json=json, top=top, breakdown=breakdown)


def _print(totals: "Totals", *, as_json: bool, top: int | None, breakdown: bool) -> None:
    if as_json:
        from costscan.reports.totals.json import encoded  # noqa: PLC0415 - imports Polars

        print_document(encoded(totals, breakdown=breakdown))
        return
    from costscan.reports.text.console import printed, width_of  # noqa: PLC0415
    from costscan.reports.totals.terminal import render  # noqa: PLC0415

    printed(render(totals, width=width_of(sys.stdout), top=top, breakdown=breakdown))
