"""Time `costscan analyze` against ccusage and against bare JSON parsing, on the same files."""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scaling import MB, in_mb, print_scaling, size_bytes
from timing import Command, CommandFailedError, Sample, Summary, run_once, summarize

CCUSAGE_BINARY: Final = "node_modules/@ccusage/ccusage-linux-x64/bin/ccusage"
REFERENCE: Final = "ccusage session"
COMMANDS: Final = ("analyze", "usage")


def costscan_command(
    costscan: Path, data: Path, cwd: Path, word: str = "analyze", *, again: bool = False
) -> Command:
    """Return the command line of costscan: of a first look, or of one `again`, when nothing has changed."""
    words = [str(costscan), word, str(data), "--json", *(() if again else ("--no-cache",))]
    # The warm-up of a command fills the cache of its later runs.
    env = {**os.environ, "COSTSCAN_CACHE_DIR": str(cwd / "cache")}
    return Command(f"costscan {word}{', again' if again else ''}", words, env, cwd)


def ccusage_command(binary: Path, report: str, data: Path, cwd: Path) -> Command:
    """Return the command line of one ccusage report."""
    # An empty home: ccusage also reads the logs of every other agent it finds there.
    env = {**os.environ, "CLAUDE_CONFIG_DIR": str(data), "HOME": str(cwd), "XDG_CONFIG_HOME": str(cwd)}
    return Command(f"ccusage {report}", (str(binary), report, "--offline", "--json"), env, cwd)


def parse_floor_command(data: Path, cwd: Path) -> Command:
    """Return the command line that only parses each line."""
    script = Path(__file__).with_name("parse_floor.py").resolve()
    return Command("orjson loop, 1 core", (sys.executable, str(script), str(data)), dict(os.environ), cwd)


def find_ccusage(peers: Path) -> Path:
    """Return the native binary, which npm unpacks without the right to be executed."""
    binary = peers / CCUSAGE_BINARY
    if not binary.exists():
        raise SystemExit(f"{peers} has no ccusage; install it as benchmarks/README.md says")
    binary.chmod(0o755)
    return binary


def total_usd(document: object) -> float | None:
    """Return the billed total in a report, to see that both tools read the same calls."""
    totals = document.get("totals") if isinstance(document, Mapping) else None
    if not isinstance(totals, Mapping):
        return None
    usd = totals.get("usd", totals.get("totalCost"))
    return float(usd) if isinstance(usd, int | float) else None


def warm_up(command: Command) -> tuple[Sample, float | None]:
    """Run once to fill the page cache, sample the memory and look at the output."""
    with tempfile.TemporaryFile() as output:
        sample = run_once(command, with_tree=True, stdout=output)
        output.seek(0)
        return sample, total_usd(json.load(output))


def measure_in_turn(commands: list[Command], runs: int) -> dict[str, tuple[Summary, float | None]]:
    """Run A B C A B C ..., so that a slow spell of the machine hits all of them."""
    warm = {command.name: warm_up(command) for command in commands}
    timed: dict[str, list[Sample]] = {command.name: [] for command in commands}
    for _ in range(runs):
        for command in commands:
            timed[command.name].append(run_once(command))
    return {name: (summarize(sample, timed[name]), usd) for name, (sample, usd) in warm.items()}


def print_table(results: Mapping[str, tuple[Summary, float | None]], data_bytes: int) -> None:
    """Print the comparison as Markdown."""
    print(
        "| command | wall (range) | vs ccusage | MB/s | CPU | largest process | whole tree (PSS) | billed |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    reference_s = results[REFERENCE][0].wall_s if REFERENCE in results else None
    for name, (run, usd) in results.items():
        ratio = f"{run.wall_s / reference_s:.2f}x" if reference_s else "-"
        print(
            f"| {name} | {run.wall_s:.2f} s ({run.fastest_s:.2f}-{run.slowest_s:.2f}) | {ratio} "
            f"| {data_bytes / MB / run.wall_s:,.0f} | {run.cpu_s:.2f} s | {in_mb(run.largest_process_bytes)} "
            f"| {in_mb(run.tree_bytes)} | {'-' if usd is None else f'${usd:,.2f}'} |",
        )


def machine() -> str:
    """Return the hardware and versions in one line, without names of hosts or folders."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 10**9
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{platform.system()} {platform.machine()}, {cores} cores, {memory_gb:.0f} GB memory, {python}"


def version(binary: Path, name: str) -> str:
    """Return name and version of a command, as far as it tells them."""
    answer = subprocess.run((binary, "--version"), capture_output=True, text=True, check=False)
    return f"{name} {answer.stdout.split()[-1]}" if answer.stdout.split() else f"{name} (unknown version)"


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, metavar="DIR", help="logs as make_logs.py writes them")
    parser.add_argument("--peers-dir", type=Path, help="folder in which ccusage was installed with npm")
    parser.add_argument("--costscan", type=Path, default=Path(sys.executable).parent / "costscan")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scaling", action="store_true", help="costscan alone, on growing sets and runs")
    options = parser.parse_args()
    if not (options.data / "projects").is_dir():
        parser.error(f"{options.data} has no projects/; write it with make_logs.py")
    if not options.scaling and not options.peers_dir:
        parser.error("--peers-dir or --scaling is needed")
    return options


def compare(data: Path, costscan: Path, peers: Path, runs: int, cwd: Path) -> None:
    """Measure all commands in turn and print the table."""
    ccusage = find_ccusage(peers)
    commands = [
        *(costscan_command(costscan, data, cwd, word, again=n > 0) for word in COMMANDS for n in range(2)),
        ccusage_command(ccusage, "session", data, cwd),
        ccusage_command(ccusage, "daily", data, cwd),
        parse_floor_command(data, cwd),
    ]
    data_bytes = size_bytes(data)
    print(f"{data_bytes / MB:,.0f} MB, {runs} runs in turn after a warm-up; {version(ccusage, 'ccusage')}\n")
    print_table(measure_in_turn(commands, runs), data_bytes)


def main() -> None:
    """Print what was asked for."""
    options = read_options()
    data, costscan = options.data.resolve(), options.costscan.absolute()
    print(f"{machine()}; {version(costscan, 'costscan')}")
    # An empty working directory: no settings file is picked up by chance.
    with tempfile.TemporaryDirectory() as folder:
        cwd = Path(folder)
        try:
            if options.peers_dir:
                compare(data, costscan, options.peers_dir.resolve(), options.runs, cwd)
            if options.scaling:
                print_scaling(data, lambda path: costscan_command(costscan, path, cwd), options.runs)
        except CommandFailedError as error:
            raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
