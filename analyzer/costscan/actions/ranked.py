"""Settings in the order in which to make them, and what each saves after those before it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final, NamedTuple

from costscan.actions import setting as kinds
from costscan.actions.clients import is_settable
from costscan.actions.composed import Composer
from costscan.actions.setting import Setting
from costscan.levers.catalogue import LATENCY, NEEDS_EVAL
from costscan.levers.replaying import Outcome
from costscan.scenarios.workspace import Workspace

MOST, MOST_OF_MANY, MANY_TURNS = 12, 6, 50_000
"""So many settings are ranked, those that save most alone; fewer where a log has many turns."""
LEAST_PICO: Final = 10**9
"""What saves less than a tenth of a cent after those before it is no action of its own."""
_TESTS: Final = frozenset({LATENCY, NEEDS_EVAL})
_ROUGH: Final = frozenset({kinds.CAP, kinds.COMPACT})
"""Parts of which it is not known exactly what one setting saves alone, as their scenario has many of them."""


class Ranked(NamedTuple):
    """A setting, and what it saves after those before it, in pico-USD."""

    setting: Setting
    saved_pico: int


def is_test(setting: Setting) -> bool:
    """Whether a setting may change answers, or when they come."""
    return setting.risk in _TESTS


def _order(setting: Setting) -> int:
    """Return 0 for what changes no answer, 1 for what is to be tested, 2 where the client has no setting."""
    return int(is_test(setting)) if is_settable(setting, setting.client) else 2


def ranked(workspace: Workspace, settings: Sequence[Setting]) -> list[Ranked]:
    """Return settings that save something after those before them: first those that change no answer.

    Each is replayed with all before it. What saves nothing there, as others save it already, is left out, and
    the rest is replayed anew.
    """
    most = MOST if workspace.plan.steps.height <= MANY_TURNS else MOST_OF_MANY
    composer = Composer(workspace)
    some = _alone(composer, settings[:most])
    left = sorted(some, key=lambda one: (_order(one), -one.saved_usd))
    while True:
        prefixes = [left[:n] for n in range(1, len(left) + 1)]
        costs = [_sum(workspace.logged), *_pico(composer, prefixes)]
        saved = [was - now for was, now in pairwise(costs)]
        if all(pico >= LEAST_PICO for pico in saved):
            return [Ranked(one, pico) for one, pico in zip(left, saved, strict=True)]
        left = [one for one, pico in zip(left, saved, strict=True) if pico >= LEAST_PICO]


def _alone(composer: Composer, settings: Sequence[Setting]) -> list[Setting]:
    """Return settings with what each saves alone, those that save something."""
    rough = [one for one in settings if one.part in _ROUGH]
    now = _sum(composer.workspace.logged)
    exact = {
        id(one): now - pico
        for one, pico in zip(rough, _pico(composer, [[one] for one in rough]), strict=True)
    }
    some = (replace(one, saved_usd=exact[id(one)] / 10**12) if id(one) in exact else one for one in settings)
    return [one for one in some if one.saved_usd * 10**12 >= LEAST_PICO]


def _pico(composer: Composer, sets: Sequence[Sequence[Setting]]) -> list[int]:
    """Return what all runs cost with each set of settings, as far as their prices are known."""
    outcomes = composer.workspace.done([composer.outcome_of(some) for some in sets])
    return [_sum(outcome) for outcome in outcomes]


def _sum(outcome: Outcome) -> int:
    return int(outcome.runs["known_pico_usd"].sum() or 0)


__all__ = ["Ranked", "is_test", "ranked"]
