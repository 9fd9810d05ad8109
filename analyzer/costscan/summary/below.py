"""What is below a run: the sub-agents that it started, what these started, and what is in no line."""

from typing import Any

import polars as pl

from costscan.aggregates import known_sum
from costscan.schema.frames import PROMPT, USD


def below(runs: pl.DataFrame, run_id: str) -> pl.DataFrame:
    """Return the runs under one: of a root its whole tree, of a sub-agent what it started, and so on."""
    in_tree = runs.filter(pl.col("root_run_id") == run_id, pl.col("run_id") != run_id)
    if in_tree.height or not runs.filter(run_id=run_id, root_run_id=run_id).is_empty():
        return in_tree
    run_ids = {run_id}
    while True:
        descendants = runs.filter(pl.col("parent_run_id").is_in(list(run_ids)) & (pl.col("run_id") != run_id))
        if run_ids == (run_ids := {run_id, *descendants["run_id"]}):
            return descendants


def row_of(runs: pl.DataFrame, run_id: str) -> dict[str, Any]:
    """Return the row of a run; of a root that is in no log, its id and task with what began first."""
    own = runs.filter(pl.col("run_id") == run_id)
    if own.height:
        return own.row(0, named=True)
    first = (
        runs.filter(pl.col("root_run_id") == run_id).sort("started_at", nulls_last=True).row(0, named=True)
    )
    return first | {"run_id": run_id, "parent_run_id": None, "agent": None, "task": first["root_task"]}


def sums(turns: pl.DataFrame) -> dict[str, Any]:
    """Return turns, prompt_tokens, cache_read_tokens, output_tokens and models of some turns."""
    return turns.select(
        pl.len().alias("turns"),
        known_sum(PROMPT).alias("prompt_tokens"),
        *(known_sum(name).alias(name) for name in ("cache_read_tokens", "output_tokens")),
        pl.col("model").unique(maintain_order=True).implode().alias("models"),
    ).row(0, named=True)


def sub_agents(under: pl.DataFrame, turns: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Return runs, most expensive first: run_id, agent, n_turns, usd (null where none is known), findings.

    Args:
        under: the runs.
        turns: theirs, and of others.
        findings: theirs, and of others.
    """
    costs = turns.group_by("run_id").agg(usd=known_sum("usd"))
    counts = findings.group_by("run_id").agg(findings=pl.len().cast(pl.Int64))
    return (
        under.select("run_id", "agent", "n_turns")
        .join(costs, on="run_id", how="left", maintain_order="left")
        .join(counts, on="run_id", how="left", maintain_order="left")
        .with_columns(pl.col("usd").cast(USD), pl.col("findings").fill_null(0))
        .sort("usd", "run_id", descending=[True, False], nulls_last=True)
    )
