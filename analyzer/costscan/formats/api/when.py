"""When the call of a pair began, gave its first token, and ended."""

from datetime import timedelta

from costscan.reading.conversation.call import LONGEST
from costscan.reading.io.timestamps import time_of


def start_of(*told: object) -> str | None:
    """Return the first of some times that is one, as it is told: a text, or seconds since 1970."""
    times = (str(at) for at in told if isinstance(at, str | int | float) and not isinstance(at, bool))
    return next((at for at in times if time_of(at) is not None), None)


def seconds_of(milliseconds: object) -> float | None:
    """Return how long something took within a call; None where no call takes so long, or it is no number."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float | str):
        return None
    try:
        seconds = float(milliseconds) / 1000
    except (OverflowError, ValueError):
        return None
    return seconds if 0 <= seconds <= LONGEST.total_seconds() else None


def between(start: str | None, first: str | None, end: str | None) -> float | None:
    """Return the seconds from the start of a call to its first token; None where that came with the end.

    Clients that do not stream tell the end of the answer in its place.
    """
    at, came, done = time_of(start), time_of(first), time_of(end)
    if at is None or came is None or (done is not None and came >= done):
        return None
    return seconds_of((came - at).total_seconds() * 1000)


def end_of(start: str | None, duration_ms: object) -> str | None:
    """Return the end of a call that took so long; its start where that cannot be."""
    at, seconds = time_of(start), seconds_of(duration_ms)
    if at is None or seconds is None:
        return start
    try:
        return (at + timedelta(seconds=seconds)).isoformat()
    except OverflowError:
        return start
