"""Ask for less effort: the model writes less, by what its maker's own catalog says of each effort.

This is an assumption of its own and off by default: how much less a model writes depends on the task.
"""

from dataclasses import replace
from typing import Final

import polars as pl

from costscan.levers.plan import Plan
from costscan.models import model_info

DEFAULT_EFFORT: Final = "high"
"""Of a turn whose log says nothing of effort."""


def with_effort(plan: Plan, effort: str) -> Plan:
    """Return the plan with less output in the turns that were asked for more effort.

    Args:
        plan: the plan.
        effort: low, medium or high; turns of models whose catalog has no figures for it stay as they are.
    """
    pairs = plan.steps.select("model", pl.col("effort").fill_null(DEFAULT_EFFORT)).unique()
    rows = [
        (model, asked_effort, _share(model, asked_effort, effort))
        for model, asked_effort in pairs.iter_rows()
    ]
    shares = pl.DataFrame(
        [row for row in rows if row[2] < 1],
        schema={"model": pl.String, "asked_effort": pl.String, "share": pl.Float64},
        orient="row",
    )
    if shares.is_empty():
        return plan
    steps = plan.steps.with_columns(asked_effort=pl.col("effort").fill_null(DEFAULT_EFFORT)).join(
        shares, on=["model", "asked_effort"], how="left", maintain_order="left"
    )
    less = (pl.col("output_tokens") * pl.col("share").fill_null(1.0)).round().cast(pl.Int64)
    return replace(plan, steps=steps.with_columns(output_tokens=less).select(plan.steps.columns))


def _share(model: str, asked_effort: str, effort: str) -> float:
    info = model_info(model)
    cost = info.effort_cost if info else {}
    return cost[effort] / cost[asked_effort] if effort in cost and asked_effort in cost else 1.0
