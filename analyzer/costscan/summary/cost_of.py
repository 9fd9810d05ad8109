"""What runs could cost, and what would have to be tested first."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from costscan.levers.catalogue import LATENCY, NEEDS_EVAL


def is_test(action: Mapping[str, Any]) -> bool:
    """Whether an action may change answers, or when they come."""
    return action["risk"] in {LATENCY, NEEDS_EVAL}


def could_be(run: Mapping[str, Any]) -> Decimal | None:
    """Return what a run would cost with all levers; None where that is not known."""
    cost: Decimal | None = run["usd_after_all"]
    return cost


__all__ = ["could_be", "is_test"]
