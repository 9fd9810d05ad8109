"""Damage the structure of log lines at random places, many thousand times, and see what costscan makes of it.

The suite does the same 100 times, CI 1,000 times; see `tests/support/mutants.py`. The same seed gives the
same mutants.
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
os.environ["COSTSCAN_CACHE"] = "off"


def main() -> int:
    """Print a table of the changes, and what failed; give 1 where something did."""
    from mutants import run  # noqa: PLC0415 - of the tests, once they can be found

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = run(given.count, given.seed, sys.stderr)
    print("| change | mutants |\n|---|--:|")
    for kind, n in sorted(found.kinds.items()):
        print(f"| {kind} | {n} |")
    print(f"| **all** | {sum(found.kinds.values())} |")
    print(f"\n{len(found.failures)} failures")
    print("\n".join(f"- {one}" for one in found.failures))
    return int(bool(found.failures))


if __name__ == "__main__":
    sys.exit(main())
