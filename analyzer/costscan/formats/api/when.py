"""When the call of a pair began and ended."""

from datetime import timedelta

from costscan.reading.conversation.call import LONGEST
from costscan.reading.io.timestamps import time_of


def start_of(*told: object) -> str | None:
    """Return the first of some times that is one, as it is told: a text, or seconds since 1970."""
    times = (str(at) for at in told if isinstance(at, str | int | float) and not isinstance(at, bool))
    return next((at for at in times if time_of(at) is not None), None)


def end_of(start: str | None, duration_ms: object) -> str | None:
    """Return the end of a call that took so long; its start where that cannot be."""
    at = time_of(start)
    if at is None or isinstance(duration_ms, bool) or not isinstance(duration_ms, int | float | str):
        return start
    try:
        seconds = float(duration_ms) / 1000
        likely = 0 <= seconds <= LONGEST.total_seconds()
        return (at + timedelta(seconds=seconds)).isoformat() if likely else start
    except (OverflowError, ValueError):
        return start
