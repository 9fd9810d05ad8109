"""`costscan explain`: one run turn by turn, or one rule."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from costscan.cli.naming import ids, run_named
from costscan.cli.options import READING, Options, with_options
from costscan.cli.session import diagnosed
from costscan.errors import CostscanError, near
from costscan.times import span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costscan.actions import Advised
    from costscan.request import Request
    from costscan.rulebook import Diagnosis, Rule
    from costscan.settings.keys import Settings
    from costscan.summary import Summary
    from costscan.summary.story import Story
    from costscan.times import Span


Turns: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="A-B",
        help="Tell these turns of the run one by one: 0-20, 5, 5- or -10.",
        show_default=False,
    ),
]
ShowContent: TypeAlias = Annotated[
    bool, typer.Option("--show-content", help="Show how the most expensive blocks begin, secrets left out.")
]


@with_options("format", "rules", "anonymize", "tz", "set", "config", *READING)
def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN|RULE",
            show_default=False,
            help="The id of a run or sub-agent, or its beginning; worst, for the most expensive run; a rule.",
        ),
    ],
    path: Annotated[
        list[str] | None, typer.Argument(metavar="PATH", show_default=False, help="Logs, as for analyze.")
    ] = None,
    *,
    turns: Turns = None,
    show_content: ShowContent = False,
    options: Options,
) -> None:
    """Tell one run turn by turn: which tokens earned their place; or what a rule is about.

    A run is told with its sub-agents, a line each; one of these is opened by its name.

    \b
    Examples:
      costscan explain 8209f1c2 ~/.claude/projects
      costscan explain worst runs.jsonl --show-content
      costscan explain worst runs.jsonl --turns 0-20
      costscan explain bloated-tool-result
      costscan explain bloated-tool-result runs.jsonl

    A story ends with the actions of `analyze` that change what the run costs. With logs, what a rule finds in
    them is listed below it.
    Texts of the log are shown only with --show-content.
    """  # noqa: D301 - \b keeps the lines apart
    if options.anonymize and show_content:
        raise CostscanError("--show-content shows texts, and --anonymize hides them", "leave one of them out")
    request = options.request(path or ())
    chosen = None if turns is None else span("--turns", turns)
    if not path:
        _refuse_turns(chosen)
        _rule(what, request)
        return
    with diagnosed(request) as (diagnosis, summary):
        if (rule := _meant_rule(what, summary)) is not None:
            _refuse_turns(chosen)
            _found(rule, diagnosis, summary, request.settings)
            return
        run_id = run_named(what, summary, diagnosis.originals)
        _run(run_id, diagnosis, summary, request.settings, show_content=show_content, turns=chosen)


def _refuse_turns(chosen: "Span | None") -> None:
    if chosen is not None:
        raise CostscanError(f"--turns {chosen.words}: a rule has no turns", "for a run, name its logs too")


def _meant_rule(name: str, summary: "Summary") -> "Rule | None":
    """Return the rule that is meant: by its whole name or id, which no run has for its own."""
    if name in ids(summary)[0]:
        return None
    return next((rule for rule in summary.rules if name in {rule.name, rule.id}), None)


def _found(rule: "Rule", diagnosis: "Diagnosis", summary: "Summary", settings: "Settings") -> None:
    """Tell a rule, and below it what it found."""
    from costscan.reports.findings.listing import chosen  # noqa: PLC0415 - imports Polars
    from costscan.reports.findings.text import of_rule  # noqa: PLC0415
    from costscan.reports.listings.rules import prose  # noqa: PLC0415
    from costscan.reports.text.console import printed, width_of  # noqa: PLC0415

    listing = chosen(summary, diagnosis, rules=[rule.id], accepted=len(settings.findings.accepted))
    width = width_of(sys.stdout)
    printed([*prose(rule, width), "", *of_rule(listing, rule, width)])


def _rule(name: str, request: "Request") -> None:
    from costscan.reports.listings.rules import show_one  # noqa: PLC0415 - imports Polars
    from costscan.rulebook import load_rules  # noqa: PLC0415

    rules = load_rules(request.rules, request.settings.rules, cases=False)
    if not any(name in {rule.name, rule.id} for rule in rules):
        raise CostscanError(f"{name}: no rule of this name", _meant(name, [rule.name for rule in rules]))
    show_one(rules, name)


def _meant(name: str, rules: "Sequence[str]") -> str:
    """Return the hint for what is no rule: a log without a run, a rule misspelt, or a run without a log."""
    if Path(name).exists():
        return f"which run of it? costscan explain worst {name}"
    close = near(name, rules)
    return close if close.startswith("did") else f"for a run, name its logs too: costscan explain {name} PATH"


def _run(
    run_id: str,
    analysis: "Advised",
    summary: "Summary",
    settings: "Settings",
    *,
    show_content: bool,
    turns: "Span | None",
) -> None:
    from costscan.reports.listings.run_story import render  # noqa: PLC0415 - imports Polars
    from costscan.reports.text.console import printed, width_of  # noqa: PLC0415
    from costscan.summary.story import story  # noqa: PLC0415

    run_story = story(analysis, run_id)
    excerpts = _excerpts(run_story, redact=settings.redact) if show_content else None
    every, roots = ids(summary)
    lines = render(
        run_story,
        every,
        width=width_of(sys.stdout),
        excerpts=excerpts,
        roots=set(roots),
        paths=summary.paths,
        tz=settings.tz,
        turns=turns,
    )
    printed(lines)


def _excerpts(run_story: "Story", *, redact: bool) -> dict[int, str]:
    from costscan.reading.content.excerpts import excerpts  # noqa: PLC0415 - only where texts are shown
    from costscan.reports.listings.run_story import BLOCKS  # noqa: PLC0415

    rows = run_story.blocks.head(BLOCKS).to_dicts()
    wanted: dict[int, set[int]] = {}
    for row in rows:
        if row["content_hash"] is not None:
            wanted.setdefault(row["line"], set()).add(row["content_hash"])
    path = run_story.run["path"]
    by_hash = excerpts(path, wanted, redact=redact) if Path(path).is_file() else {}
    return {row["block"]: by_hash.get(row["content_hash"], "") for row in rows}
