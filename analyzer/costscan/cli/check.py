"""`costscan check`: the gate of a pipeline."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from costscan.cli import parameters as p
from costscan.cli.comparison import show, write
from costscan.cli.options import READING, Options, with_options
from costscan.cli.printing import tell_written
from costscan.cli.session import diagnosed
from costscan.errors import CostscanError
from costscan.gate_pipeline import compared, is_missing, limits_of, read_whole, refuse_unfound, side
from costscan.reports.outputs import comparison_target

if TYPE_CHECKING:
    from costscan.gate import Comparison


class Outcome(StrEnum):
    """What to make of a check that cannot decide."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"


class Missing(StrEnum):
    """What to make of a baseline that is not there."""

    FAIL = "fail"
    SKIP = "skip"


Undecided = Annotated[
    Outcome | None,
    typer.Option(
        help="What to make of a check that cannot decide, instead of exit code 3.", show_default=False
    ),
]
MissingBaseline = Annotated[
    Missing,
    typer.Option(
        help="What to make of a --baseline that is not there: fail ends with exit code 2; skip checks "
        "the limits that need none, and says which were not checked."
    ),
]


@with_options("since", "until", "task", "project", "format", "rules", "tz", "set", "config", *READING)
def check(
    path: p.Paths,
    *,
    baseline: p.Baseline = None,
    fail_on: p.FailOn = None,
    undecided: Undecided = None,
    missing_baseline: MissingBaseline = Missing.FAIL,
    output: p.ComparisonOutput = None,
    json: p.Json = False,
    github: p.GitHub = False,
    top: p.Top = None,
    options: Options,
) -> None:
    """Fail where runs got more expensive than in a baseline, or over a budget.

    \b
    Examples:
      costscan analyze logs/ -o baseline.parquet
      costscan check new-logs/ --baseline baseline.parquet
      costscan check new-logs/ --baseline baseline.parquet --fail-on usd:+10% --fail-on volatile-prefix:0
      costscan check logs/ --fail-on usd_per_run.p95:2 --fail-on usd_per_day:50

    Runs of the same task are compared, and chance is accounted for: without --fail-on, a typical run may not
    cost over 5% more, and chance alone fails 5% of checks at most.

    Exit codes: 0 fine, 1 a limit is exceeded, 2 cannot run (usage, unreadable input), 3 could not decide: it
    may be chance, and there are too few runs to tell.
    """  # noqa: D301 - \b keeps the lines apart
    request = options.request(path)
    targets = [comparison_target(name) for name in output or ()]
    there = _there(baseline, missing_baseline)
    limits = limits_of(fail_on, request, has_baseline=there is not None, may_lack=baseline is not None)
    before = read_whole(request, there, diagnosed) if there is not None else None
    with side(request, diagnosed) as read:
        refuse_unfound(limits, read)
        comparison = compared(before, read.side, limits, request)
        write(targets, comparison, read)
    tell_written(targets)
    show(comparison, as_json=json, github=github, top=top)
    raise typer.Exit(_code(comparison, undecided.value if undecided else request.settings.check.undecided))


def _there(baseline: str | None, missing: Missing) -> str | None:
    """Return the baseline; None where there is none and that is fine.

    Raises:
        CostscanError: it is not there.
    """
    if baseline is None or not is_missing(baseline):
        return baseline
    if missing is Missing.FAIL:
        raise CostscanError(
            f"{baseline}: there is no such baseline",
            "make one with: costscan analyze LOGS -o baseline.parquet; "
            "or check what needs none: --missing-baseline skip",
        )
    return None


def _code(comparison: "Comparison", undecided: str | None) -> int:
    if comparison.verdict == "undecided" and undecided is not None:
        return 0 if undecided == "pass" else 1
    return comparison.exit_code
