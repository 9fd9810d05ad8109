"""Where costscan would send turns, scenario by scenario: what frames do not tell."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl

from costscan.levers.replaying import Replaying
from costscan.scenarios.route_choice import Routes, Way

ALONE, BESIDE = "alone", "beside"
Chosen = list[tuple[str, pl.DataFrame]]
"""The scope (`turns`, `runs`, both, or `beside` other levers), and run_id, turn, model of all turns."""


@contextmanager
def routes_told() -> Iterator[Chosen]:
    """Note the models of all turns whenever ways to route them are worked out."""
    told: Chosen = []
    known = Routes.alone, Routes.beside

    def noting(way: Callable[..., Replaying[Way]], name: str) -> Callable[..., Replaying[Way]]:
        def noted(self: Routes, *args: Any, **more: Any) -> Replaying[Way]:
            found = yield from way(self, *args, **more)
            scope = "+".join(args) if name == ALONE else BESIDE
            told.append((scope, found.plan.steps.select("run_id", "turn", "model")))
            return found

        return noted

    Routes.alone, Routes.beside = noting(known[0], ALONE), noting(known[1], BESIDE)  # type: ignore[method-assign]
    try:
        yield told
    finally:
        Routes.alone, Routes.beside = known  # type: ignore[method-assign]


def moved(steps: pl.DataFrame, logged: pl.DataFrame) -> dict[tuple[str, int], str]:
    """The turns that are on another model than they were, with that model."""
    was = logged.select("run_id", "turn", was="model")
    both = steps.join(was, on=["run_id", "turn"], how="inner").filter(pl.col("model") != pl.col("was"))
    return {(run, turn): model for run, turn, model in both.select("run_id", "turn", "model").rows()}
