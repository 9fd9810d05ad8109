"""When a call began, where a log has only the time at which its answer was there."""

from datetime import timedelta
from typing import Final

from costscan.reading.io.timestamps import time_of

LONGEST: Final = timedelta(minutes=10)
"""A call is taken to last at most so long: Anthropic's own clients give up then.

Source: `DEFAULT_TIMEOUT` in `_constants.py` of the anthropic SDK.
"""
_TO_TEN_MINUTES: Final = len("2026-07-01T12:3")


def began(before: str | None, end: str | None) -> str | None:
    """Return the time at which a call began: that of the line before it, or `LONGEST` before its own line.

    The later of the two counts: a line that is older says nothing of the call. Without a time of its own, or
    with one that cannot be read, a call takes that of the line before; all times are as the log writes them.
    """
    if before is None or end is None:
        return before or end
    if before[:_TO_TEN_MINUTES] == end[:_TO_TEN_MINUTES] and before[-1:] == end[-1:] == "Z":
        return before
    at, ended = time_of(before), time_of(end)
    if at is None or ended is None or at > ended or ended - at <= LONGEST:
        return before
    return (ended - LONGEST).isoformat()
