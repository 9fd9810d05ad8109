"""What the tables can be narrowed by: the task, the models and the sub-agents of a run."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from costscan.reports.html.columns import Pools, plain
from costscan.summary import Summary
from costscan.summary.runs import IS_UNLOGGED

FACETS: Final = ("task", "model", "agent")
MOST_OF_ACTION: Final = 300
"""Of more tasks than that an action stays whatever is chosen."""


def facets(summary: Summary, pools: Pools) -> dict[str, Any]:
    """Return the values to choose from, those of each run, and those of the runs of each action.

    `texts` of each facet; `runs`: the numbers of its texts, a list a run in the order of their table, or the
    number alone; `actions`: a list an action, None where it stays whatever is chosen. Tasks have their texts
    and numbers in the table of runs already.

    Args:
        summary: what is shown.
        pools: the texts of the tables, which hold the tasks.
    """
    rows = summary.runs.select("run_id", "task", model="models")
    agents = dict(
        summary.threads.filter(pl.col("agent").is_not_null() & ~IS_UNLOGGED)
        .group_by("root_run_id")
        .agg(pl.col("agent").unique().sort())
        .iter_rows()
    )
    values = {
        "task": [[task] for task in rows["task"]],
        "model": rows["model"].to_list(),
        "agent": [agents.get(run, []) for run in rows["run_id"]],
    }
    return {name: _facet(summary, name, values[name], pools) for name in FACETS}


def _facet(summary: Summary, name: str, values: Sequence[Sequence[str]], pools: Pools) -> dict[str, Any]:
    is_task = name == "task"
    pool = pools[name] if is_task else dict[str, int]()
    kind = "prose" if is_task else "name"
    numbers = [[pool.setdefault(plain(one, kind), len(pool)) for one in some] for some in values]
    own = (
        {}
        if is_task
        else {"texts": list(pool), "runs": [one[0] if len(one) == 1 else one for one in numbers]}
    )
    return own | {"actions": _of_actions(summary, dict(zip(summary.runs["run_id"], numbers, strict=True)))}


def _of_actions(summary: Summary, of_run: Mapping[str, Sequence[int]]) -> list[list[int] | None]:
    """Return the values of the runs that each action changes."""
    found = {row["rank"]: set[int]() for row in summary.actions}
    saved = summary.saved_of_runs.filter(pl.col("saved_usd") != 0)
    for run, rank in saved.select("root_run_id", "rank").iter_rows():
        found[rank].update(of_run.get(run, ()))
    return [sorted(some) if len(some) <= MOST_OF_ACTION else None for some in found.values()]
