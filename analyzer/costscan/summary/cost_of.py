"""What would have to be tested first."""

from collections.abc import Mapping
from typing import Any

from costscan.levers.catalogue import is_to_be_tested


def is_test(action: Mapping[str, Any]) -> bool:
    """Whether an action may change answers, or when they come."""
    return is_to_be_tested(action["risk"])


__all__ = ["is_test"]
