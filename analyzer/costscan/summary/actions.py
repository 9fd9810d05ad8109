"""What to do, as reports show it."""

from typing import Any

from costscan.actions import Advised


def actions(analysis: Advised) -> list[dict[str, Any]]:
    """Return the actions in their order, the fingerprints of their findings as a list."""
    return [row | {"findings": row["findings"].split()} for row in analysis.actions.to_dicts()]


__all__ = ["actions"]
