"""Fixes that were made, logged and looked at again."""

from dataclasses import replace
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from typing import Final

import polars as pl

from costscan.scenarios import price_scenarios
from logs import write
from seen import analyzed
from world.calls import Calls, lines, usd
from world.made import SETTINGS, Fixed
from world.played import World

FIXES: Final = (
    "caching/fix-prefix", "caching/breakpoints", "caching/ttl", "trimming/cap-tool-results",
    "trimming/defer-unused-tools", "trimming/drop-repeated-results", "trimming/resize-images",
)  # fmt: skip
LEAST_SHARE: Final = 0.01
"""A fix that saves less is not made."""


def promised_again(world: World, folder: Path) -> dict[tuple[str, str], float]:
    """By task and scenario, what share of the bill a fix would save once it has been made; one fix of each task."""
    made: dict[str, tuple[str, str, Calls]] = {}
    for task, first in zip(world.workloads, cycle(range(len(FIXES))), strict=False):
        told = world.foreseen(task, "default")
        order = FIXES[first:] + FIXES[:first]
        paying = [s for s in order if told.sum(s, "saved_usd") > LEAST_SHARE * float(told.sum("as_billed"))]
        if paying:
            calls = min(Fixed(world.workloads[task], told, "default").calls(paying[0]), key=usd)
            name = f"mended {task}"
            made[name] = (
                task,
                paying[0],
                [replace(c, run=f"mended {c.run}", task=name, parent=None) for c in calls],
            )
    logs = (lines(calls) for _, _, calls in made.values())
    with analyzed(write(folder / "calls.jsonl", *(line for log in logs for line in log))) as x:
        rows = price_scenarios(x, SETTINGS["default"]).scenarios.join(
            x.runs.select("run_id", "task"), on="run_id"
        )
    out = {}
    for name, (task, scenario, _) in made.items():
        mine = rows.filter(task=name)
        saved = mine.filter(scenario=scenario)["saved_usd"].sum()
        out[task, scenario] = float(
            Decimal(saved) / Decimal(mine.filter(pl.col("scenario") == "as_billed")["usd"].sum())
        )
    return out
