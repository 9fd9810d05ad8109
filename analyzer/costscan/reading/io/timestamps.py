"""Times as logs write them, as moments."""

from datetime import UTC, datetime
from typing import Final

FIRST_YEAR: Final = 2020
LAST_YEAR: Final = 2100
"""No model answered before, and none will behind: such a time is damage."""


def time_of(text: str | None) -> datetime | None:
    """Return an ISO time, or a time in seconds or milliseconds since 1970, as UTC.

    None when it is no time, or one at which no model answered.
    """
    if not text:
        return None
    # 1796032632035 would pass for an ISO time, too: 20:35 on 26 March 1796.
    moment = _epoch_time(text) if _is_number(text) else _iso_time(text)
    return moment if moment is not None and FIRST_YEAR <= moment.year <= LAST_YEAR else None


def _is_number(text: str) -> bool:
    """Whether a text is a number that is longer than a date without hyphens."""
    return len(text) > len("20261130") and text[4] != "-" and text.replace(".", "", 1).isdecimal()


def _iso_time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        if text[-1] != "Z":
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return _epoch_time(text)
    return moment


def _epoch_time(text: str) -> datetime | None:
    try:
        seconds = float(text)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)  # noqa: PLR2004
    except (ValueError, OverflowError, OSError):
        return None
