"""Arguments and options of commands; those that most commands share are in `options`."""

from pathlib import Path
from typing import Annotated

import typer

from costscan.reports.endings import ANALYSIS, COMPARED, FOLDER, NEW_SIDE, TREND, listed

_LOGS = (
    "Logs: files, folders, patterns, addresses (s3://...), or - for standard input; "
    ".jsonl .json .ndjson, plain, .gz or .zst."
)
_LOGS_OR_STORE = f"{_LOGS} Or a store of `ingest`."
_CLIENTS = "Without it, those that clients keep on this machine."
Paths = Annotated[list[str], typer.Argument(metavar="PATH", show_default=False, help=_LOGS_OR_STORE)]
Logs = Annotated[list[str], typer.Argument(metavar="PATH", show_default=False, help=_LOGS)]
LogsOrDefault = Annotated[
    list[str] | None, typer.Argument(metavar="PATH", show_default=False, help=f"{_LOGS} {_CLIENTS}")
]
PathsOrDefault = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH",
        show_default=False,
        help=f"{_LOGS_OR_STORE} {_CLIENTS}",
    ),
]
Output = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help=f"Write a report too: {listed(ANALYSIS)}, or {FOLDER.name} for every frame as Parquet. "
        "Repeatable.",
    ),
]
ComparisonOutput = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help=f"Write a report of the comparison: {listed(COMPARED)}; or of the new logs alone: "
        f"{', '.join(NEW_SIDE)}. Repeatable.",
    ),
]
TrendOutput = Annotated[
    list[str] | None,
    typer.Option("--output", "-o", metavar="FILE", help=f"Write a report too: {listed(TREND)}. Repeatable."),
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
Promised = Annotated[
    Path | None,
    typer.Option(
        "--actions",
        metavar="FILE",
        show_default=False,
        help="A JSON report of before: say which of its actions are done, and how much came true.",
    ),
]
FailOn = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-on",
        metavar="LIMIT",
        help="What fails: usd:+10%, usd:+0.50 (a run), usd_per_run.p95:2, usd_per_day:50, "
        "usd_per_tool[Bash]:3, cache_hit_rate:80%, findings:0, new-findings:0, safe_actions:0, "
        "actions_usd:5, or a rule like volatile-prefix:0; [TASK] after the metric for one task, [*] for "
        "each. Repeatable.",
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
