"""The arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from costscan import formats

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH",
        show_default=False,
        help="Logs: files, folders, patterns, or - for standard input; "
        ".jsonl .json .ndjson, plain, .gz or .zst.",
    ),
]
Output = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write a report too: .html (one page, opens offline), .md, .json, .parquet (a row per run), "
        ".csv, .sarif (findings), .prom (gauges), or DIR/ for every frame as Parquet. Repeatable.",
    ),
]
ComparisonOutput = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write a report of the comparison: .md, .json, .xml (JUnit), .csv, .prom, .sarif; or of the new "
        "logs alone: .parquet, .html. Repeatable.",
    ),
]
Baseline = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        show_default=False,
        help="What to compare with: a .parquet report, a folder of them, or logs.",
    ),
]
Before = Annotated[
    str,
    typer.Argument(
        metavar="BEFORE", show_default=False, help="A .parquet report, a folder of them, or logs."
    ),
]
After = Annotated[
    str, typer.Argument(metavar="AFTER", show_default=False, help="The same, after the change.")
]
FailOn = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-on",
        metavar="LIMIT",
        help="What fails: usd:+10%, usd:+0.50 (a run), usd_per_run.p95:2, usd_per_day:50, "
        "usd_per_tool[Bash]:3, cache_hit_rate:80%, findings:0, new-findings:0, or a rule like "
        "volatile-prefix:0; [TASK] after the metric for one task, [*] for each. Repeatable.",
    ),
]
GitHub = Annotated[
    bool,
    typer.Option(
        "--github",
        help="Annotate a job of GitHub Actions, and add the comparison to its summary.",
    ),
]
Top = Annotated[int | None, typer.Option(metavar="N", min=1, help="Show at most N rows of a table.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
Since = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Only turns from this time on: 2026-11-01, 2026-11-01T09:30, or 7d, 24h, 2w ago. "
        "In --tz where no zone is given.",
    ),
]
Tz = Annotated[
    str | None,
    typer.Option(
        "--tz",
        metavar="ZONE",
        show_default=False,
        help="The time zone of days and dates: a name like Asia/Tokyo, or local; UTC if not set.",
    ),
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Only turns before; a date counts whole.")]
Task = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Only runs of this task, with their sub-agents. Repeatable."),
]
Model = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Only turns of this model. Repeatable.")
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help=f"The format of all files, instead of what each looks like: {', '.join(formats.names())}.",
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
Rules = Annotated[
    list[Path] | None,
    typer.Option(
        "--rules",
        metavar="DIR",
        help="A folder of rules of your own, beside those that come along. Repeatable.",
    ),
]
Workers = Annotated[int | None, typer.Option(hidden=True, min=1)]
