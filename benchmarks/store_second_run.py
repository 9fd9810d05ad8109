"""Put many small logs into a store, then once more with one new: what the second ingest takes of the first.

python benchmarks/store_second_run.py --out DIR --files 10000
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from make_logs import LogMaker, write_session
from timing import Command, Sample, run_once

CALLS = 2


def make(out: Path, count: int) -> None:
    """Write so many sessions of two calls, over 40 projects and the days of a few releases, an hour old."""
    maker = LogMaker(7)
    for number in range(count):
        session = maker.session(number)
        write_session(session.run(CALLS), out)
    old_s = time.time() - 3600
    for log in out.rglob("*.jsonl"):
        os.utime(log, (old_s, old_s))


def timed(*words: str) -> Sample:
    """Run costscan as it is installed: compiled, and with prices kept."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return run_once(Command("costscan", [sys.executable, "-m", "costscan", *words], env, Path.cwd()))


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--files", type=int, default=10_000)
    options = parser.parse_args()
    logs, store = options.out / "logs", options.out / "store"
    if not logs.exists():
        make(logs, options.files)
    shutil.rmtree(store, ignore_errors=True)
    aside = options.out / "new.jsonl"
    new = max(logs.rglob("*.jsonl"))
    new.rename(aside)
    ingest = ("ingest", str(logs), "--store", str(store))
    first = timed(*ingest)
    nothing = timed(*ingest)
    aside.rename(new)
    one = timed(*ingest)
    sizes, parts = (
        [path.stat().st_size for path in folder.rglob("*.*") if path.is_file()] for folder in (logs, store)
    )
    print(
        f"{len(sizes):,} logs, {sum(sizes) / 1e6:,.0f} MB; {len(parts):,} files, {sum(parts) / 1e6:,.0f} MB"
    )
    print("| | wall | CPU | of the first | largest process |\n|---|---|---|---|---|")
    others = [("usage STORE", timed("usage", str(store))), ("usage LOGS", timed("usage", str(logs)))]
    compacted = [
        ("compact", timed("store", "compact", str(store))),
        ("usage STORE", timed("usage", str(store))),
    ]
    for name, sample in [("first", first), ("nothing new", nothing), ("one new", one), *others, *compacted]:
        print(
            f"| {name} | {sample.wall_s:.2f} s | {sample.cpu_s:.2f} s | {sample.cpu_s / first.cpu_s:.1%} | "
            f"{sample.largest_process_bytes / 1e6:,.0f} MB |"
        )


if __name__ == "__main__":
    main()
