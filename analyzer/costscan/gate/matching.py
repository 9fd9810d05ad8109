"""Which runs are compared with which: groups whose runs would be alike, had nothing changed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl

_BOTH: Final = pl.col("is_after").n_unique() == 2  # noqa: PLR2004 - a side before and one after


@dataclass(frozen=True)
class Group:
    """The values of some runs before, and of their partners after."""

    before: tuple[float, ...]
    after: tuple[float, ...]

    @cached_property
    def weight(self) -> float:
        """Return what the difference of the means is worth: a half for a pair, more for more runs."""
        n, m = len(self.before), len(self.after)
        return n * m / (n + m)

    @property
    def mean_before(self) -> float:
        """The mean of the values before."""
        return sum(self.before) / len(self.before)

    @property
    def mean_after(self) -> float:
        """The mean of the values after."""
        return sum(self.after) / len(self.after)

    @property
    def difference(self) -> float:
        """How much more the mean after is."""
        return self.mean_after - self.mean_before


def matched(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return the units of both sides that have partners, with `group` and `is_after`.

    A run is compared with the same run (where both sides hold it), else with the one in the file of the same
    name for the same task, where there is one on each side, else with all other runs of its task. None of
    this depends on what is measured, so nothing is gained by how runs are matched.

    Args:
        before: the units of one side, with task, run_id and file.
        after: those of the other.
    """
    both = pl.concat([before.with_columns(is_after=False), after.with_columns(is_after=True)])
    left = both.with_columns(_BOTH.over("run_id").alias("same_run"))
    of_file = [pl.col(c) for c in ("task", "file")]
    one_each = _BOTH & (pl.len() == 2)  # noqa: PLR2004
    alone = ~pl.col("same_run").any()
    left = left.with_columns((one_each & alone).over(of_file).alias("same_file"))
    key = (
        pl.when("same_run")
        .then(pl.struct(kind=pl.lit(0), task=pl.lit(""), key="run_id"))
        .when("same_file")
        .then(pl.struct(kind=pl.lit(1), task="task", key="file"))
        .otherwise(pl.struct(kind=pl.lit(2), task="task", key=pl.lit("")))
    )
    keyed = left.with_columns(group=key).filter(_BOTH.over("group"))
    return keyed.with_columns(group=pl.col("group").rank("dense").cast(pl.Int64)).drop(
        "same_run", "same_file"
    )


def groups(units: pl.DataFrame, values: pl.Expr) -> list[Group]:
    """Return the values of matched units, group by group; a run whose value is unknown is left out."""
    with_value = units.select("group", "is_after", value=values.cast(pl.Float64)).drop_nulls()
    sides = with_value.group_by("group", maintain_order=True).agg(
        before=pl.col("value").filter(~pl.col("is_after")), after=pl.col("value").filter("is_after")
    )
    return [
        Group(tuple(old), tuple(new))
        for old, new in sides.sort("group").select("before", "after").iter_rows()
        if old and new
    ]
