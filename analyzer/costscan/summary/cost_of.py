"""What would have to be tested first."""

from collections.abc import Mapping
from typing import Any

from costscan.levers.catalogue import LATENCY, NEEDS_EVAL


def is_test(action: Mapping[str, Any]) -> bool:
    """Whether an action may change answers, or when they come."""
    return action["risk"] in {LATENCY, NEEDS_EVAL}


__all__ = ["is_test"]
