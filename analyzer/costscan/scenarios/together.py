"""Each set of levers, and what each lever adds to all of them; where one raises, the others without it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import polars as pl

from costscan.levers import ALL, LEVERS
from costscan.prices import usd_of
from costscan.scenarios.bench import Bench
from costscan.scenarios.guard import Guard
from costscan.scenarios.saved import saved
from costscan.scenarios.sets import Sets, all_sets
from costscan.scenarios.shapley import shares


class Joint(NamedTuple):
    """The rows of the sets of levers, and the sets."""

    rows: list[pl.DataFrame]
    sets: Sets


def joint(bench: Bench, levers: Sequence[str], guard: Guard, *, idle: set[str]) -> Joint:
    """Return the scenarios of all sets of levers, replayed jointly.

    Args:
        bench: what they are made from.
        levers: those that are on.
        guard: is told which levers could not be worked out.
        idle: the parts of trimming that are left out.
    """
    found = _tried(bench, levers, guard, ALL, idle)
    if found is not None:
        return found
    why = guard.reasons.pop(ALL)
    alone = {lever: _tried(bench, [lever], guard, lever, idle) for lever in levers}
    able = [lever for lever, one in alone.items() if one is not None]
    found = _tried(bench, able, guard, ALL, idle) if len(able) < len(levers) else None
    if found is None:
        guard.reasons[ALL] = why
        return Joint([_of_lever(one, lever) for lever, one in alone.items() if one], Sets(bench, []))
    for lever in levers:
        if lever not in able:
            guard.without(ALL, lever)
    return found


def _of_lever(one: Joint, lever: str) -> pl.DataFrame:
    """Give what a lever saves alone, where it cannot be told what it adds to the others."""
    rows = pl.concat(one.rows).filter(scenario=lever)
    return rows.with_columns(saved_joint_usd=pl.lit(None, rows.schema["saved_joint_usd"]))


def _tried(bench: Bench, levers: Sequence[str], guard: Guard, name: str, idle: set[str]) -> Joint | None:
    sets = Sets(bench, levers, set(idle))
    return guard.of(name, lambda: Joint(list(_together(sets, levers)), sets), None)


def _together(sets: Sets, levers: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Give each set of levers; those with one lever also tell its share in what all save together."""
    if not levers:
        return
    bench = sets.bench
    sets.replay()
    forced = bench.settings.routing.force is not None
    told: dict[int, pl.DataFrame] = {}
    done = {}
    for some in all_sets(levers):
        runs = sets.best(some)
        if id(runs) not in told:
            any_price = forced and "routing" in some
            told[id(runs)] = saved(bench.costs, bench.logged.runs, runs, _name(some), may_be_dearer=any_price)
        done[some] = told[id(runs)].with_columns(scenario=pl.lit(_name(some)))
    pico = {some: _pico(rows) for some, rows in done.items()}
    joint = shares(pico, levers)
    every = frozenset(levers)
    for some, rows in done.items():
        (lever, *others) = some
        known = pl.col("usd").is_not_null()
        share = pl.when(known).then(usd_of(pl.lit(joint[lever])))
        yield rows.with_columns(saved_joint_usd=share) if not others else rows
        if some == every:
            yield rows.with_columns(scenario=pl.lit(ALL))


def _name(levers: frozenset[str]) -> str:
    return "+".join(lever for lever in LEVERS if lever in levers)


def _pico(rows: pl.DataFrame) -> pl.Series:
    """Give what is saved in whole pico-USD, 0 where it is not known."""
    return rows.select((pl.col("saved_usd") * 10**12).cast(pl.Int64).fill_null(0)).to_series()


__all__ = ["Joint", "joint"]
