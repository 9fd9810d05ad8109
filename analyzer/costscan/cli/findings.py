"""`costscan findings`: what rules found, one by one."""

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from costscan import formats
from costscan.cli import parameters as p
from costscan.cli.naming import run_named
from costscan.cli.options import CHOICE, LOOK, Options, with_options
from costscan.cli.session import diagnosed
from costscan.errors import CostscanError, near
from costscan.reports.findings import DEFAULT, names, printer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costscan.request import Request


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


Rules = Annotated[
    list[str] | None,
    typer.Option(metavar="RULE", help="Only findings of this rule, by name or id. Repeatable."),
]
Runs = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RUN",
        help="Only findings in this run or sub-agent: its id, the beginning of it, or worst. Repeatable.",
    ),
]
Severities = Annotated[
    list[Severity] | None, typer.Option(help="Only findings of this severity. Repeatable.")
]
ListFormat = Annotated[
    str, typer.Option("--format", metavar="FORMAT", help=f"How to print them: {', '.join(names())}.")
]
Top = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Show at most N findings; as text 10 if not set, else all."),
]
LogFormat = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"The format of all files, instead of what each looks like: {', '.join(formats.names())}.",
    ),
]


@with_options(*CHOICE, "client", *LOOK)
def findings(
    path: p.PathsOrDefault = None,
    *,
    rule: Rules = None,
    run: Runs = None,
    severity: Severities = None,
    list_format: ListFormat = DEFAULT,
    top: Top = None,
    log_format: LogFormat = None,
    options: Options,
) -> None:
    """List what rules found: where, what it cost, and what to do about it; the most expensive first.

    \b
    Examples:
      costscan findings
      costscan findings logs/ --severity error --top 30
      costscan findings runs.jsonl --rule volatile-prefix --format concise
      costscan findings logs/ --format gitlab > gl-code-quality-report.json

    One that is as it should be: costscan accept FINGERPRINT.
    Exit codes: 0 fine, 2 cannot run (usage, unreadable input, no usable line).
    """  # noqa: D301 - \b keeps the lines apart
    printed_by = printer(list_format)
    request = replace(options, format=log_format).request(options.paths(path))
    _refuse_unknown(rule or (), request)
    with diagnosed(request) as (diagnosis, summary):
        from costscan.reports.findings.listing import chosen  # noqa: PLC0415 - imports Polars

        listing = chosen(
            summary,
            diagnosis,
            rules=rule or (),
            runs=[run_named(name, summary, diagnosis.originals) for name in run or ()],
            severities=[one.value for one in severity or ()],
            accepted=len(request.settings.findings.accepted),
        )
    printed_by.show(listing, top=top)


def _refuse_unknown(asked: "Sequence[str]", request: "Request") -> None:
    """Refuse a rule that there is not before the logs are read, not after.

    Raises:
        CostscanError: there is no such rule.
    """
    if not asked:
        return
    from costscan.rulebook import load_rules  # noqa: PLC0415 - imports Polars

    rules = load_rules(request.rules, request.settings.rules, cases=False)
    for name in asked:
        if not any(name in {rule.name, rule.id} for rule in rules):
            raise CostscanError(f"--rule {name}: no such rule", near(name, [rule.name for rule in rules]))
