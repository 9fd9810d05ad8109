"""What to do, as reports show it."""

from typing import Any

import polars as pl

from costscan.actions import Advised


def actions(analysis: Advised) -> list[dict[str, Any]]:
    """Return the actions in their order, the fingerprints of their findings as a list."""
    return [row | {"findings": row["findings"].split()} for row in analysis.actions.to_dicts()]


def saved_of_runs(analysis: Advised) -> pl.DataFrame:
    """Return what each action saves of each run with its sub-agents, most first.

    Columns: root_run_id, rank, saved_usd.
    """
    return (
        analysis.rooted(analysis.of_runs)
        .group_by("root_run_id", "rank")
        .agg(pl.col("saved_usd").sum())
        .sort("saved_usd", "rank", "root_run_id", descending=[True, False, False])
    )


__all__ = ["actions", "saved_of_runs"]
