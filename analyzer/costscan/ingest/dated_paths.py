"""Paths with a day in them: `logs/{date:%Y/%m/%d}/` is a folder for each day that is looked at."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from costscan.errors import CostscanError

_PLACE: Final = re.compile(r"\{date:([^{}]*)\}")
MAX_DAYS: Final = 3660


class Moments(NamedTuple):
    """The moments that are looked at: from `since` (None: from the beginning) to `until`."""

    since: datetime | None
    until: datetime


def is_dated(path: str) -> bool:
    """Whether a path has a day in it."""
    return _PLACE.search(path) is not None


def of_each_day(path: str, moments: Moments | None) -> list[str]:
    """Return a path with each `{date:FORMAT}` as the days of UTC in turn, each path once.

    FORMAT is that of `strftime`. Days that have no logs are left to whoever looks for them.

    Raises:
        CostscanError: it is not said from when on, or the days are more than ten years.

    >>> moments = Moments(datetime(2026, 10, 30, 9, tzinfo=UTC), datetime(2026, 11, 1, 1, tzinfo=UTC))
    >>> of_each_day("s3://logs/{date:%Y/%m}/{date:%d}.jsonl", moments)
    ['s3://logs/2026/10/30.jsonl', 's3://logs/2026/10/31.jsonl', 's3://logs/2026/11/01.jsonl']
    >>> of_each_day("logs/{date:%Y-%m}/", moments)
    ['logs/2026-10/', 'logs/2026-11/']
    """
    if moments is None or moments.since is None:
        raise CostscanError(f"{path}: of which days?", "say from when on: --since 7d")
    first, last = moments.since.astimezone(UTC).date(), moments.until.astimezone(UTC).date()
    count = (last - first).days + 1
    if count > MAX_DAYS:
        raise CostscanError(f"{path}: these are {count:,} days", "say from when on: --since 7d")
    days = (first + timedelta(days=n) for n in range(count))
    return list(dict.fromkeys(_on(path, datetime.combine(day, datetime.min.time(), UTC)) for day in days))


def _on(path: str, day: datetime) -> str:
    return _PLACE.sub(lambda found: day.strftime(found[1]), path)


__all__ = ["Moments", "is_dated", "of_each_day"]
