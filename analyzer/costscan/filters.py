"""Which turns are asked for: what is chosen, and what to say where a filter fits nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from costscan.errors import CostscanError, near
from costscan.names import last_part, meant, meant_folders
from costscan.request import Request

if TYPE_CHECKING:
    import polars as pl

    from costscan.billing import Billed, Selection
    from costscan.ingest import Reading
    from costscan.recorded_cost import Recorded


def selection(request: Request) -> "Selection | None":
    """Return which turns are asked for; None for all."""
    from costscan.billing import Selection  # noqa: PLC0415
    from costscan.prices import identify  # noqa: PLC0415

    span = (request.since, request.until)
    if span == (None, None) and not (request.tasks or request.projects or request.models):
        return None
    asked_models = [(name, identify(name)) for name in request.models]
    models = [ref.model if ref else name for name, ref in asked_models]
    return Selection(*span, tasks=request.tasks, projects=request.projects, models=models)


def refuse_empty(
    turns: "pl.DataFrame",
    runs: "pl.DataFrame",
    recorded: "Sequence[Recorded]",
    request: Request,
    reading: "Reading",
) -> None:
    """Refuse logs without a call, and tell a misspelt task or model from one that had nothing to do.

    Raises:
        CostscanError: there is no call, or none of those that were asked for.
    """
    is_empty = not turns.height and not (recorded and selection(request) is None)
    if not is_empty and (request.may_lack or _all_met(request, turns, runs)):
        return
    from costscan.billing import Pricing, billed  # noqa: PLC0415

    if reading.whole is None:
        every = billed(reading, Pricing(), None)[1]
    else:
        with reading.whole() as all_files:
            every = billed(all_files, Pricing(), None)[1]
    _refuse_misspelt(request, every)
    if is_empty:
        paths = ", ".join(request.paths)
        raise CostscanError(f"{paths}: no model call in these logs", _what_there_is(every.turns))


def _all_met(request: Request, turns: "pl.DataFrame", runs: "pl.DataFrame") -> bool:
    """Whether there is a call of each task and project that was asked for."""
    asked = {"--task": request.tasks, "--project": request.projects}
    if not any(asked.values()):
        return True
    found = {"--task": turns["task"].unique(), "--project": runs["project"].drop_nulls().unique()}
    return all(_fits(option, name, found[option]) for option, names in asked.items() for name in names)


def _refuse_misspelt(request: Request, every: "Billed") -> None:
    """Refuse a task, project or model that there is not.

    Raises:
        CostscanError: one of those that were asked for is not there.
    """
    models = every.turns["model"].unique().sort().to_list()
    raw = {*models, *every.turns["model_raw"]}
    for name in request.models:
        if models and name not in raw and not _same_model(name, models):
            raise CostscanError(f"--model {name}: none of these logs has it", near(name, models))
    refuse_unmeant("--task", request.tasks, every.turns["task"].unique())
    refuse_unmeant("--project", request.projects, every.runs["project"].drop_nulls())


def refuse_unmeant(
    option: str, patterns: Sequence[str], names: Iterable[str], where: str = "these logs"
) -> None:
    """Refuse a filter that no name fits, and name those that are near.

    Raises:
        CostscanError: there is such a filter.
    """
    every = sorted(set(names))
    for pattern in patterns:
        if not _fits(option, pattern, every):
            shown = list(dict.fromkeys(map(last_part, every) if option == "--project" else every))
            hint = near(pattern, shown) if shown else f"they tell no {option[2:]}"
            raise CostscanError(f"{option} {pattern}: none of {where} has it", hint)


def _fits(option: str, pattern: str, names: Iterable[str]) -> bool:
    return bool((meant_folders if option == "--project" else meant)([pattern], names))


def _what_there_is(every: "pl.DataFrame") -> str:
    """Return what calls there would be without a selection, in words."""
    if every.is_empty():
        return "costscan reads model calls: the lines of these files tell none"
    first, last = every["at"].min(), every["at"].max()
    days = ""
    if isinstance(first, datetime) and isinstance(last, datetime):
        days = f", from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    return f"without --since, --until, --task, --project and --model there are {every.height:,}{days}"


def _same_model(name: str, names: list[str]) -> bool:
    from costscan.prices import identify  # noqa: PLC0415

    ref = identify(name)
    return ref is not None and ref.model in names
