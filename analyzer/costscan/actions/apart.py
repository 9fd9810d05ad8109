"""Settings that cannot touch each other: their runs share no beginning of a prompt, and so no cache entry.

What such a setting saves after others is what it saves without them. So one replay tells of as many settings
as there are parts of the log that have nothing in common.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import polars as pl

from costscan.actions import setting as kinds
from costscan.actions.setting import Setting
from costscan.levers.plan import Plan
from costscan.scenarios.workspace import Workspace

_KEYS = ("key", "extends_key", "shared_key", "stable_key", "stable_extends_key", "stable_shared_key")


@dataclass(frozen=True)
class Apart:
    """Parts of a log that have nothing in common, as far as some settings go.

    Attributes:
        part_of: by setting, its part.
        runs: by part, which of the runs are in it, in the order of the runs of outcomes.
    """

    part_of: dict[Setting, int]
    runs: dict[int, pl.Series]

    @classmethod
    def among(cls, workspace: Workspace, settings: Sequence[Setting]) -> Self:
        """Return the parts that settings make of a log."""
        ids = workspace.logged.runs["run_id"].to_list()
        number = {run: n for n, run in enumerate(ids)}
        sets = Disjoint(len(ids) + len(settings))
        for alike in _alike(workspace.plan):
            sets.join([number[run] for run in alike])
        for n, one in enumerate(settings, len(ids)):
            sets.join([n, *(number[run] for run in _changed(workspace, one) if run in number)])
        part_of = {one: sets.top(n) for n, one in enumerate(settings, len(ids))}
        tops = pl.Series([sets.top(n) for n in range(len(ids))], dtype=pl.Int64)
        return cls(part_of, {part: tops == part for part in set(part_of.values())})

    def layers(self, settings: Sequence[Setting]) -> list[list[Setting]]:
        """Return the first setting of each part, the second ones, and so on."""
        found: list[list[Setting]] = []
        seen: Counter[int] = Counter()
        for one in settings:
            nth = seen[self.part_of[one]]
            seen[self.part_of[one]] += 1
            if nth == len(found):
                found.append([])
            found[nth].append(one)
        return found

    def of(self, setting: Setting, runs: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of the part of a setting, of rows of all runs."""
        return runs.filter(self.runs[self.part_of[setting]])


class Disjoint:
    """Things by number, and which of them belong together."""

    def __init__(self, things: int) -> None:
        self._above = list(range(things))

    def top(self, thing: int) -> int:
        """Return the one that stands for all that belong together with a thing."""
        while self._above[thing] != thing:
            self._above[thing] = self._above[self._above[thing]]
            thing = self._above[thing]
        return thing

    def join(self, things: Sequence[int]) -> None:
        """Note that things belong together."""
        for one in things[1:]:
            self._above[self.top(one)] = self.top(things[0])


def _alike(plan: Plan) -> list[list[str]]:
    """Return runs of which prompts begin alike, whenever they are sent and to whatever model."""
    steps = plan.steps.lazy()
    of_steps = [steps.select("run_id", key=name) for name in _KEYS]
    places = {id(marks): marks.positions.lazy() for marks in (plan.breakpoints, plan.stable)}
    runs = steps.select("req", "run_id")
    marked = [
        each.select("req", "key").join(runs, on="req").select("run_id", "key") for each in places.values()
    ]
    every = pl.concat([*of_steps, *marked]).drop_nulls().unique()
    shared = every.group_by("key").agg(pl.col("run_id").sort()).filter(pl.col("run_id").list.len() > 1)
    return shared.select(pl.col("run_id").unique()).collect().to_series().to_list()


def _changed(workspace: Workspace, setting: Setting) -> set[str]:
    """Return the ids of the runs that a setting changes: that of a tool all that hold a result of it."""
    if setting.part != kinds.CAP:
        return set(setting.runs)
    of_tool = workspace.trimming_inputs.blocks.filter(tool=setting.tool)
    return {*setting.runs, *of_tool["run_id"].unique()}


__all__ = ["Apart", "Disjoint"]
