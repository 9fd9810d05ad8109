"""Who needs replays asks for them: a generator yields plans and is sent their outcomes.

So each scenario is written as if it were alone, and plans of many scenarios are replayed in one pass.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self, TypeAlias, TypeVar

import polars as pl

from costscan.levers.plan import Plan

SEVERAL_TURNS: Final = 60_000
"""Plans of up to so many turns are made side by side, and replayed so many turns at a time."""
T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """A plan that was replayed.

    Attributes:
        plan: the plan.
        turns: its turns with token classes, unit prices and costs.
        runs: the sums by run.
    """

    plan: Plan
    turns: pl.DataFrame
    runs: pl.DataFrame

    @property
    def summed(self) -> Self:
        """This without turns: the sums by run, and what parts of levers were set to."""
        return replace(self, plan=self.plan.without_turns(), turns=self.turns.clear())


Replaying: TypeAlias = Generator[Sequence[Plan], Sequence[Outcome], T]
"""Work that waits for replays, and what it gives in the end."""


def replay(plan: Plan) -> Replaying[Outcome]:
    """Ask for the replay of one plan."""
    (outcome,) = yield [plan]
    return outcome


def together(tasks: Sequence[Replaying[T]], turns: int) -> Replaying[list[T]]:
    """Do work that waits for replays side by side; return what each gives. Of much, one after another.

    Args:
        tasks: the work.
        turns: the turns of a plan: what was replayed for all of the work is held at once.
    """
    results: dict[int, T] = {}
    if turns * len(tasks) > SEVERAL_TURNS:
        for number, task in enumerate(tasks):
            results[number] = yield from task
        return list(results.values())
    asked: dict[int, Sequence[Plan]] = {}

    def go_on(number: int, answer: Sequence[Outcome] | None) -> None:
        try:
            # What has not begun yet is sent nothing.
            asked[number] = tasks[number].send(answer)  # type: ignore[arg-type]
        except StopIteration as end:
            results[number] = end.value

    for number in range(len(tasks)):
        go_on(number, None)
    while asked:
        outcomes = iter((yield [plan for plans in asked.values() for plan in plans]))
        waiting, asked = asked, {}
        for number, plans in waiting.items():
            go_on(number, [next(outcomes) for _ in plans])
    return [results[number] for number in range(len(tasks))]


def ready(value: T) -> Replaying[T]:
    """Give a value without a replay."""
    yield from ()
    return value


def winners(ways: Sequence[pl.DataFrame]) -> pl.Series:
    """Return, row by row, which way is cheapest for all runs of its group; of equal ones the first.

    Args:
        ways: turns or runs with group and pico_usd (of runs known_pico_usd), all in the same order.
    """
    cost = "known_pico_usd" if "known_pico_usd" in ways[0].columns else "pico_usd"
    each = (way.select(pl.col(cost).sum().over("group").alias(str(n))) for n, way in enumerate(ways))
    sums = pl.concat(each, how="horizontal")
    return sums.select(way=pl.concat_list(pl.all()).list.arg_min().cast(pl.Int64)).to_series()


def tried_ways(ways: Sequence[Plan]) -> Replaying[list[Outcome]]:
    """Replay plans of which one is to be chosen; of big ones the turns of the first alone are held."""
    if ways[0].steps.height <= SEVERAL_TURNS:
        return list((yield ways))
    outcomes = list((yield ways[:1]))
    for way in ways[1:]:
        (outcome,) = yield [way]
        outcomes.append(outcome.summed)
    return outcomes


def runs_of(plan: Plan, others: Sequence[Callable[[], Plan]]) -> Replaying[list[pl.DataFrame]]:
    """Return the sums by run of a plan as it is and of others: of a big one no two are held at a time.

    Args:
        plan: the plan as it is.
        others: what makes the others.
    """
    if plan.steps.height <= SEVERAL_TURNS:
        return [outcome.runs for outcome in (yield [plan, *(make() for make in others)])]
    found = [(yield [plan])[0].runs]
    for make in others:
        found.append((yield [make()])[0].runs)  # noqa: PERF401 - a comprehension cannot wait
    return found


def tried(ways: Sequence[pl.DataFrame], settings: Sequence[str]) -> pl.DataFrame:
    """Return `TRIED` of settings.

    Args:
        ways: the sums by run of the plan as it is, and with each setting.
        settings: their names.
    """
    before = ways[0]["known_pico_usd"]
    return pl.concat(
        [
            runs.select(
                "run_id",
                tool=pl.lit(None, pl.String),
                setting=pl.lit(setting),
                saved_usd=(before - pl.col("known_pico_usd")).cast(pl.Float64) / 10**12,
            )
            for runs, setting in zip(ways[1:], settings, strict=True)
        ]
    )


__all__ = [
    "SEVERAL_TURNS",
    "Outcome",
    "Replaying",
    "ready",
    "replay",
    "runs_of",
    "together",
    "tried",
    "tried_ways",
    "winners",
]
