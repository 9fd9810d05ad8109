"""Time zones: which day a moment is of. Names are those of the IANA database, or `local`.

Frames and files hold UTC; a zone decides only what a day is, where a date given without a time begins, and
how a time is shown to people.
"""

import os
import zoneinfo
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final

from costscan.errors import CostscanError, near

DEFAULT: Final = "UTC"
LOCAL: Final = "local"
_FOLDER: Final = "zoneinfo/"
_LINK, _FILE = Path("/etc/localtime"), Path("/etc/timezone")
_SAME: Final = frozenset({"Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"})
"""Other names of UTC, which machines are set to."""
_NO_PLACES: Final = frozenset({"Factory", "localtime", "posixrules"})
"""What the database holds beside zones."""


def zone_named(name: str, where: str) -> str:
    """Return the IANA name of a zone, for `local` that of this machine.

    Args:
        name: what the user wrote.
        where: where it was written, for the error.

    Raises:
        CostscanError: there is no such zone, or this machine does not say its own.
    """
    if name == LOCAL:
        local_zone = _local()
        if local_zone is None:
            raise CostscanError(f"{where}: this machine does not say its zone by name", "like Europe/Berlin")
        name = local_zone
    if _is_zone(name):
        return DEFAULT if name in _SAME else name
    every = sorted(zoneinfo.available_timezones() - _NO_PLACES)
    if not every:
        raise CostscanError(f"{where}: this machine has no time zone database", "pip install tzdata")
    names = [LOCAL, *every]
    alike = [zone for zone in names if zone.casefold() == name.casefold()]
    hint = (
        f"did you mean {alike[0]}?" if alike else near(name, names, otherwise="like Europe/Berlin, or local")
    )
    raise CostscanError(f"{where}: no such time zone", hint)


def here() -> str:
    """Return the zone of this machine; UTC where it does not say it by name."""
    name = _local() or DEFAULT
    return DEFAULT if name in _SAME else name


def zone(name: str) -> tzinfo:
    """Return the zone of a name that `zone_named` gave; UTC needs no database."""
    return UTC if name == DEFAULT else zoneinfo.ZoneInfo(name)


def shown(at: datetime, name: str) -> datetime:
    """Return a moment as clocks in a zone show it; at the ends of the calendar, as it is."""
    try:
        return at.astimezone(zone(name))
    except OverflowError:
        return at


def _is_zone(name: str) -> bool:
    if name == DEFAULT:
        return True
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return name in zoneinfo.available_timezones() - _NO_PLACES


def _local() -> str | None:
    """Return the zone of $TZ, else that of the system; UTC where it has none, as the C library does."""
    tz = os.environ.get("TZ")
    if tz is not None:
        name = tz.removeprefix(":").rpartition(_FOLDER)[2] or DEFAULT
        return name if _is_zone(name) else None
    for zone in (_linked(), _written()):
        if zone is not None and _is_zone(zone):
            return zone
    return None if _LINK.exists() or os.name == "nt" else DEFAULT


def _linked() -> str | None:
    try:
        target = str(_LINK.resolve())
    except OSError:
        return None
    return target.rpartition(_FOLDER)[2] if _FOLDER in target else None


def _written() -> str | None:
    try:
        return _FILE.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
