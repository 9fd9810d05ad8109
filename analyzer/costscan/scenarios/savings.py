"""What a scenario saves of each run.

A setting is made for all runs of a task and an agent type, and nobody knows before which of them it will pay
for: they are judged together. Where together they would cost more, all stay as they were; where they cost
less, what some pay more is taken off what the others save.
"""

import polars as pl

from costscan.prices import usd_of
from costscan.scenarios.costing import CLASSES, Costs
from costscan.scenarios.uncertainty import SPREADS
from costscan.schema.frames import USD
from costscan.schema.tables.levers import SCENARIOS


def billed(costs: Costs) -> pl.DataFrame:
    """Return `as_billed` of each run."""
    runs = costs.per_run(costs.turns)
    none = pl.when(pl.col("pico_usd").is_not_null()).then(0)
    return _rows(runs.with_columns(saved=none, low=none, high=none), "as_billed")


def saved(
    costs: Costs, before: pl.DataFrame, after: pl.DataFrame, name: str, *, may_be_more_expensive: bool = False
) -> pl.DataFrame:
    """Return a scenario of each run.

    Args:
        costs: the logged turns.
        before: their costs as the replay has what happened, from `Costs.per_run`.
        after: their costs in the scenario.
        name: the scenario.
        may_be_more_expensive: the scenario was asked for whatever it costs.
    """
    runs = costs.per_run(costs.turns)
    then = after.select("run_id", *(pl.col(c).alias(f"{c}_after") for c in (*CLASSES, "pico_usd")), *SPREADS)
    both = runs.join(
        before.select("run_id", pico_usd_before="pico_usd"),
        on="run_id",
        maintain_order="left",
    ).join(then, on="run_id", maintain_order="left").join(
        costs.off, on="run_id", how="left", maintain_order="left"
    )  # fmt: skip
    won = pl.col("pico_usd_before") - pl.col("pico_usd_after")
    worth = pl.col("won").fill_null(0) if may_be_more_expensive else _shared()
    shared = both.with_columns(won=won).with_columns(saved=pl.min_horizontal(worth, "pico_usd"))
    changed = pl.col("saved") != 0
    classes = (pl.when(changed).then(f"{c}_after").otherwise(c).alias(c) for c in CLASSES)
    less, more = (pl.when(changed).then(name).otherwise(0) for name in reversed(SPREADS))
    # What the replay of what happened is off, it may be off here, too.
    off = (pl.col("saved").abs() * pl.col("off_share").fill_null(0.0)).round().cast(pl.Int64)
    low, high = pl.col("saved") - more - off, pl.col("saved") + less + off
    ends = {"saved": pl.col("saved"), "low": low, "high": high}
    priced = {name: pl.when(pl.col("pico_usd").is_not_null()).then(e) for name, e in ends.items()}
    return _rows(shared.with_columns(*classes, **priced), name)


def _shared() -> pl.Expr:
    """Split what the runs of a group save together over those that save anything."""
    won = pl.col("won").fill_null(0)
    wins = pl.max_horizontal(won, 0)
    together = pl.max_horizontal(won.sum().over("group"), 0)
    share = wins.cast(pl.Decimal(38, 0)) * together.cast(pl.Decimal(38, 0))
    most = pl.max_horizontal(wins.sum().over("group"), 1).cast(pl.Decimal(38, 0))
    return pl.when(wins == won).then(share / most).otherwise(0).floor().cast(pl.Int64)


def _rows(runs: pl.DataFrame, name: str) -> pl.DataFrame:
    cost = pl.col("pico_usd") - pl.col("saved")
    return runs.select(
        "run_id",
        *CLASSES,
        scenario=pl.lit(name),
        usd=usd_of(cost),
        saved_usd=usd_of(pl.col("saved")),
        saved_low_usd=usd_of(pl.col("low")),
        saved_high_usd=usd_of(pl.col("high")),
        saved_joint_usd=pl.lit(None, USD),
    ).select(*SCENARIOS.columns)
