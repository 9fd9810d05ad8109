"""What sets the price of a call beside its model: its tier, its speed and its place."""

from functools import lru_cache
from typing import Any, Final

from costscan.reading.conversation.usage import Usage

_PLAIN_TIERS: Final = frozenset({"default", "auto"})
"""What gateways call the standard tier."""


@lru_cache(maxsize=256)
def modes_of(own_tier: str | None, tier: object, speed: object, geo: object) -> tuple[str, str, str | None]:
    """Return the modes for what a log tells of them; a tier that is not known has no price."""
    named = own_tier or _mode(tier)
    plain = named is None or named in _PLAIN_TIERS
    return "standard" if plain else str(named), _mode(speed) or "standard", _geo(geo)


def mode_of(usage: Usage) -> tuple[str, str, str | None]:
    """Return the tier, the speed and the place of inference that set the price of a usage."""
    tier = _word(usage.service_tier)
    return (
        tier if tier in {"batch", "priority"} else "standard",
        _word(usage.speed) or "standard",
        _geo(usage.inference_geo),
    )


def _geo(value: Any) -> str | None:
    region = _mode(value)
    return None if region in {None, "not_available"} else region


def _mode(value: Any) -> str | None:
    """Return a mode as the log tells it, None where it tells none; what is no text is told, and not known."""
    if value is None or type(value) is str:
        return value or None
    return "unknown"


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
