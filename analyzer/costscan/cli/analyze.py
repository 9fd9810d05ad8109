"""`costscan analyze`: the report."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from costscan.cli import parameters as p
from costscan.cli.options import CHOICE, LOOK, Options, with_options
from costscan.cli.printing import print_document, tell_written
from costscan.cli.session import diagnosed
from costscan.reports.outputs import target

if TYPE_CHECKING:
    from costscan.summary import Summary


class By(StrEnum):
    """The tables the terminal can show."""

    RUN = "run"
    TASK = "task"
    MODEL = "model"
    TOOL = "tool"
    PROJECT = "project"
    BRANCH = "branch"
    USER = "user"
    SESSION = "session"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    SERVER = "server"
    SKILL = "skill"
    KIND = "kind"
    AGENT = "agent"
    LEVER = "lever"


class Rank(StrEnum):
    """What the worst runs are ranked by."""

    COST = "cost"
    WASTE = "waste"
    CACHING = "caching"
    TRIMMING = "trimming"
    ROUTING = "routing"
    BATCHING = "batching"


@with_options(*CHOICE, "format", "client", "trial", *LOOK)
def analyze(
    path: p.PathsOrDefault = None,
    *,
    output: p.Output = None,
    json: p.Json = False,
    by: Annotated[
        By | None,
        typer.Option(
            metavar="WHAT",
            help=f"Show the bill by this instead of the usual tables: {', '.join(By)}. Branch: of git, that "
            "a session began on; user: of metadata.user_id; server: of MCP; kind: of content; agent: type of "
            "sub-agent; lever: what would have saved how much.",
            show_default=False,
        ),
    ] = None,
    rank: Annotated[
        Rank,
        typer.Option(help="Rank runs by cost, by what all levers would have saved (waste), or by one lever."),
    ] = Rank.COST,
    top: p.Top = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show all of the report, not the first screen alone.")
    ] = False,
    options: Options,
) -> None:
    """Say what the runs in some logs cost, and where the money went.

    \b
    Examples:
      costscan analyze --since 7d --client codex
      costscan analyze runs.jsonl.gz --by tool --top 30
      costscan analyze logs/ -o report.html -o report.parquet
      cat runs.jsonl | costscan analyze - --json

    Reports go to standard output, progress and errors to standard error.
    Exit codes: 0 fine, 2 cannot run (usage, unreadable input, no usable line).
    """  # noqa: D301 - \b keeps the lines apart
    targets = [target(name) for name in output or ()]
    with diagnosed(options.request(options.paths(path)), rank=rank.value) as (diagnosis, summary):
        for report in targets:
            report.write(summary, diagnosis)
    _print(summary, as_json=json, by=by.value if by else None, top=top, verbose=verbose)
    tell_written(targets)


def _print(summary: "Summary", *, as_json: bool, by: str | None, top: int | None, verbose: bool) -> None:
    if as_json:
        from costscan.reports.analysis.json import encoded  # noqa: PLC0415 - imports Polars

        print_document(encoded(summary, top=top))
        return
    from costscan.reports.analysis.terminal import show  # noqa: PLC0415

    show(summary, by=by, top=top, verbose=verbose)
