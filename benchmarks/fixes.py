"""Play agents as they are and with each fix made: how far off is what costscan foresees?

    python benchmarks/fixes.py --seeds 1-100

Each seed is a workload drawn at random (`tests/support/world/catalog.py`). It is logged, costscan says what
each fix would save, each fix is made to the requests, where costscan chooses in the way that it chose, and
billed by a slow biller that shares no code with costscan. Printed is, for each scenario, how far the cost
that was foreseen is from the bill, and what was off by more than its target.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from world import catalog
from world.made import SETTINGS
from world.played import Played, look, play

AT_ONCE = 12


def main() -> None:
    """Play what is asked for, and print how it went."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds", default="1-30", help="the seeds to play, as 1-30; `fixed`: those of the tests"
    )
    parser.add_argument("--settings", nargs="*", choices=list(SETTINGS), default=["default"])
    parser.add_argument("--scenario", nargs="*", help="only these scenarios")
    given = parser.parse_args()
    print_table(list(played(given.seeds, given.settings, given.scenario)))


def played(seeds: str, settings: Sequence[str], scenarios: Sequence[str] | None) -> Iterator[Played]:
    """Play workloads, some at a time."""
    first, _, last = seeds.partition("-")
    numbers = range(int(first), int(last or first) + 1) if seeds != "fixed" else []
    workloads = [catalog.drawn(n) for n in numbers] or catalog.fixed()
    for n in range(0, len(workloads), AT_ONCE):
        with TemporaryDirectory() as folder:
            world = look(Path(folder), workloads[n : n + AT_ONCE], settings)
        for name in settings:
            for task in world.workloads:
                yield from play(world, task, name, scenarios)


def print_table(found: Sequence[Played]) -> None:
    """Print a row a scenario, then what was missed, the worst first."""
    cases: dict[tuple[str, str], list[Played]] = defaultdict(list)
    for one in found:
        cases[one.settings, one.scenario].append(one)
    names = (
        "settings",
        "scenario",
        "cases",
        "with a change",
        "median error",
        "worst",
        "in target",
        "or in range",
    )
    print(f"| {' | '.join(names)} |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for (settings, scenario), some in sorted(cases.items()):
        errors = [abs(one.error) for one in some]
        near = sum(abs(one.error) <= one.target for one in some) / len(some)
        met = sum(one.is_met for one in some) / len(some)
        changed = sum(one.billed != one.was or one.foreseen != one.was for one in some)
        print(
            f"| {settings} | {scenario} | {len(some)} | {changed} | {median(errors):.2%} | {max(errors):.2%} "
            f"| {near:.0%} | {met:.0%} |"
        )
    print("\nNot within the target, nor in the range:")
    for one in sorted((one for one in found if not one.is_met), key=lambda one: -abs(one.error)):
        saved = f"foreseen {one.was - one.foreseen:.4f}, saved {one.was - one.billed:.4f} of {one.was:.4f}"
        print(f"- {one.error:+.1%} {one.settings}: {one.scenario} ({saved}): {one.task}")


if __name__ == "__main__":
    main()
