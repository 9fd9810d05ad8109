"""The sides of a comparison: what `check` and `compare` read."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING

from costscan.cli.session import Logs, analyzed
from costscan.errors import CostscanError

if TYPE_CHECKING:
    from costscan.analysis import Analysis
    from costscan.gate import Comparison, Limit, Side
    from costscan.reports.outputs import Target
    from costscan.summary import Summary


_FIND = {"rule", "run", "replay"}
"""The parts of the work that findings come from."""


@dataclass(frozen=True, slots=True)
class Read:
    """A side, and the analysis it was made from; a report of earlier logs has none."""

    side: "Side"
    summary: "Summary | None" = None
    x: "Analysis | None" = None


@contextmanager
def side(logs: Logs) -> "Iterator[Read]":
    """Read one side: a run report, a folder of them, or logs.

    Raises:
        CostscanError: it cannot be read, or no run is chosen.
    """
    from costscan.gate import is_report, of_logs, reported  # noqa: PLC0415 - imports Polars

    if len(logs.paths) == 1 and is_report(Path(logs.paths[0])):
        found = reported(Path(logs.paths[0]), logs.settings.tz).of_tasks(logs.tasks)
        _refuse_time(logs)
        _refuse_empty(found)
        yield Read(found)
        return
    with analyzed(logs) as (x, summary):
        found = of_logs(summary, x)
        _refuse_empty(found)
        yield Read(found, summary, x)


def _refuse_time(logs: Logs) -> None:
    if logs.since or logs.until or logs.models:
        raise CostscanError(
            f"{logs.paths[0]}: --since and --until choose turns, and a report has runs",
            "choose them where the report is made: costscan analyze LOGS --since TIME -o baseline.parquet",
        )


def _refuse_empty(found: "Side") -> None:
    if not found.runs.height:
        raise CostscanError(f"{found.name}: no run to compare", "name other logs, or another --task")


def read_whole(logs: Logs, path: str) -> "Side":
    """Read a baseline and be done with it; --since and --until are for what is compared with it."""
    with side(replace(logs, paths=(path,), since=None, until=None)) as read:
        return read.side


def limits_of(
    words: Sequence[str] | None, logs: Logs, *, has_baseline: bool, may_lack: bool = False
) -> "list[Limit]":
    """Give the limits of the command line, where it names none those of the settings, else the usual one.

    Args:
        words: the limits of the command line.
        logs: with the settings.
        has_baseline: whether there is one.
        may_lack: whether limits that need a baseline are fine without one.

    Raises:
        CostscanError: one means nothing, needs a baseline, or there are none.
    """
    from costscan.gate import DEFAULT, limits  # noqa: PLC0415 - imports Polars
    from costscan.rulebook import load_rules  # noqa: PLC0415

    said = [("--fail-on", word) for word in words or ()] or list(logs.settings.check.fail_on)
    if not said and not has_baseline and not may_lack:
        raise CostscanError(
            "nothing to check against", "name a --baseline, or a budget like --fail-on usd_per_run:2"
        )
    rules = [rule.name for rule in load_rules(logs.rules, logs.settings.rules)]
    found = limits(said or [("", DEFAULT)], rules)
    for (where, _), limit in zip(said, found, strict=False):
        if limit.needs_baseline and not has_baseline and not may_lack:
            raise CostscanError(
                f"{where}: {limit.text}: a change from what?",
                "name a --baseline, or a ceiling like usd_per_run:2",
            )
    return found


def refuse_unfound(limits: "Sequence[Limit]", read: Read) -> None:
    """Let no limit on findings hold because nobody could look for them.

    Raises:
        CostscanError: a limit is on findings that could not be looked for.
    """
    from costscan.gate import is_on_findings  # noqa: PLC0415 - imports Polars

    for one in read.summary.defects if read.summary else ():
        kind, _, name = one.part.partition(" ")
        for limit in limits:
            if kind in _FIND and is_on_findings(limit, name if kind == "rule" else None):
                raise CostscanError(
                    f"--fail-on {limit.text}: {one.part}: {one.reason}", "without it this cannot be decided"
                )


def compared(before: "Side | None", after: "Side", limits: "Sequence[Limit]", logs: Logs) -> "Comparison":
    """Compare two sides with the settings that hold; without a baseline, what needs one is not checked."""
    from costscan.gate import compare  # noqa: PLC0415 - imports Polars

    alarm = float(logs.settings.check.false_alarm)
    left = [limit for limit in limits if before is None and limit.needs_baseline]
    applied = [limit for limit in limits if limit not in left]
    return compare(before, after, applied, false_alarm=alarm, now=logs.now, unchecked=left)


def is_missing(path: str) -> bool:
    """Say whether a baseline is not there: no file, no folder, and no pattern or standard input."""
    is_pattern = has_magic(path) and not path.endswith(".parquet")
    return path != "-" and not is_pattern and not Path(path).expanduser().exists()


def write(targets: "Sequence[Target]", comparison: "Comparison", read: Read) -> None:
    """Write reports of a comparison, and of the logs that were compared.

    Raises:
        CostscanError: a report cannot be written, or is made from logs and there is none.
    """
    for target in targets:
        if target.needs_logs and (read.summary is None or read.x is None):
            raise CostscanError(
                f"-o {target.path}: this is made from logs, and {read.side.name} is a report of some",
                "name the logs themselves, or write another report",
            )
        target.write_comparison(comparison, read.summary, read.x)


def show(comparison: "Comparison", *, as_json: bool, github: bool, top: int | None) -> None:
    """Print a comparison: for people, for programs, or for the log of a job."""
    if as_json:
        from costscan.reports.comparison.json import encoded  # noqa: PLC0415 - imports Polars

        sys.stdout.flush()
        sys.stdout.buffer.write(encoded(comparison))
        return
    from costscan.reports.analysis.terminal import printed, width_of  # noqa: PLC0415
    from costscan.reports.comparison.terminal import render  # noqa: PLC0415

    if github:
        from costscan.reports.comparison.github import annotate  # noqa: PLC0415

        annotate(comparison)
    printed(render(comparison, width=width_of(sys.stdout), top=top))
