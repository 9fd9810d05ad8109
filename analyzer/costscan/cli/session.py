"""One run of `analyze`: read, sum up, write."""

import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Final

from costscan import ingest
from costscan.cli.options import moment
from costscan.cli.progress import progress
from costscan.config import Settings
from costscan.config_values import near
from costscan.errors import CostscanError
from costscan.reports.targets import Target

if TYPE_CHECKING:
    from costscan.analysis import Analysis, Pricing, Selection
    from costscan.ingest import Reading
    from costscan.summary import Summary

_LATER: Final = "polars"
"""Slow to import, and not needed before the logs are read. (More in parallel was slower.)"""


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for."""

    paths: tuple[str, ...]
    targets: tuple[Target, ...]
    as_json: bool
    by: str | None
    top: int | None
    since: str | None
    until: str | None
    tasks: tuple[str, ...]
    models: tuple[str, ...]
    source: str | None
    workers: int | None
    now: datetime
    settings: Settings


def report(request: Request) -> None:
    """Read the logs and give every report that was asked for.

    Raises:
        CostscanError: something cannot be read, priced or written.
    """
    start = moment("--since", request.since, request.now)
    end = moment("--until", request.until, request.now, whole_day=True)
    threading.Thread(target=_import_meanwhile, daemon=True).start()
    with (
        progress(request.paths) as told,
        ingest.read(
            request.paths,
            source=request.source,
            workers=request.workers,
            on_bytes=told.read,
        ) as reading,
    ):
        told.adding_up()
        summary = _summed(request, reading, start, end)
    _print(request, summary)
    for found in request.targets:
        print(f"wrote {found.path}", file=sys.stderr)  # noqa: T201 - prose belongs there


def _import_meanwhile() -> None:
    """Import while files are read; whatever goes wrong is shown where the import is really needed."""
    with suppress(Exception):
        import_module(_LATER)


def _summed(request: Request, reading: "Reading", start: datetime | None, end: datetime | None) -> "Summary":
    from costscan.analysis import analyze  # noqa: PLC0415 - see _LATER
    from costscan.summary import summarize  # noqa: PLC0415

    pricing = _pricing(request.settings)
    selection = _selection(request, start, end)
    x = analyze(reading, pricing=pricing, selection=selection)
    _refuse_unknown(x, request, reading)
    summary = summarize(x, pricing=pricing, selection=selection, paths=request.paths, now=request.now)
    for found in request.targets:
        found.write(summary, x)
    return summary


def _pricing(settings: Settings) -> "Pricing":
    from costscan.analysis import Pricing  # noqa: PLC0415

    return Pricing(discount=settings.prices.share_paid, overrides=settings.prices.models or None)


def _selection(request: Request, start: datetime | None, end: datetime | None) -> "Selection | None":
    from costscan.analysis import Selection  # noqa: PLC0415
    from costscan.prices import identify  # noqa: PLC0415

    if start is None and end is None and not request.tasks and not request.models:
        return None
    found = [(name, identify(name)) for name in request.models]
    models = [ref.model if ref else name for name, ref in found]
    return Selection(since=start, until=end, tasks=request.tasks, models=models)


def _refuse_unknown(x: "Analysis", request: Request, reading: "Reading") -> None:
    """Tell a misspelt task or model from one that had nothing to do in the chosen time."""
    if x.turns.height or not (request.tasks or request.models):
        return
    from costscan.analysis import analyze  # noqa: PLC0415

    every = analyze(reading).turns
    for option, column, wanted in (("--task", "task", request.tasks), ("--model", "model", request.models)):
        known = every[column].unique().sort().to_list()
        raw = set(every["model_raw"]) if column == "model" else set()
        for name in wanted:
            if known and name not in {*known, *raw} and not _same_model(column, name, known):
                raise CostscanError(f"{option} {name}: none of these logs has it", near(name, known))


def _same_model(column: str, name: str, known: list[str]) -> bool:
    from costscan.prices import identify  # noqa: PLC0415

    ref = identify(name) if column == "model" else None
    return ref is not None and ref.model in known


def _print(request: Request, summary: "Summary") -> None:
    if request.as_json:
        from costscan.reports.json import encoded  # noqa: PLC0415

        sys.stdout.flush()
        sys.stdout.buffer.write(encoded(summary, top=request.top))
        return
    from costscan.reports.terminal import show  # noqa: PLC0415

    show(summary, by=request.by, top=request.top)
