"""From where on a fix pays nothing: from the replay that its saving was found with."""

from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from costscan.levers.batching.async_requests import MISSED_READS
from costscan.scenarios.route_choice import SCOPES, Routes
from costscan.scenarios.workspace import Workspace

if TYPE_CHECKING:
    from costscan.analysis import Analysis

CAP: Final = "trimming/cap-tool-results"
ASYNC: Final = "batching/async"
FETCHED, FOUND, TURNS = "share_fetched_again", "share_of_reads_found", "times_the_turns"
_ROUTES: Final = {"routing": SCOPES, **{f"routing/{scope}": (scope,) for scope in SCOPES}}


class BreakEven(NamedTuple):
    """A number and what it counts: at it a fix pays nothing.

    - `share_fetched_again`: of the results that were cut, those that are fetched again whole. Each costs what
      cutting it saved, and one more turn at the mean of its run.
    - `share_of_reads_found`: of what is read from the cache, what a batch must still find there; 0 where it
      pays however little is found.
    - `times_the_turns`: so many times as many turns may a smaller model take as the one before, each as dear
      as foreseen.
    """

    at: float
    of: str


def break_evens(
    workspace: Workspace, routes: Routes, scenarios: pl.DataFrame, cap: pl.Expr
) -> dict[str, BreakEven]:
    """Return, by scenario, the break-even of those that save anything and have one.

    Args:
        workspace: what scenarios are made from.
        routes: the ways to route turns.
        scenarios: their rows.
        cap: what the results of a `tool` are cut to, null where they are not.
    """
    saving = scenarios.filter(pl.col("saved_usd") > 0)
    points = {
        CAP: _of_cap(workspace.analysis, saving.filter(scenario=CAP), cap),
        ASYNC: _of_async(workspace, saving.filter(scenario=ASYNC)),
        **{name: _of_route(routes, saving.filter(scenario=name), way) for name, way in _ROUTES.items()},
    }
    return {name: point for name, point in points.items() if point is not None}


def _of_cap(analysis: "Analysis", saving: pl.DataFrame, cap: pl.Expr) -> BreakEven | None:
    long = analysis.blocks.filter((pl.col("kind") == "tool_result") & (pl.col("tokens") > cap))
    counts = long.group_by("run_id").agg(results=pl.len()).collect()
    turns = analysis.turns.group_by("run_id").agg(turns=pl.len())
    both = saving.join(counts, on="run_id", maintain_order="left").join(
        turns, on="run_id", maintain_order="left"
    )
    saved = float(both["saved_usd"].sum() or 0)
    again = both.select((pl.col("usd").cast(pl.Float64) / pl.col("turns") * pl.col("results")).sum()).item()
    return BreakEven(saved / (saved + again), FETCHED) if saved > 0 else None


def _of_async(workspace: Workspace, saving: pl.DataFrame) -> BreakEven | None:
    ends = saving.join(workspace.costs.off, on="run_id", how="left", maintain_order="left").select(
        pl.col("saved_usd", "saved_low_usd").cast(pl.Float64), pl.col("off_share").fill_null(0.0)
    )
    saved = float(ends["saved_usd"].sum())
    # What the replay of the run itself is off is in the range, too, and is no read that a batch misses.
    missed = (ends["saved_usd"] * (1 - ends["off_share"]) - ends["saved_low_usd"]).sum()
    lost = float(missed) / MISSED_READS
    if saved <= 0:
        return None
    return BreakEven(max(0.0, 1 - saved / lost) if lost > 0 else 0.0, FOUND)


def _of_route(routes: Routes, saving: pl.DataFrame, way: tuple[str, ...]) -> BreakEven | None:
    served = routes.alone.get(way)
    if served is None or saving.is_empty():
        return None
    both = saving.join(served.moved_pico, on="run_id", maintain_order="left").filter(pl.col("moved_pico") > 0)
    saved, spent = float(both["saved_usd"].sum() or 0), float(both["moved_pico"].sum() or 0) / 10**12
    return BreakEven(1 + saved / spent, TURNS) if spent > 0 else None


__all__ = ["ASYNC", "CAP", "FETCHED", "FOUND", "TURNS", "BreakEven", "break_evens"]
