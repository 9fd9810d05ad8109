"""What to do, as reports show it."""

from typing import Any

import polars as pl

from costscan.actions import Advised
from costscan.summary.model import RunAfter


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


def after_actions(saved: pl.DataFrame) -> dict[str, RunAfter]:
    """Return by root run what all actions save of it, and which one saves most; none where nothing does.

    Args:
        saved: from `saved_of_runs`.
    """
    runs = saved.group_by("root_run_id", maintain_order=True).agg(
        pl.col("saved_usd").sum(), pl.col("rank").first(), most=pl.col("saved_usd").first()
    )
    saving = runs.filter(pl.col("most") > 0).select("root_run_id", "saved_usd", "rank")
    return {run: RunAfter(saved, rank) for run, saved, rank in saving.iter_rows()}


__all__ = ["actions", "after_actions", "saved_of_runs"]
