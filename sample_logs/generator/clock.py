"""Times as whole milliseconds since 1970, and the ISO form that logs use."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def parse(text: str) -> int:
    """Milliseconds of an ISO time such as `2026-10-14T09:12:07Z`."""
    return (datetime.fromisoformat(text) - _EPOCH) // _MS


def iso(at: int, *, precise: bool = True) -> str:
    """The ISO time in UTC, with milliseconds unless told otherwise."""
    moment = _EPOCH + at * _MS
    spec = "milliseconds" if precise else "seconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")
