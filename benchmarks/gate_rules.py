"""How often the gate alarms falsely, how much it finds, and how often it cannot decide: simulated runs.

Run costs are log-normal: a spread of 0.4 is a factor of e**0.4 from run to run. Paired: each task has a run
on each side, and tasks differ by a spread of 0.8 (more does not matter: it cancels). One task: all runs are
of one task, and nothing says which to compare with which. `median` is the rule of a fixed threshold, for
comparison: alarm where the median is over 15% more.

    python benchmarks/gate_rules.py [--trials 1000]
"""

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterator
from math import exp, log
from statistics import median

from costscan.gate.matching import Group
from costscan.gate.permutation import permutation_test
from costscan.gate.verdicts import outcome

LIMIT, ALPHA, TASKS = log(1.05), 0.05, 0.8
RUNS = (3, 5, 10, 30)
SPREADS = (0.1, 0.15, 0.2, 0.4, 0.8)
RISES = (0.0, 0.1, 0.2, 0.5)

Design = Callable[[random.Random, int, float, float], list[Group]]


def paired(dice: random.Random, n: int, spread: float, rise: float) -> list[Group]:
    """Return log costs of n tasks, each with a run before and one after."""
    tasks = [dice.gauss(0, TASKS) for _ in range(n)]
    return [Group((t + dice.gauss(0, spread),), (t + dice.gauss(0, spread) + log(1 + rise),)) for t in tasks]


def one_task(dice: random.Random, n: int, spread: float, rise: float) -> list[Group]:
    """Return log costs of one task with n runs before and n after."""
    before = tuple(dice.gauss(0, spread) for _ in range(n))
    return [Group(before, tuple(dice.gauss(log(1 + rise), spread) for _ in range(n)))]


def verdict(groups: list[Group]) -> str:
    """Say what `usd:+5%` comes to, as the gate does."""
    found = permutation_test(groups)
    if found.difference <= LIMIT:
        return "passed"
    return outcome(found.p_value, found.least_p, ALPHA)


def by_median(groups: list[Group]) -> str:
    """Say what a threshold of 15% on the median comes to."""
    before = median(exp(v) for group in groups for v in group.before)
    after = median(exp(v) for group in groups for v in group.after)
    return "failed" if after > before * 1.15 else "passed"


def rates(design: Design, n: int, spread: float, rise: float, trials: int) -> tuple[float, float, float]:
    """Return the shares of trials that fail, are undecided, and fail by the median."""
    dice = random.Random(f"{design.__name__} {n} {spread} {rise}")
    counts: Counter[str] = Counter()
    for _ in range(trials):
        groups = design(dice, n, spread, rise)
        counts[verdict(groups)] += 1
        counts["median"] += by_median(groups) == "failed"
    return counts["failed"] / trials, counts["undecided"] / trials, counts["median"] / trials


def rows(design: Design, trials: int) -> Iterator[str]:
    """Yield the rows of a table in Markdown."""
    for n in RUNS:
        for spread in SPREADS:
            found = [rates(design, n, spread, rise, trials) for rise in RISES]
            failed = " | ".join(f"{one[0]:.1%}" for one in found)
            yield (
                f"| {n} | {spread} | {failed} | {found[0][1]:.0%} | {found[2][1]:.0%} | "
                f"{found[0][2]:.0%} | {found[2][2]:.0%} |"
            )


def main() -> None:
    """Print a table per design."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trials", type=int, default=1000)
    trials = options.parse_args().trials
    for design in (paired, one_task):
        print(f"\n{design.__name__}, {trials:,} trials a row\n")
        print(
            "| runs a side | spread | false alarms | finds +10% | finds +20% | finds +50% | "
            "undecided, no change | undecided, +20% | median: false alarms | median: finds +20% |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|")
        for row in rows(design, trials):
            print(row, flush=True)


if __name__ == "__main__":
    main()
