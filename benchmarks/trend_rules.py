"""Compare rules that find steps in series of costs: how often they see one, where none is and where one is.

    python benchmarks/trend_rules.py [--series 300]

Costs are log-normal; a step is at a place chosen at random in the middle 80 % of the runs. `ranks` is the
rule of `costscan.trend`, `logarithms` the same statistic on logarithms with 399 permutations, `Pettitt` his
test with his approximation of the p-value. Prints Markdown. Needs NumPy beside costscan.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from math import exp, log, log1p
from statistics import median

import numpy as np

from costscan.trend.change_points import LEAST_RUNS, likeliest_step
from costscan.trend.levels import levels

RATE = 0.05
SPREADS = (0.1, 0.2, 0.4, 0.8)
LENGTHS = (10, 30, 100, 300)
STEPS = (0.0, 0.2, 0.5)
ASTRAY = 0.05
DRAWS = 399
Series = np.ndarray
Rule = Callable[[Series, np.random.Generator], int | None]


def ranks(values: Series, _: np.random.Generator) -> int | None:
    """Return where the rule of costscan puts a step."""
    found = likeliest_step(list(values), range(len(values)), RATE)
    return found.place if found else None


def logarithms(values: Series, dice: np.random.Generator) -> int | None:
    """Return where the largest weighted sum of centred logarithms is, if permutations seldom reach it."""
    n = len(values)
    places = np.arange(LEAST_RUNS, n - LEAST_RUNS + 1)
    weights = 1 / np.sqrt(places * (n - places))
    centred = values - values.mean()

    def clear(some: Series) -> Series:
        return np.abs(np.cumsum(some, axis=-1)[..., places - 1]) * weights

    seen = clear(centred)
    others = clear(dice.permuted(np.tile(centred, (DRAWS, 1)), axis=1)).max(axis=1)
    p_value = (1 + (others >= seen.max() - 1e-12).sum()) / (DRAWS + 1)
    return int(places[seen.argmax()]) if p_value <= RATE else None


def pettitt(values: Series, _: np.random.Generator) -> int | None:
    """Return where Pettitt's statistic is largest, if his approximation of its chance is small."""
    n = len(values)
    own = values.argsort().argsort() + 1
    sums = np.abs(2 * np.cumsum(own) - np.arange(1, n + 1) * (n + 1))[:-1]
    p_value = 2 * exp(-6 * float(sums.max()) ** 2 / (n**3 + n**2))
    return int(sums.argmax()) + 1 if p_value <= RATE else None


RULES: dict[str, Rule] = {"ranks": ranks, "logarithms": logarithms, "Pettitt": pettitt}


def made(n: int, spread: float, step: float, astray: float, dice: np.random.Generator) -> tuple[Series, int]:
    """Return the logarithms of a series, and how many runs are before its step."""
    place = int(dice.integers(max(LEAST_RUNS, n // 10), n - max(LEAST_RUNS, n // 10) + 1))
    values = dice.normal(0, spread, n) + np.where(np.arange(n) >= place, log1p(step), 0)
    return values + np.where(dice.random(n) < astray, log(8), 0), place


def row(n: int, spread: float, astray: float, series: int) -> list[str]:
    """Return how often each rule finds a step, and how far off the larger one is found."""
    cells = []
    off: dict[str, list[int]] = {name: [] for name in RULES}
    for step in STEPS:
        dice = np.random.default_rng(1)
        counts = dict.fromkeys(RULES, 0)
        for _ in range(series):
            values, place = made(n, spread, step, astray, dice)
            for name, rule in RULES.items():
                found = rule(values, dice)
                counts[name] += found is not None
                if found is not None and step == STEPS[-1]:
                    off[name].append(abs(found - place))
        cells.append(" / ".join(f"{count / series:.0%}" for count in counts.values()))
    far = (f"{median(some):.0f}" if len(some) > series / 10 else "-" for some in off.values())
    return [*cells, " / ".join(far)]


def whole(series: int) -> list[str]:
    """Return how often too few steps are found in a series, as many as there are, and too many."""
    lines = []
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for n in (30, 100, 300):
        at = [start + timedelta(hours=hour) for hour in range(n)]
        cells = []
        for rises in ((), (1,), (1, 1), (1, -1)):
            steps = len(rises)
            dice = np.random.default_rng(2)
            found = [
                len(levels(_stairs(n, rises, dice), at, rate=RATE, least=log1p(0.05)).steps) - steps
                for _ in range(series)
            ]
            shares = (sum(1 for more in found if sign(more)) / series for sign in SIGNS)
            cells.append(" / ".join(f"{share:.0%}" for share in shares))
        lines.append(f"| {n} | {' | '.join(cells)} |")
    return lines


SIGNS: Sequence[Callable[[int], bool]] = (lambda n: n < 0, lambda n: n == 0, lambda n: n > 0)


def _stairs(n: int, rises: Sequence[int], dice: np.random.Generator) -> list[float]:
    """Return logarithms of spread 0.2 with steps of +50 %, or back, at equal distances."""
    heights = np.cumsum([0, *rises])
    return list(dice.normal(0, 0.2, n) + heights[np.arange(n) * len(heights) // n] * log(1.5))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=300)
    given = parser.parse_args()
    print(f"{' / '.join(RULES)}\n")
    print(
        "| runs | spread | astray | no step | +20 % | +50 % | runs off, +50 % |\n"
        "|--:|--:|--:|--:|--:|--:|--:|"
    )
    for n in LENGTHS:
        for spread, astray in [*((spread, 0.0) for spread in SPREADS), (0.2, ASTRAY)]:
            cells = row(n, spread, astray, given.series)
            print(f"| {n} | {spread} | {astray:.0%} | {' | '.join(cells)} |")
            sys.stdout.flush()
    print(
        "\ntoo few / right / too many steps\n\n"
        "| runs | none | one | two up | up and down |\n|--:|--:|--:|--:|--:|"
    )
    print("\n".join(whole(given.series)))


if __name__ == "__main__":
    main()
