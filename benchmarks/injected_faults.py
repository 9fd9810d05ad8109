"""Put values that vary into real prompts, and count how often they are found at their exact character.

Every request of the logs (request/response pairs, `.jsonl` or `.jsonl.gz`) is sent twice, the second time
with an answer and a user turn more, and with another value at a random place of a random text.
"""

import argparse
import gzip
import json
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from faults import KINDS, Fault, fault, found_of


def requests(folder: Path) -> list[dict[str, object]]:
    """Return the requests with messages in the logs of a folder."""
    out = []
    for path in sorted([*folder.rglob("*.jsonl"), *folder.rglob("*.jsonl.gz")]):
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as file:
            found = [json.loads(line).get("request") for line in file]
        out += [r for r in found if isinstance(r, dict) and r.get("messages")]
    return out


def main() -> None:
    """Print a table by kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--show", action="store_true", help="print what was missed, with text of the logs")
    given = parser.parse_args()
    dice = random.Random(1)
    prompts = requests(given.folder)
    print("| kind | cases | at the exact character | right cause |\n|---|--:|--:|--:|")
    total = [0, 0, 0]
    for kind in KINDS:
        faults = [f for prompt in prompts if (f := fault(prompt, kind, dice)) is not None]
        counts = count(faults, show=given.show)
        total = [a + b for a, b in zip(total, counts, strict=True)]
        print(f"| {kind} | {counts[0]} | {counts[1]} | {counts[2]} |")
    print(f"| all | {total[0]} | {total[1]} | {total[2]} |")


def count(faults: list[Fault], *, show: bool) -> tuple[int, int, int]:
    """Count the faults, those found where they are, and those of them that were given the right cause."""
    exact = right = 0
    with tempfile.TemporaryDirectory() as folder:
        for put, found in zip(faults, found_of(Path(folder), faults), strict=True):
            here = found is not None and (found["path"], found["char_offset"]) == (put.path, put.offset)
            exact += here
            right += here and found is not None and found["cause"] == put.cause
            if show and not (here and found is not None and found["cause"] == put.cause):
                print(put.path, put.offset, put.cause, found)
    return len(faults), exact, right


if __name__ == "__main__":
    main()
