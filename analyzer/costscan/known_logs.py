"""Logs that were looked at before: whether they are as they were, and what that question was."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from costscan import cache_folder
from costscan.errors import CostscanError
from costscan.request import Request

if TYPE_CHECKING:
    import polars as pl

    from costscan.ingest import Moments
    from costscan.ingest.found import Found
    from costscan.kept_answers import Place
    from costscan.kept_stages import KeptStages

_HOUR = timedelta(hours=1)


def logs_found(request: Request) -> "Found | None":
    """Return the logs, where what is made of them may be kept."""
    if not request.keep or store_of(request) is not None:
        return None
    from costscan.ingest.found import find  # noqa: PLC0415 - not needed to start

    return find(request.paths, moments_of(request))


def state_of(request: Request, found: "Found | None") -> bytes | None:
    """Return what is another as soon as logs, or a store, are; None where that cannot be told."""
    if found is not None:
        return found.state()
    if not request.keep or cache_folder.is_off() or (store := store_of(request)) is None:
        return None
    from costscan.store.places import state  # noqa: PLC0415 - not needed to start

    return state(store)


def place_of_totals(request: Request, by: str, state: bytes | None) -> "Place | None":
    """Return where totals are kept; None where logs may change unnoticed, or nobody asks the same again."""
    from costscan.totals import kept  # noqa: PLC0415

    if state is None or not _is_asked_again(request):
        return None
    settings = request.settings
    return kept.place(state, (request.paths, by, settings.tz, settings.prices, *_chosen(request)))


def stages_of(request: Request, state: bytes | None, turns: "pl.DataFrame") -> "KeptStages":
    """Return what stages gave for the same logs and settings; what has no time is billed as of today.

    Args:
        request: what is asked.
        state: that of the logs, from `state_of`.
        turns: those that are looked at, whatever moment "seven days ago" is.
    """
    from costscan.kept_stages import KeptStages, digest_of_turns  # noqa: PLC0415 - imports Polars

    window = [_about(at, request.now) for at in (request.since, request.until)]
    only = (request.tasks, request.projects, request.models, request.source, *window)
    question = (request.paths, request.settings, request.anonymize, *only)
    today = request.now.date().isoformat().encode()
    chosen = digest_of_turns(turns) + today
    return KeptStages(question, lambda: state_of(request, logs_found(request)), state, chosen)


def _about(at: datetime | None, now: datetime) -> datetime | float | None:
    """Return a moment; of one like "seven days ago", how many hours ago it is."""
    return at if at is None or not at.microsecond else round((now - at) / _HOUR)


def _is_asked_again(request: Request) -> bool:
    """Whether the same may be asked again: "seven days ago" is another moment each time."""
    return not any(at is not None and at.microsecond for at in (request.since, request.until))


def _chosen(request: Request) -> tuple[object, ...]:
    """Return what is chosen of logs."""
    only = (request.tasks, request.projects, request.models)
    return (request.since, request.until, *only, request.source)


def moments_of(request: Request) -> "Moments":
    """Return the moments whose days paths with a date in them mean."""
    from costscan.ingest import Moments  # noqa: PLC0415 - not needed to start

    return Moments(request.since, request.until or request.now)


def store_of(request: Request) -> str | None:
    """Return the store that is asked for; None where logs are.

    Raises:
        CostscanError: a store is named beside other paths, or with a format.
    """
    from costscan.store.places import is_store  # noqa: PLC0415 - not needed to start

    store = next((path for path in request.paths if is_store(path)), None)
    if store is not None and len(request.paths) > 1:
        raise CostscanError(f"{store}: a store is looked at alone", "ingest the other logs into it, too")
    if store is not None and request.source is not None:
        raise CostscanError(
            f"{store}: --format says what logs are, and a store knows", "say it where they are ingested"
        )
    return store


__all__ = ["logs_found", "moments_of", "place_of_totals", "stages_of", "state_of", "store_of"]
