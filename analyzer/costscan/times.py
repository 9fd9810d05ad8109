"""Words of the command line to values: moments, turns."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from costscan.errors import CostscanError

_AGO: Final = re.compile(r"(\d{1,6})\s*([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPAN: Final = re.compile(r"(\d{0,9})(-?)(\d{0,9})")
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


class Span(NamedTuple):
    """Some turns of a run, counted from 0, the last one None for its end; `words` are those of the user."""

    first: int
    last: int | None
    words: str


def span(option: str, words: str) -> Span:
    """Return the turns that are meant by 5, 0-20, 5- or -10.

    Raises:
        CostscanError: it is none of these.
    """
    found = _SPAN.fullmatch(words.strip())
    if found is not None and (found[1] or found[3]):
        first = int(found[1] or 0)
        last = int(found[3]) if found[3] else None if found[2] else first
        if last is None or first <= last:
            return Span(first, last, words)
    raise CostscanError(f"{option} {words}: no turns are named so", "like 5, 0-20, 5- or -10")
