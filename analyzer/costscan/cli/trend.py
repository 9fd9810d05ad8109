"""`costscan trend`: what each task costs over time."""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from costscan.cli import parameters as p
from costscan.cli.options import Options, with_options
from costscan.cli.printing import print_document, tell_written
from costscan.cli.session import diagnosed
from costscan.errors import CostscanError
from costscan.gate_pipeline import side
from costscan.reports.outputs import trend_target
from costscan.store.places import is_store

if TYPE_CHECKING:
    from costscan.gate import ComparisonSide
    from costscan.trend import Trend
    from costscan.trend.history import OfStore


class Metric(StrEnum):
    """What to look at."""

    USD = "usd"
    PROMPT_TOKENS = "prompt_tokens"
    OUTPUT_TOKENS = "output_tokens"
    TURNS = "turns"
    CACHE_HIT_RATE = "cache_hit_rate"


Reports = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH",
        show_default=False,
        help="Run reports: .parquet files of `analyze -o`, or folders of them; or a store of `ingest`.",
    ),
]


@with_options("since", "until", "task", "project", "tz", "set", "config", "workers")
def trend(
    path: Reports,
    *,
    metric: Annotated[Metric, typer.Option(help="What to look at, per run.")] = Metric.USD,
    output: p.TrendOutput = None,
    json: p.Json = False,
    top: Annotated[int | None, typer.Option(metavar="N", min=1, help="Show at most N tasks.")] = None,
    options: Options,
) -> None:
    """Show what each task costs over time, when that changed, and why.

    \b
    Examples:
      costscan analyze logs/ -o history/2026-11-01.parquet
      costscan trend history/
      costscan trend history/ --task nightly --metric cache_hit_rate
      costscan trend history/ --json --set check.false_alarm=0.01
      costscan trend ~/costs --since 90d

    A run that is in several reports counts once. A change is a step that lasts: in a task without one, chance
    alone shows one in 5% of cases at most (check.false_alarm). --since and --until are for stores.

    Exit codes: 0 fine, 2 cannot run (usage, unreadable input).
    """  # noqa: D301 - \b keeps the lines apart
    chosen = options.settings()
    targets = [trend_target(name) for name in output or ()]
    from costscan.trend import read_history  # noqa: PLC0415 - imports Polars
    from costscan.trend import trend as of_history  # noqa: PLC0415

    alarm = float(chosen.check.false_alarm)
    history = read_history(path, _reader(path, options))
    now = datetime.now(UTC)
    task_trends = of_history(
        history,
        metric.value,
        options.task or (),
        options.project or (),
        false_alarm=alarm,
        now=now,
        tz=chosen.tz,
    )
    for target in targets:
        target.write_trend(task_trends)
    _print(task_trends, as_json=json, top=top)
    tell_written(targets)


def _reader(paths: list[str], options: Options) -> "OfStore":
    """Return what reads a store.

    Raises:
        CostscanError: a time is given for reports alone.
    """
    request = options.request(paths)
    if (request.since or request.until) and not any(is_store(path) for path in paths):
        raise CostscanError(
            f"{paths[0]}: --since and --until choose turns, and a report has runs",
            "choose them where the report is made: costscan analyze LOGS --since TIME -o FILE.parquet",
        )

    def read(path: str) -> "ComparisonSide":
        with side(replace(request, paths=(path,)), diagnosed) as own:
            return own.side

    return read


def _print(task_trends: "Trend", *, as_json: bool, top: int | None) -> None:
    if as_json:
        from costscan.reports.trend.json import encoded  # noqa: PLC0415 - imports Polars

        print_document(encoded(task_trends, top=top))
        return
    from costscan.reports.text.console import printed, width_of  # noqa: PLC0415
    from costscan.reports.trend.terminal import render  # noqa: PLC0415

    printed(render(task_trends, width=width_of(sys.stdout), top=top))
