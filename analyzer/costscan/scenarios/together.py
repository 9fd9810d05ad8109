"""Each set of levers, and what each lever adds to all of them; where one raises, the others without it.

Where all levers of a set together save less of the runs of a task and agent type than some of them, or than a
part of one, these are taken there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import polars as pl

from costscan.levers import ALL, LEVERS
from costscan.levers.routing.ways import MOVES
from costscan.prices import usd_of
from costscan.scenarios.costing import taken
from costscan.scenarios.guard import Guard
from costscan.scenarios.lever_sets import Levers, Sets, all_sets
from costscan.scenarios.route_choice import SCOPES
from costscan.scenarios.savings import saved
from costscan.scenarios.shapley import shares

Rows = Mapping[str, pl.DataFrame]


class Joint(NamedTuple):
    """The rows of the sets of levers, and the moves of routing alone, as `routing.MOVES`."""

    rows: list[pl.DataFrame]
    moves: pl.DataFrame


def joint(sets: Sets, guard: Guard, parts: Rows) -> Joint:
    """Return the scenarios of all sets of levers, replayed jointly.

    Args:
        sets: the sets.
        guard: is told which levers could not be worked out.
        parts: by scenario, the rows of the parts of levers: no lever saves less than one of them.
    """
    levers = sets.levers
    best = _tried(sets, levers, guard, ALL, parts)
    if best is not None:
        return best
    why = guard.reasons.pop(ALL)
    alone = {lever: _tried(sets, [lever], guard, lever, parts) for lever in levers}
    able = [lever for lever, one in alone.items() if one is not None]
    best = _tried(sets, able, guard, ALL, parts) if len(able) < len(levers) else None
    if best is None:
        guard.reasons[ALL] = why
        rows = [_of_lever(one, lever) for lever, one in alone.items() if one]
        return Joint(rows, MOVES.to_frame())
    for lever in levers:
        if lever not in able:
            guard.without(ALL, lever)
    return best


def _of_lever(one: Joint, lever: str) -> pl.DataFrame:
    """Return what a lever saves alone, where it cannot be told what it adds to the others."""
    rows = pl.concat(one.rows).filter(scenario=lever)
    return rows.with_columns(saved_joint_usd=pl.lit(None, rows.schema["saved_joint_usd"]))


def _tried(sets: Sets, levers: Sequence[str], guard: Guard, name: str, parts: Rows) -> Joint | None:
    some = replace(sets, levers=levers, runs={})
    return guard.of(name, lambda: _together(some, parts), None)


def _together(sets: Sets, parts: Rows) -> Joint:
    if not sets.levers:
        return Joint([], MOVES.to_frame())
    sets.replay()
    best = Best(sets, parts)
    done = {some: best.rows(some) for some in all_sets(sets.levers)}
    return Joint(list(_with_shares(done, sets.levers)), best.moves)


class Best:
    """What sets of levers save, each with the part of it that saves most, group by group."""

    def __init__(self, sets: Sets, parts: Rows) -> None:
        self.sets = sets
        self.parts = parts
        self._rows: dict[Levers, pl.DataFrame] = {}
        self._ways: dict[Levers, pl.Series] = {}
        self._saved: dict[int, pl.DataFrame] = {}

    @cached_property
    def _runs(self) -> pl.DataFrame:
        """The runs in the order of all rows, with their group."""
        workspace = self.sets.workspace
        return workspace.costs.per_run(workspace.costs.turns).select("run_id", "group")

    def rows(self, some: Levers) -> pl.DataFrame:
        """Return the rows of a set."""
        if some not in self._rows:
            ways = [self._own(some), *self._less(some)]
            self._ways[some] = self._most(ways)
            self._rows[some] = taken(ways, self._ways[some]).with_columns(scenario=pl.lit(_name(some)))
        return self._rows[some]

    def _own(self, some: Levers) -> pl.DataFrame:
        workspace, runs = self.sets.workspace, self.sets.runs[some]
        if id(runs) not in self._saved:
            asked = _is_forced(self.sets) and "routing" in some
            self._saved[id(runs)] = saved(
                workspace.costs, workspace.logged.runs, runs, "", may_be_more_expensive=asked
            )
        return self._saved[id(runs)]

    def _less(self, some: Levers) -> Iterator[pl.DataFrame]:
        """Yield what may save more: the parts of a lever, or of a set all that lack one of its levers."""
        if len(some) == 1:
            (lever,) = some
            yield from (rows for name, rows in self.parts.items() if name.startswith(f"{lever}/"))
            return
        for lever in sorted(some):
            if lever != "routing" or not _is_forced(self.sets):
                yield self.rows(some - {lever})

    def _most(self, ways: Sequence[pl.DataFrame]) -> pl.Series:
        """Return, row by row, which way saves most of the runs of its group; of equal ones the first."""
        worth = pl.DataFrame([_pico(way).alias(str(n)) for n, way in enumerate(ways)])
        together = worth.select(pl.all().sum().over(self._runs["group"]))
        return together.select(pl.concat_list(pl.all()).list.arg_max().cast(pl.Int64)).to_series()

    @property
    def moves(self) -> pl.DataFrame:
        """The moves of routing alone: of each run those of the way that saves most of its group."""
        alone, served = frozenset({"routing"}), self.sets.routes.alone
        if alone not in self._ways:
            return MOVES.to_frame()
        scopes = [name.partition("/")[2] for name in self.parts if name.startswith("routing/")]
        ways = [served[SCOPES], *(served[scope,] for scope in scopes)]
        each = [way.moves.with_columns(way=pl.lit(n, pl.Int64)) for n, way in enumerate(ways)]
        won = self._runs.select("run_id", way=self._ways[alone])
        of_turn = self.sets.workspace.plan.steps.select("req", "run_id").join(won, on="run_id", how="left")
        kept = pl.concat(each).join(of_turn, on=["req", "way"], how="semi", maintain_order="left")
        return kept.sort("req").select(*MOVES)


def _is_forced(sets: Sets) -> bool:
    return sets.workspace.settings.routing.force is not None


def _with_shares(done: Mapping[Levers, pl.DataFrame], levers: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield each set of levers; those with one lever also tell its share in what all save together."""
    joint = shares({some: _pico(rows) for some, rows in done.items()}, levers)
    every = frozenset(levers)
    for some, rows in done.items():
        (lever, *others) = some
        is_priced = pl.col("usd").is_not_null()
        share = pl.when(is_priced).then(usd_of(pl.lit(joint[lever])))
        yield rows.with_columns(saved_joint_usd=share) if not others else rows
        if some == every:
            yield rows.with_columns(scenario=pl.lit(ALL))


def _name(levers: frozenset[str]) -> str:
    return "+".join(lever for lever in LEVERS if lever in levers)


def _pico(rows: pl.DataFrame) -> pl.Series:
    """Return what is saved in whole pico-USD, 0 where it is not known."""
    return rows.select((pl.col("saved_usd") * 10**12).cast(pl.Int64).fill_null(0)).to_series()


__all__ = ["Joint", "joint"]
