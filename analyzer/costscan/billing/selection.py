"""What a user chooses: which turns to analyze, and at which prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import polars as pl

from costscan.names import meant, meant_folders
from costscan.prices import UNIT_COLUMNS, Overrides, as_of
from costscan.prices.basis import PriceBasis
from costscan.recorded_cost.unlogged import SUFFIX


@dataclass(frozen=True)
class Pricing:
    """Prices other than list: `discount` is the share of the list price that is paid."""

    discount: Decimal = Decimal(1)
    overrides: Overrides | None = None

    @property
    def basis(self) -> PriceBasis:
        """What reports say of these prices."""
        return PriceBasis(**as_of(), discount=1 - self.discount, own=tuple(self.overrides or ()))


@dataclass
class Selection:
    """What to analyze: turns from `since` up to `until`, on `models`, of runs of `tasks` and of `projects`.

    A task and a project own the sub-agents of their runs, and are named as `names` says.
    """

    since: datetime | None = None
    until: datetime | None = None
    tasks: Sequence[str] = ()
    projects: Sequence[str] = ()
    models: Sequence[str] = ()


def selected(calls: pl.DataFrame, runs: pl.DataFrame, selection: Selection | None) -> pl.DataFrame:
    """Keep only the selected calls; the others still say what was in the prompt before.

    Args:
        calls: the calls, with the `task` that owns them.
        runs: the runs that the log tells: run_id, project.
        selection: what was asked for; None for all.
    """
    if selection is None:
        return calls
    chosen = pl.lit(True)
    if selection.since is not None:
        chosen &= (pl.col("at") >= selection.since).fill_null(False)
    if selection.until is not None:
        chosen &= (pl.col("at") < selection.until).fill_null(False)
    if selection.tasks:
        chosen &= pl.col("task").is_in(meant(selection.tasks, calls["task"].unique(maintain_order=True)))
    if selection.projects:
        folders = meant_folders(selection.projects, runs["project"].drop_nulls())
        own = runs.filter(pl.col("project").is_in(folders))["run_id"]
        chosen &= pl.col("run_id").str.strip_suffix(SUFFIX).is_in(own.to_list())
    if selection.models:
        chosen &= pl.col("model").is_in(list(selection.models))
    unbilled = [
        pl.when("kept").then(pl.col(n)).otherwise(0).alias(n) for n in UNIT_COLUMNS.values() if n in calls
    ]
    return calls.with_columns(kept=pl.col("kept") & chosen).with_columns(unbilled)
