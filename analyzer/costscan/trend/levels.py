"""A series divided into levels: steps are looked for in the whole, then on both sides of each that is found.

A part of the series is tested at its share of the rate of false alarms, by its runs. Parts without a step
share the series, so chance alone puts a step anywhere at no more than the whole rate. What rises and falls
again shows no step in the whole, but one in its first or last two thirds, which have some of the rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from math import ceil
from typing import Final

from costscan.trend.change_points import LEAST_RUNS, Step, likeliest_step

_ROUNDS: Final = 5
_LOOKED_AT: Final = (((0, 3), 0.6), ((0, 2), 0.2), ((1, 3), 0.2))
"""From which third to which, and the share of the rate of false alarms."""


@dataclass(frozen=True)
class Levels:
    """A series and its steps.

    Attributes:
        values: in order of time, on the scale that is compared.
        steps: in order of time; each `place` counts the runs of the whole series before it.
    """

    values: Sequence[float]
    steps: list[Step] = field(default_factory=list)

    @property
    def bounds(self) -> list[tuple[int, int]]:
        """Return where each level begins and ends."""
        ends = [*(step.place for step in self.steps), len(self.values)]
        return list(pairwise([0, *ends])) if self.values else []

    @property
    def means(self) -> list[float]:
        """Return the mean of each level."""
        return [sum(self.values[start:end]) / (end - start) for start, end in self.bounds]


def levels(values: Sequence[float], at: Sequence[datetime], *, rate: float, least: float) -> Levels:
    """Divide a series where it has a step.

    Args:
        values: in order of time, on the scale that is compared.
        at: when each of them was; what is at the same time stays together.
        rate: how often chance alone may divide a series that has no step.
        least: steps between means that differ by less are none.
    """
    series = _Series(values, [n for n in range(1, len(at)) if at[n] != at[n - 1]], rate)
    steps: list[Step] = []
    left = [(0, len(values))] if values else []
    while left:
        start, end = left.pop()
        step = series.first_step(start, end)
        if step is not None:
            steps.append(step)
            left += [(start, step.place), (step.place, end)]
    return _without_small(Levels(values, series.settled(steps)), least)


@dataclass(frozen=True, slots=True)
class _Series:
    values: Sequence[float]
    places: Sequence[int]
    rate: float

    def first_step(self, start: int, end: int) -> Step | None:
        """Return the first step that is found in a part of the series, or in two thirds of it."""
        runs = end - start
        for (left, right), share in _LOOKED_AT:
            step = self.step(start + runs * left // 3, start + runs * right // 3, share * runs)
            if step is not None:
                return step
        return None

    def step(self, start: int, end: int, share: float) -> Step | None:
        """Return the step of a part of the series, at the share of the rate that so many runs have."""
        own = [place - start for place in self.places if start < place < end]
        step = likeliest_step(self.values[start:end], own, self.rate * share / len(self.values))
        return step and Step(start + step.place, step.p_value)

    def settled(self, candidates: list[Step]) -> list[Step]:
        """Look for each step again between its neighbours, where no other disturbs it; drop what is none."""
        steps = sorted(candidates, key=lambda step: step.place)
        for _ in range(_ROUNDS):
            before = steps
            for old in before:
                bounds = [0, *(step.place for step in steps), len(self.values)]
                near = bounds.index(old.place)
                start, end = bounds[near - 1], bounds[near + 1]
                new = self.step(start, end, end - start)
                steps = [*steps[: near - 1], *([new] if new else []), *steps[near:]]
            if steps == before:
                break
        return steps


def fewest_runs(rate: float) -> int:
    """Return how many runs a series needs for any step to be told from chance."""
    most = ceil(1 / rate) + 2 * LEAST_RUNS
    series = (_Series(range(n), range(n), rate) for n in range(2 * LEAST_RUNS, most))
    return next((len(one.values) for one in series if one.first_step(0, len(one.values))), most)


def _without_small(divided: Levels, least: float) -> Levels:
    """Leave out the smallest step as long as it is too small: its levels become one, with another mean."""
    while divided.steps:
        sizes = [abs(after - before) for before, after in pairwise(divided.means)]
        smallest = min(range(len(sizes)), key=sizes.__getitem__)
        if sizes[smallest] >= least:
            break
        divided = Levels(divided.values, [*divided.steps[:smallest], *divided.steps[smallest + 1 :]])
    return divided
