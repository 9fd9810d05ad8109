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
    try:
        moment = datetime.fromisoformat(text)
        if text[-1] != "Z":
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        epoch = _epoch_time(text)
        if epoch is None:
            return None
        moment = epoch
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def _epoch_time(text: str) -> datetime | None:
    try:
        seconds = float(text)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)  # noqa: PLR2004
    except (ValueError, OverflowError, OSError):
        return None
