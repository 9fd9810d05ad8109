"""`costscan analyze`: the report."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from costscan.config import load
from costscan.reports.targets import target


class By(StrEnum):
    """The tables the terminal can show."""

    RUN = "run"
    TASK = "task"
    MODEL = "model"
    TOOL = "tool"
    DAY = "day"


Output = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write a report too: .json, .parquet (a row per run), .csv, or DIR/ for "
        "every frame as Parquet. Repeatable.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set a setting, like prices.discount=0.1. Repeatable."),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="Settings to use instead of costscan.toml or pyproject.toml."
    ),
]


def analyze(
    path: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            show_default=False,
            help=(
                "Logs: files, folders, patterns, or - for standard input; "
                ".jsonl .json .ndjson, plain, .gz or .zst."
            ),
        ),
    ],
    *,
    output: Output = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    by: Annotated[
        By | None, typer.Option(help="Show the bill by this instead of the usual tables.", show_default=False)
    ] = None,
    top: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Show at most N rows of a table.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Only turns from this time on: 2026-11-01, 2026-11-01T09:30, or 7d, 24h, 2w ago. "
            "UTC where no zone is given.",
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only turns before; a date counts whole.")
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only runs of this task. Repeatable.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only turns of this model. Repeatable.")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="The format of all files, instead of what each looks like: claude_code, "
            "claude_stream, messages_api.",
        ),
    ] = None,
    settings: Set = None,
    config: Config = None,
    workers: Annotated[int | None, typer.Option(hidden=True, min=1)] = None,
) -> None:
    """Say what the runs in some logs cost, and where the money went.

    \b
    Examples:
      costscan analyze ~/.claude/projects --since 7d
      costscan analyze runs.jsonl.gz --by tool --top 30
      costscan analyze logs/ -o report.parquet -o report.json
      cat runs.jsonl | costscan analyze - --json

    Reports go to standard output, progress and errors to standard error.
    Exit codes: 0 fine, 2 cannot run (usage, unreadable input, no usable line).
    """  # noqa: D301 - \b keeps the lines apart
    from costscan.cli.session import Request, report  # noqa: PLC0415 - imports what reads logs

    now = datetime.now(UTC)
    report(
        Request(
            paths=tuple(path),
            targets=tuple(target(name) for name in output or ()),
            as_json=json,
            by=by.value if by else None,
            top=top,
            since=since,
            until=until,
            tasks=tuple(task or ()),
            models=tuple(model or ()),
            source=format_,
            workers=workers,
            now=now,
            settings=load(Path.cwd(), file=config, assignments=settings or ()),
        )
    )
