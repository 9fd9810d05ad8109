"""Settings in the order in which to make them, and what each saves after those before it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final, NamedTuple

import polars as pl

from costscan.actions import setting as kinds
from costscan.actions.clients import is_settable
from costscan.actions.composed import Composer
from costscan.actions.setting import Setting
from costscan.levers.catalogue import TO_BE_TESTED
from costscan.levers.replaying import Outcome
from costscan.scenarios.workspace import Workspace

MOST, MOST_OF_MANY, MANY_TURNS = 16, 6, 50_000
"""So many settings are ranked, those that save most alone; fewer where a log has many turns."""
LEAST_PICO: Final = 10**9
"""What saves less than a tenth of a cent after those before it is no action of its own."""
_ROUGH: Final = frozenset({kinds.CAP, kinds.CLEAR, kinds.COMPACT})
"""Parts of which it is not known exactly what one setting saves alone, as their scenario has many of them."""


class Ranked(NamedTuple):
    """A setting, and what it saves after those before it, in pico-USD; of each run: run_id and saved_pico."""

    setting: Setting
    saved_pico: int
    of_runs: pl.DataFrame


def is_test(setting: Setting) -> bool:
    """Whether a setting may change answers, or when they come."""
    return setting.risk in TO_BE_TESTED


def _order(setting: Setting) -> int:
    """Return 0 for what changes no answer, 1 for what is to be tested, 2 where the client has no setting."""
    return int(is_test(setting)) if is_settable(setting, setting.client) else 2


def ranked(workspace: Workspace, settings: Sequence[Setting], routes: pl.DataFrame) -> list[Ranked]:
    """Return settings that save something after those before them: first those that change no answer.

    Each is replayed with all before it. What saves nothing there, as others save it already, is left out, and
    the rest is replayed anew: once more in the order of what each saves there, where that is another one.

    Args:
        workspace: what plans are made from.
        settings: those that save most alone first.
        routes: the frame of the calls that routing gives to other models.
    """
    most = MOST if workspace.plan.steps.height <= MANY_TURNS else MOST_OF_MANY
    composer = Composer(workspace, routes)
    left = _in_order([(one, one.saved_usd) for one in _alone(composer, settings[:most])])
    is_sorted = False
    while True:
        prefixes = [left[:n] for n in range(1, len(left) + 1)]
        outcomes = [workspace.logged, *_outcomes(composer, prefixes)]
        saved = [_sum(was) - _sum(now) for was, now in pairwise(outcomes)]
        again = _in_order([pair for pair in zip(left, saved, strict=True) if pair[1] >= LEAST_PICO])
        if len(again) == len(left) and (is_sorted or again == left):
            of_runs = [_of_runs(was, now) for was, now in pairwise(outcomes)]
            return [Ranked(*each) for each in zip(left, saved, of_runs, strict=True)]
        is_sorted = len(again) == len(left)
        left = again


def _in_order(worth: Sequence[tuple[Setting, float]]) -> list[Setting]:
    """Return settings as they are to be made, given what each of them saves."""
    return [one for one, _ in sorted(worth, key=lambda pair: (_order(pair[0]), -pair[1]))]


def _alone(composer: Composer, settings: Sequence[Setting]) -> list[Setting]:
    """Return settings with what each saves alone, those that save something."""
    rough = [one for one in settings if one.part in _ROUGH]
    now = _sum(composer.workspace.logged)
    alone = _outcomes(composer, [[one] for one in rough])
    exact = {id(one): now - _sum(outcome) for one, outcome in zip(rough, alone, strict=True)}
    some = (replace(one, saved_usd=exact[id(one)] / 10**12) if id(one) in exact else one for one in settings)
    return [one for one in some if one.saved_usd * 10**12 >= LEAST_PICO]


def _outcomes(composer: Composer, sets: Sequence[Sequence[Setting]]) -> list[Outcome]:
    return composer.workspace.done([composer.outcome_of(some) for some in sets])


def _of_runs(was: Outcome, now: Outcome) -> pl.DataFrame:
    """Return what each run saves, run_id and saved_pico: all outcomes have the runs in the same order."""
    return was.runs.select("run_id", saved_pico=pl.col("known_pico_usd") - now.runs["known_pico_usd"])


def _sum(outcome: Outcome) -> int:
    """Return what all runs cost, as far as their prices are known."""
    return int(outcome.runs["known_pico_usd"].sum() or 0)


__all__ = ["Ranked", "is_test", "ranked"]
