"""What would have to be tested first."""

from collections.abc import Mapping
from typing import Any

from costscan.levers.catalogue import TO_BE_TESTED


def is_test(action: Mapping[str, Any]) -> bool:
    """Whether an action may change answers, or when they come."""
    return action["risk"] in TO_BE_TESTED


__all__ = ["is_test"]
