"""Runs whose cache has no rules that a replay could follow: what levers would save of them is unknown.

Half the price of the same tokens is known all the same.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from costscan.cache_policy import policy_of
from costscan.levers.explicit_cache import EXPLICIT_CACHE

_UNKNOWN: Final = ("usd", "saved_usd", "saved_low_usd", "saved_high_usd", "saved_joint_usd")
_BATCHING: Final = "batching"
_HALVES: Final = "batching/async"
_KNOWN: Final = ("as_billed", _HALVES)
"""Scenarios in which the same tokens are sent, at other prices."""


def unreplayed(turns: pl.DataFrame, fitted: Sequence[str]) -> tuple[pl.Series, tuple[str, ...]]:
    """Return the ids of runs of which no turn went to a model whose cache has known rules, and their models.

    Args:
        turns: the turns that could be replayed, with run_id and model.
        fitted: the models of caches without breakpoints whose reads could be fitted.
    """
    models = turns["model"].unique()
    ruled = models.filter([policy_of(model) is not None or model in fitted for model in models])
    is_ruled = pl.col("model").is_in(ruled.implode()).fill_null(value=False)
    runs = turns.filter(~is_ruled.any().over("run_id"))
    return runs["run_id"].unique(), tuple(runs["model"].drop_nulls().unique().sort())


def without(scenarios: pl.DataFrame, runs: pl.Series, steps: pl.DataFrame) -> pl.DataFrame:
    """Return scenarios that say nothing of some runs but what does not depend on their cache.

    What batching saves of them is what half the price does: in one context with others they might read more.
    What a cache of their own would hold is known where their prompts are.

    Args:
        scenarios: the `scenarios` frame.
        runs: their ids.
        steps: run_id and is_shown of all turns.
    """
    shown = steps.filter("is_shown")["run_id"].unique()
    of_runs = pl.col("run_id").is_in(runs.implode())
    is_told = (pl.col("scenario") == EXPLICIT_CACHE) & pl.col("run_id").is_in(shown.implode())
    is_unknown = of_runs & ~pl.col("scenario").is_in(_KNOWN) & ~is_told
    told = scenarios.with_columns(pl.when(~is_unknown).then(pl.col(n)).alias(n) for n in _UNKNOWN)
    is_batching = of_runs & (pl.col("scenario") == _BATCHING)
    halves = told.filter(of_runs, scenario=_HALVES).with_columns(scenario=pl.lit(_BATCHING))
    rest = told.filter(~is_batching | ~pl.lit(halves.height > 0))
    return pl.concat([rest, halves])
