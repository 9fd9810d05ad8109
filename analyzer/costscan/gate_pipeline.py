"""From two sides to a comparison: read each, be it logs or a report, and hold one against the other."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from costscan.errors import CostscanError
from costscan.filters import refuse_unmeant
from costscan.pipeline import diagnosed
from costscan.remote.addresses import is_remote
from costscan.request import Request

if TYPE_CHECKING:
    from costscan.gate import Comparison, ComparisonSide, Limit
    from costscan.rulebook import Diagnosis
    from costscan.summary import Summary

Diagnose: TypeAlias = "Callable[[Request], AbstractContextManager[tuple[Diagnosis, Summary]]]"
"""What reads logs: `pipeline.diagnosed`, or that with a progress bar."""

_FIND = {"rule", "run", "replay"}
"""The parts of the work that findings come from."""
_ADVISE = {"scenario", "run", "replay", "actions"}
"""The parts of the work that actions come from."""


@dataclass(frozen=True, slots=True)
class Read:
    """A side, and the diagnosis it was made from; a report of earlier logs has none."""

    side: "ComparisonSide"
    summary: "Summary | None" = None
    diagnosis: "Diagnosis | None" = None


@contextmanager
def side(request: Request, diagnose: Diagnose = diagnosed) -> "Iterator[Read]":
    """Read one side: a run report, a folder of them, or logs.

    Args:
        request: what to read.
        diagnose: what reads the logs of a request.

    Raises:
        CostscanError: it cannot be read, or no run is chosen.
    """
    from costscan.gate import is_report, of_logs, reported  # noqa: PLC0415 - imports Polars

    if len(request.paths) == 1 and is_report(Path(request.paths[0])):
        compared_side = reported(Path(request.paths[0]), request.settings.tz)
        _refuse_time(request)
        compared_side = chosen(compared_side, request)
        yield Read(compared_side)
        return
    with diagnose(replace(request, may_lack=True)) as (diagnosis, summary):
        compared_side = of_logs(summary, diagnosis)
        refuse_empty(compared_side)
        yield Read(compared_side, summary, diagnosis)


def _refuse_time(request: Request) -> None:
    if request.since or request.until or request.models:
        raise CostscanError(
            f"{request.paths[0]}: --since and --until choose turns, and a report has runs",
            "choose them where the report is made: costscan analyze LOGS --since TIME -o baseline.parquet",
        )


def chosen(compared_side: "ComparisonSide", request: Request) -> "ComparisonSide":
    """Return the runs of a report that a request is about.

    Raises:
        CostscanError: there is none.
    """
    own = compared_side.of(request.tasks, request.projects)
    if not own.runs.height and compared_side.runs.height:
        where = f"the runs of {compared_side.name}"
        refuse_unmeant("--task", request.tasks, compared_side.runs["task"], where)
        refuse_unmeant("--project", request.projects, compared_side.runs["project"].drop_nulls(), where)
    refuse_empty(own)
    return own


def refuse_empty(compared_side: "ComparisonSide") -> None:
    """Refuse a side without a run.

    Raises:
        CostscanError: there is none.
    """
    if not compared_side.runs.height:
        raise CostscanError(
            f"{compared_side.name}: no run to compare", "name other logs, or another --task or --project"
        )


def read_whole(request: Request, path: str, diagnose: Diagnose = diagnosed) -> "ComparisonSide":
    """Read a baseline and be done with it; --since and --until are for what is compared with it."""
    with side(replace(request, paths=(path,), since=None, until=None), diagnose) as read:
        return read.side


def limits_of(
    words: Sequence[str] | None, request: Request, *, has_baseline: bool, may_lack: bool = False
) -> "list[Limit]":
    """Return the limits of the command line, where it names none those of the settings, else the usual one.

    Args:
        words: the limits of the command line.
        request: with the settings.
        has_baseline: whether there is one.
        may_lack: whether limits that need a baseline are fine without one.

    Raises:
        CostscanError: one means nothing, needs a baseline, or there are none.
    """
    from costscan.gate import DEFAULT, limits  # noqa: PLC0415 - imports Polars
    from costscan.rulebook import load_rules  # noqa: PLC0415

    texts = [("--fail-on", word) for word in words or ()] or list(request.settings.check.fail_on)
    if not texts and not has_baseline and not may_lack:
        raise CostscanError(
            "nothing to check against", "name a --baseline, or a budget like --fail-on usd_per_run:2"
        )
    rules = [rule.name for rule in load_rules(request.rules, request.settings.rules, cases=False)]
    parsed = limits(texts or [("", DEFAULT)], rules)
    for (where, _), limit in zip(texts, parsed, strict=False):
        if limit.needs_baseline and not has_baseline and not may_lack:
            raise CostscanError(
                f"{where}: {limit.text}: a change from what?",
                "name a --baseline, or a ceiling like usd_per_run:2",
            )
    return parsed


def refuse_unfound(limits: "Sequence[Limit]", read: Read) -> None:
    """Let no limit on findings or actions hold because nobody could look for them.

    Raises:
        CostscanError: a limit is on findings or actions that could not be looked for.
    """
    from costscan.gate import ACTIONS, is_on_findings  # noqa: PLC0415 - imports Polars

    for one in read.summary.defects if read.summary else ():
        kind, _, name = one.part.partition(" ")
        for limit in limits:
            of_findings = kind in _FIND and is_on_findings(limit, name if kind == "rule" else None)
            if of_findings or (kind in _ADVISE and limit.metric in ACTIONS):
                raise CostscanError(
                    f"--fail-on {limit.text}: {one.part}: {one.reason}", "without it this cannot be decided"
                )


def compared(
    before: "ComparisonSide | None", after: "ComparisonSide", limits: "Sequence[Limit]", request: Request
) -> "Comparison":
    """Compare two sides with the settings that hold; without a baseline, what needs one is not checked."""
    from costscan.gate import compare  # noqa: PLC0415 - imports Polars

    alarm = float(request.settings.check.false_alarm)
    left = [limit for limit in limits if before is None and limit.needs_baseline]
    applied = [limit for limit in limits if limit not in left]
    return compare(before, after, applied, false_alarm=alarm, now=request.now, unchecked=left)


def with_promises(comparison: "Comparison", report: Path | None, read: Read) -> "Comparison":
    """Add what became of the actions of an earlier report.

    Raises:
        CostscanError: the report has none, or the new side is no logs, so that nobody can say.
    """
    if report is None:
        return comparison
    from costscan.actions.promised import kept, read_promises  # noqa: PLC0415 - imports Polars

    promises = read_promises(report)
    if read.diagnosis is None:
        raise CostscanError(
            f"--actions {report}: {read.side.name} is a report of runs, and does not tell what is left to do",
            "name the new logs themselves",
        )
    return replace(comparison, promises=kept(promises, read.diagnosis))


def is_missing(path: str) -> bool:
    """Whether a baseline is not there: no file, no folder, and no pattern, address or standard input."""
    is_pattern = has_magic(path) and not path.endswith(".parquet")
    is_here = path != "-" and not is_pattern and not is_remote(path)
    return is_here and not Path(path).expanduser().exists()
