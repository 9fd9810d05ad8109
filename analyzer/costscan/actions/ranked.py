"""Settings in the order in which to make them, and what each saves after those before it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from costscan.actions.clients import is_settable
from costscan.actions.composed import outcome_of
from costscan.actions.setting import Setting
from costscan.levers.catalogue import LATENCY, NEEDS_EVAL
from costscan.levers.replaying import Outcome
from costscan.scenarios.workspace import Workspace

MOST: Final = 16
"""So many settings are ranked: those that save most alone."""
LEAST_PICO: Final = 10**9
"""What saves less than a tenth of a cent after those before it is no action of its own."""
_TESTS: Final = frozenset({LATENCY, NEEDS_EVAL})


class Ranked(NamedTuple):
    """A setting, and what it saves alone and after those before it, in pico-USD."""

    setting: Setting
    alone_pico: int
    saved_pico: int

    @property
    def is_test(self) -> bool:
        """Whether answers or their time may be others."""
        return is_test(self.setting)


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
    some = settings[:MOST]
    alone = _pico(workspace, [[one] for one in some])
    before = _pico(workspace, [[]])[0]
    worth = {id(one): before - pico for one, pico in zip(some, alone, strict=True)}
    paying = (one for one in some if worth[id(one)] >= LEAST_PICO)
    left = sorted(paying, key=lambda one: (_order(one), -worth[id(one)]))
    while True:
        after = _pico(workspace, [left[: n + 1] for n in range(len(left))])
        saved = [was - now for was, now in zip([before, *after], after, strict=False)]
        if all(pico >= LEAST_PICO for pico in saved):
            return [Ranked(one, worth[id(one)], pico) for one, pico in zip(left, saved, strict=True)]
        # The first that saves nothing goes: without it, those behind it may.
        worst = next(n for n, pico in enumerate(saved) if pico < LEAST_PICO)
        left = left[:worst] + left[worst + 1 :]


def _pico(workspace: Workspace, sets: Sequence[Sequence[Setting]]) -> list[int]:
    """Return what all runs cost with each set of settings, as far as their prices are known."""
    outcomes = workspace.done([outcome_of(workspace, some) for some in sets])
    return [_sum(outcome) for outcome in outcomes]


def _sum(outcome: Outcome) -> int:
    return int(outcome.runs["known_pico_usd"].sum() or 0)


__all__ = ["Ranked", "is_test", "ranked"]
