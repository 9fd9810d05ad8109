"""Settings in the order in which to make them, and what each saves after those before it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final, NamedTuple

import polars as pl

from costscan.actions import setting as kinds
from costscan.actions.apart import Apart
from costscan.actions.clients import is_settable
from costscan.actions.composed import Composer
from costscan.actions.setting import Setting
from costscan.levers.catalogue import is_to_be_tested
from costscan.scenarios.uncertainty import SPREADS
from costscan.scenarios.workspace import Workspace

MOST, MOST_OF_MANY, MANY_TURNS = 16, 6, 50_000
"""So many settings are ranked, those that save most alone; fewer where a log has many turns."""
LEAST_PICO: Final = 10**9
"""What saves less than a tenth of a cent after those before it is no action of its own."""
_ROUGH: Final = frozenset({kinds.CAP, kinds.CLEAR, kinds.COMPACT})
"""Parts of which it is not known exactly what one setting saves alone, as their scenario has many of them."""


class Ranked(NamedTuple):
    """A setting, and what it saves after those before it, in pico-USD.

    `low_pico` and `high_pico` are what it saves where what is estimated turns out badly, or well; `of_runs`
    what it saves of each run: run_id and saved_pico.
    """

    setting: Setting
    saved_pico: int
    low_pico: int
    high_pico: int
    of_runs: pl.DataFrame


def is_test(setting: Setting) -> bool:
    """Whether a setting may change answers, or when they come."""
    return is_to_be_tested(setting.risk)


def _order(setting: Setting) -> int:
    """Return 0 for what changes no answer, 1 for what is to be tested, 2 where the client has no setting."""
    return int(is_test(setting)) if is_settable(setting, setting.client) else 2


def ranked(workspace: Workspace, settings: Sequence[Setting], routes: pl.DataFrame) -> list[Ranked]:
    """Return settings that save something after those before them: first those that change no answer.

    Each is replayed with all before it, and those that cannot touch each other at once. What saves nothing
    there, as others save it already, is left out, and the rest is replayed anew: once more in the order of
    what each saves there, where that is another one.

    Args:
        workspace: what plans are made from.
        settings: those that save most alone first.
        routes: the frame of the calls that routing gives to other models.
    """
    most = MOST if workspace.plan.steps.height <= MANY_TURNS else MOST_OF_MANY
    composer, apart = Composer(workspace, routes), Apart.among(workspace, settings[:most])
    left = _in_order([(one, one.saved_usd) for one in _alone(composer, apart, settings[:most])])
    is_sorted = False
    while True:
        every = _in_turn(composer, apart, left)
        again = _in_order([(one.setting, judged(one)) for one in every if is_worth_it(one)])
        if len(again) == len(left) and (is_sorted or again == left):
            return every
        is_sorted = len(again) == len(left)
        left = again


def _in_turn(composer: Composer, apart: Apart, settings: Sequence[Setting]) -> list[Ranked]:
    """Return what each setting saves after those before it."""
    layers = apart.layers(settings)
    sets = [[one for layer in layers[:n] for one in layer] for n in range(1, len(layers) + 1)]
    outcomes = pairwise([composer.workspace.logged.runs, *_runs_with(composer, sets)])
    off = composer.workspace.costs.off
    found = {
        one: _ranked(one, apart.of(one, was), apart.of(one, now), off)
        for layer, (was, now) in zip(layers, outcomes, strict=True)
        for one in layer
    }
    return [found[one] for one in settings]


def judged(one: Ranked) -> float:
    """Return what a setting is judged by: a batch at the middle of what it may save."""
    is_batch = one.setting.part == kinds.ASYNC
    return (one.saved_pico + one.low_pico) / 2 if is_batch else one.saved_pico


def is_worth_it(one: Ranked) -> bool:
    """Whether a setting saves enough; in a batch also where few of its cache reads are found."""
    return one.saved_pico >= LEAST_PICO and (one.setting.part != kinds.ASYNC or one.low_pico > 0)


def _in_order(worth: Sequence[tuple[Setting, float]]) -> list[Setting]:
    """Return settings as they are to be made, given what each of them saves."""
    return [one for one, _ in sorted(worth, key=lambda pair: (_order(pair[0]), -pair[1]))]


def _alone(composer: Composer, apart: Apart, settings: Sequence[Setting]) -> list[Setting]:
    """Return settings with what each saves alone, those that save something."""
    rough = [one for one in settings if one.part in _ROUGH or one.measured]
    logged, layers = composer.workspace.logged.runs, apart.layers(rough)
    exact = {
        one: _sum(apart.of(one, logged)) - _sum(apart.of(one, runs))
        for layer, runs in zip(layers, _runs_with(composer, layers), strict=True)
        for one in layer
    }
    known = (replace(one, saved_usd=exact[one] / 10**12) if one in exact else one for one in settings)
    return [one for one in known if one.saved_usd * 10**12 >= LEAST_PICO]


def _runs_with(composer: Composer, sets: Sequence[Sequence[Setting]]) -> list[pl.DataFrame]:
    """Return the costs of the runs with each set of settings; all have the runs in the same order."""
    return composer.workspace.done([composer.runs_with(some) for some in sets])


def _ranked(setting: Setting, was: pl.DataFrame, now: pl.DataFrame, off: pl.DataFrame) -> Ranked:
    """Return a setting with what it saves, from the costs of the runs without it and with it.

    The range is by how much it makes the cost less sure, and what the replay of what happened is off.
    """
    of_runs = was.select("run_id", saved_pico=pl.col("known_pico_usd") - now["known_pico_usd"])
    more, less = (max(0, _total(now, name) - _total(was, name)) for name in SPREADS)
    missed = of_runs.join(off, on="run_id").select((pl.col("saved_pico").abs() * pl.col("off_share")).sum())
    saved, by = _sum(was) - _sum(now), round(missed.item() or 0)
    return Ranked(setting, saved, saved - more - by, saved + less + by, of_runs)


def _total(runs: pl.DataFrame, name: str) -> int:
    return int(runs[name].sum() or 0)


def _sum(runs: pl.DataFrame) -> int:
    """Return what all runs cost, as far as their prices are known."""
    return _total(runs, "known_pico_usd")


__all__ = ["Ranked", "is_test", "is_worth_it", "judged", "ranked"]
