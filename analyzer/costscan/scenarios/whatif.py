"""What each run would have cost had one model served all of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from costscan.cache_policy import target_of
from costscan.levers import routing
from costscan.levers.replaying import Replaying, replay
from costscan.scenarios.savings import saved
from costscan.scenarios.workspace import Workspace
from costscan.schema.frames import USD
from costscan.settings.keys import Settings

if TYPE_CHECKING:
    from costscan.analysis import Analysis


def what_if(analysis: "Analysis", models: Sequence[str]) -> pl.DataFrame:
    """Return the matrix of runs and models, most expensive runs first; a run counts with its sub-agents.

    Args:
        analysis: the analysis.
        models: canonical ids.

    Returns:
        run_id, task, models (that served it), turns, usd as billed, and for each model a column with its
        name: what the run would have cost there, at `least MODEL` and `most MODEL`. Costs are sums of what
        is known, null where nothing is. Turns that stay as they were billed are counted by `staying MODEL`:
        those that do not fit into the context of a model, have audio, are of a model that is not known, or
        are in no line of the log, and those of an agent thread with a turn that has no price.
    """
    workspace = Workspace(analysis, Settings())
    threads = analysis.turns.group_by("run_id").agg(turns=pl.len().cast(pl.Int64), usd=_known_sum("usd"))
    on_each = workspace.done([_on(workspace, name) for name in models])
    for name, on_model in zip(models, on_each, strict=True):
        threads = threads.join(on_model, on="run_id", how="left").with_columns(
            pl.when(pl.col(name).is_null())
            .then("turns")
            .otherwise(f"staying {name}")
            .alias(f"staying {name}"),
            *(pl.coalesce(column, "usd").alias(column) for column in costs_on(name)),
        )
    sums = (
        analysis.rooted(threads)
        .group_by(run_id="root_run_id")
        .agg(
            pl.col("turns", *(f"staying {name}" for name in models)).sum(),
            *(_known_sum(column) for column in ("usd", *(c for name in models for c in costs_on(name)))),
        )
    )
    served = analysis.turns.group_by(run_id="root_run_id").agg(
        pl.col("task").first(), models=pl.col("model").unique().sort()
    )
    asked = [column for name in models for column in (*costs_on(name), f"staying {name}")]
    return (
        served.join(sums, on="run_id")
        .select("run_id", "task", "models", "turns", "usd", *asked)
        .sort("usd", "run_id", descending=[True, False], nulls_last=True)
    )


def costs_on(model: str) -> tuple[str, str, str]:
    """Return the columns of what runs would have cost on a model: as expected, at least, and at most."""
    return model, f"least {model}", f"most {model}"


def without_promise(models: Sequence[str]) -> list[str]:
    """Return the models whose cache promises no hits: their cost is as if it read nothing.

    At the low end of the range it reads all that was sent before.
    """
    return [model for model in models if (rules := target_of(model)) is not None and not rules.is_promised]


def _known_sum(name: str) -> pl.Expr:
    return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum())


def _on(workspace: Workspace, model: str) -> Replaying[pl.DataFrame]:
    """Return, per agent thread, the cost on a model and how many turns stay where they were."""
    if workspace.plan.steps.is_empty():
        told = dict.fromkeys(costs_on(model), USD)
        return pl.DataFrame(schema={"run_id": pl.String, **told, f"staying {model}": pl.Int64})
    moves = routing.forced(workspace.plan, model, workspace.sizes)
    elsewhere = pl.col("model") != model
    wanted = workspace.plan.steps.filter(elsewhere).select("req", "run_id")
    stay = wanted.join(moves, on="req", how="anti").group_by("run_id").agg(stay=pl.len().cast(pl.Int64))
    plan = (
        routing.routed(workspace.plan, moves, workspace.sizes, workspace.counts, workspace.thoughts)
        if moves.height
        else workspace.plan
    )
    outcome = yield from replay(plan)
    runs = saved(workspace.costs, workspace.logged.runs, outcome.runs, model, may_be_more_expensive=True)
    as_billed = pl.col("usd") + pl.col("saved_usd")
    ends = (pl.col("usd"), as_billed - pl.col("saved_high_usd"), as_billed - pl.col("saved_low_usd"))
    costs = runs.select("run_id", *(end.alias(name) for name, end in zip(costs_on(model), ends, strict=True)))
    return costs.join(stay, on="run_id", how="left", maintain_order="left").select(
        "run_id", *costs_on(model), pl.col("stay").fill_null(0).alias(f"staying {model}")
    )


__all__ = ["costs_on", "what_if", "without_promise"]
