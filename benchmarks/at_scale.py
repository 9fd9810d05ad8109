"""What a million calls cost to read, to total, to analyze and to ingest, and what follows for a fleet.

    python benchmarks/make_logs.py --bytes 4GB --out DIR/4GB
    python benchmarks/at_scale.py DIR/4GB --calls-a-day 100000000

The sets are parts of one: 1/64, 1/16, 1/4 and all of it. The last one is taken for what more costs.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scaling import in_mb, size_bytes, subset
from timing import Command, run_once

FRACTIONS: Final = (1 / 64, 1 / 16, 1 / 4, 1)
COSTSCAN: Final = [sys.executable, "-m", "costscan"]
MILLION: Final = 10**6
DAY_S: Final = 86_400
USD_PER_CORE_HOUR: Final = 0.05
"""About what a core of a rented machine costs an hour, on demand; bring your own price."""


@dataclass(frozen=True)
class Cost:
    """What a command took for so many calls."""

    calls: int
    cpu_s: float
    wall_s: float
    largest_process_bytes: int

    @property
    def cpu_s_per_million(self) -> float:
        """CPU seconds for a million calls."""
        return self.cpu_s * MILLION / self.calls


def calls_in(folder: Path) -> int:
    """Return how many calls a set has."""
    words = [*COSTSCAN, "usage", str(folder), "--json", "--no-cache"]
    told = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return int(told["totals"]["turns"])


def commands(folder: Path, scratch: Path) -> Iterator[Command]:
    """Yield what is measured."""
    ways = {
        "usage": ["usage", str(folder), "--json", "--no-cache"],
        "analyze": ["analyze", str(folder), "--json", "--no-cache"],
        "ingest": ["ingest", str(folder), "--store", str(scratch / f"store-{folder.name}"), "--json"],
    }
    for name, words in ways.items():
        yield Command(name, [*COSTSCAN, *words], {"PATH": "/usr/bin:/bin", "COSTSCAN_CACHE": "off"}, scratch)


def measured(data: Path, scratch: Path) -> dict[str, list[Cost]]:
    """Print a row for each set and command, and return the costs by command."""
    print("| set | calls | command | CPU | CPU a million calls | wall | largest process |")
    print("|--:|--:|---|--:|--:|--:|--:|")
    costs: dict[str, list[Cost]] = {}
    for fraction in FRACTIONS:
        with subset(data, size_bytes(data) * fraction) as folder:
            calls, size = calls_in(folder), size_bytes(folder) / MILLION
            for command in commands(folder, scratch):
                took = run_once(command)
                cost = Cost(calls, took.cpu_s, took.wall_s, took.largest_process_bytes)
                costs.setdefault(command.name, []).append(cost)
                print(
                    f"| {size:,.0f} MB | {calls:,} | `{command.name}` | {cost.cpu_s:.1f} s "
                    f"| {cost.cpu_s_per_million:,.0f} s | {cost.wall_s:.1f} s "
                    f"| {in_mb(cost.largest_process_bytes)} |",
                    flush=True,
                )
    return costs


def print_fleet(costs: dict[str, list[Cost]], calls_a_day: int, bytes_a_call: float) -> None:
    """Print what so many calls a day would take."""
    print(f"\n{calls_a_day:,} calls a day are {calls_a_day * bytes_a_call / 1e12:,.1f} TB of logs:\n")
    print("| command | cores kept busy | USD a day |\n|---|--:|--:|")
    for name, each in costs.items():
        cpu_s = each[-1].cpu_s_per_million * calls_a_day / MILLION
        print(f"| `{name}` | {cpu_s / DAY_S:,.1f} | {cpu_s / 3600 * USD_PER_CORE_HOUR:,.2f} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--calls-a-day", type=int, default=100 * MILLION)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        costs = measured(chosen.data, Path(scratch))
    bytes_a_call = size_bytes(chosen.data) / costs["usage"][-1].calls
    print_fleet(costs, chosen.calls_a_day, bytes_a_call)


if __name__ == "__main__":
    main()
