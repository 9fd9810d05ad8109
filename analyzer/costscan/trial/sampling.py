"""The sample of a trial: of each task and evidence its share, in an order that keeps the shares."""

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from costscan.trial.agreement import allotted
from costscan.trial.calls import Call

if TYPE_CHECKING:
    from costscan.actions.measured import Moved


class Sampled(NamedTuple):
    """A call of the sample, and for how many calls of its task, agent type and evidence it stands."""

    call: Call
    stratum_calls: int


def sampled(calls: Sequence[Call], n: int, seed: int) -> list[Sampled]:
    """Return n calls, at random within each stratum; any first part of them has about the same shares.

    The same calls give the same sample for the same seed, in whatever order they come.
    """
    strata: dict[Moved, list[Call]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: (call.run_id, call.turn)):
        strata[call.moved].append(call)
    chance = random.Random(seed)  # noqa: S311 - a sample has to be the same again
    placed = []
    for own, size in zip(strata.values(), allotted([len(one) for one in strata.values()], n), strict=True):
        chosen = chance.sample(own, size)
        placed += [((i + chance.random()) / size, Sampled(call, len(own))) for i, call in enumerate(chosen)]
    return [one for _, one in sorted(placed, key=lambda pair: (pair[0], pair[1].call.key))]


__all__ = ["Sampled", "sampled"]
