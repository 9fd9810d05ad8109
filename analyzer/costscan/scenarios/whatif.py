"""What each run would have cost had one model served all of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from costscan.levers import routing
from costscan.scenarios.bench import Bench
from costscan.scenarios.saved import saved
from costscan.settings import Settings

if TYPE_CHECKING:
    from costscan.analysis import Analysis


def what_if(x: "Analysis", models: Sequence[str]) -> pl.DataFrame:
    """Give the matrix of runs and models, dearest runs first.

    Args:
        x: the analysis.
        models: canonical ids.

    Returns:
        run_id, task, models (that served it), turns, usd as billed, and for each model a column with its
        name: what the run would have cost there, null where a price is unknown; turns that do not fit into
        the context of a model stay where they were, and `staying MODEL` counts them.
    """
    bench = Bench(x, Settings())
    known = x.turns.group_by("run_id").agg(
        models=pl.col("model").unique().sort(), turns=pl.len().cast(pl.Int64), usd=_whole("usd")
    )
    found = x.runs.select("run_id", "task").join(known, on="run_id", how="inner", maintain_order="left")
    for name in models:
        found = found.join(_on(bench, name), on="run_id", how="left", maintain_order="left")
    return found.sort("usd", "run_id", descending=[True, False], nulls_last=True)


def _whole(name: str) -> pl.Expr:
    return pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum())


def _on(bench: Bench, model: str) -> pl.DataFrame:
    """Give run_id, the cost on a model, and how many turns stay where they were."""
    moves = routing.forced(bench.plan, model, bench.sizes)
    claude = pl.col("model") != model
    wanted = bench.plan.steps.filter(claude).select("req", "run_id")
    stay = wanted.join(moves, on="req", how="anti").group_by("run_id").agg(stay=pl.len().cast(pl.Int64))
    plan = routing.routed(bench.plan, moves, bench.sizes, bench.counts) if moves.height else bench.plan
    runs = saved(bench.costs, bench.logged.runs, bench.replayed(plan).runs, model, may_be_dearer=True)
    told = runs.select("run_id", pl.col("usd").alias(model))
    return told.join(stay, on="run_id", how="left", maintain_order="left").select(
        "run_id", model, pl.col("stay").fill_null(0).alias(f"staying {model}")
    )


__all__ = ["what_if"]
