"""What a user chooses: which turns to analyze, and at which prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import polars as pl

from costscan.prices import UNIT_COLUMNS, Overrides, as_of
from costscan.prices.basis import PriceBasis


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
    """What to analyze: turns from `since` up to `until`, on `models`, of runs of `tasks`.

    A task owns the sub-agents of its runs.
    """

    since: datetime | None = None
    until: datetime | None = None
    tasks: Sequence[str] = ()
    models: Sequence[str] = ()


def selected(calls: pl.DataFrame, selection: Selection | None) -> pl.DataFrame:
    """Keep only the selected calls; the others still say what was in the prompt before."""
    if selection is None:
        return calls
    chosen = pl.lit(True)
    if selection.since is not None:
        chosen &= (pl.col("at") >= selection.since).fill_null(False)
    if selection.until is not None:
        chosen &= (pl.col("at") < selection.until).fill_null(False)
    if selection.tasks:
        chosen &= pl.col("task").is_in(list(selection.tasks))
    if selection.models:
        chosen &= pl.col("model").is_in(list(selection.models))
    unbilled = [
        pl.when("kept").then(pl.col(n)).otherwise(0).alias(n) for n in UNIT_COLUMNS.values() if n in calls
    ]
    return calls.with_columns(kept=pl.col("kept") & chosen).with_columns(unbilled)
