"""Words of the command line to values: moments, files to write."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from costscan.errors import CostscanError

_AGO: Final = re.compile(r"(\d{1,6})\s*([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def moment(
    option: str, text: str | None, now: datetime, zone: tzinfo = UTC, *, whole_day: bool = False
) -> datetime | None:
    """Return the time a user means: an ISO date or time (of `zone` where it says none), or 7d, 24h, 2w ago.

    Of a `whole_day` it is the end: that of the calendar day, which may have 23 or 25 hours.

    Raises:
        CostscanError: it is none of these.
    """
    if text is None:
        return None
    text = text.strip()
    try:
        if ago := _AGO.fullmatch(text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        at = datetime.fromisoformat(text)
        if whole_day and _DAY.fullmatch(text):
            at += timedelta(days=1)
        return (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CostscanError(
            f"{option} {text}: no such time", "like 2026-11-01, 2026-11-01T09:30 or 7d"
        ) from None
