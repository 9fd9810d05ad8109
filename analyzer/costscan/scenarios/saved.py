"""What a scenario saves of each run.

The first of some runs that share a prefix pays for writing it, the others read it: they are judged together.
Where together they would cost more, all stay as they were; where they cost less, what the first one pays
more is taken off what the others save.
"""

import polars as pl

from costscan.frames import SCENARIOS
from costscan.prices import usd_of
from costscan.scenarios.cost import CLASSES, Costs


def billed(costs: Costs) -> pl.DataFrame:
    """Give `as_billed` of each run."""
    runs = costs.per_run(costs.turns)
    none = pl.when(pl.col("pico_usd").is_not_null()).then(0)
    return _rows(runs.with_columns(saved=none), "as_billed")


def saved(costs: Costs, before: pl.DataFrame, after: pl.DataFrame, name: str) -> pl.DataFrame:
    """Give a scenario of each run.

    Args:
        costs: the logged turns.
        before: their costs as the replay has what happened, from `Costs.of_plan`.
        after: their costs in the scenario.
        name: the scenario.
    """
    runs = costs.per_run(costs.turns)
    then = after.select("run_id", *(pl.col(c).alias(f"{c}_after") for c in (*CLASSES, "pico_usd")))
    both = runs.join(
        before.select("run_id", pico_usd_before="pico_usd"),
        on="run_id",
        maintain_order="left",
    ).join(then, on="run_id", maintain_order="left")
    shared = both.with_columns(won=pl.col("pico_usd_before") - pl.col("pico_usd_after")).with_columns(
        saved=pl.min_horizontal(_shared(), "pico_usd")
    )
    changed = pl.col("saved") > 0
    classes = (pl.when(changed).then(f"{c}_after").otherwise(c).alias(c) for c in CLASSES)
    known = pl.when(pl.col("pico_usd").is_not_null()).then("saved")
    return _rows(shared.with_columns(*classes, saved=known), name)


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
    ).select(*SCENARIOS)
