"""Findings for people: by rule, the most expensive first, with what to do about each and what to type."""

import shlex
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Final

import polars as pl
from rich.text import Text

from costscan.aggregates import known_sum
from costscan.reports.analysis.tables import run_names
from costscan.reports.findings.listing import Listing
from costscan.reports.text.console import printed, width_of
from costscan.reports.text.headings import named
from costscan.reports.text.numbers import plural, usd
from costscan.reports.text.run_names import handle
from costscan.reports.text.sanitize import cells, clip, ending, inert, wrapped
from costscan.rulebook import Rule
from costscan.rulebook.rule import SEVERITIES
from costscan.summary import Summary

ROWS: Final = 10
_INDENT: Final = 2
_GAP: Final = 2
_MOST_LINES: Final = 8
"""Of a message or a fix: a log may hold long words."""
_NEXT: Final = "  next: "
_MANY: Final = {"info": "info"}


def render(listing: Listing, width: int, top: int | None = None) -> list[Text]:
    """Return the lines, each at most `width` columns wide."""
    every = listing.rows.height
    rules = listing.rows["rule"].n_unique()
    sizes = f"{plural(every, 'finding')} of {plural(rules, 'rule')}" if every else "no finding"
    paths = clip(inert(named(listing.summary.paths)), width - 10)
    title = Text.assemble(("costscan", "bold"), "  ", (paths, "bold"))
    fits = cells(title.plain) + cells(sizes) + 3 <= width
    heading = [title.append(f"   {sizes}")] if fits else [title, Text(f"  {sizes}")]
    blocks = [heading, *by_rule(listing, width, top or ROWS), _end(listing, width, top or ROWS)]
    return [line for block in blocks for line in ([Text(""), *block] if block is not heading else block)]


def by_rule(listing: Listing, width: int, top: int) -> list[list[Text]]:
    """Return a block of lines for each rule that found one of the `top` most expensive."""
    shown = listing.rows.head(top)
    return [
        [_rule(listing.rows.filter(rule=own["rule"][0]), own.height, width), *_findings(own, listing, width)]
        for own in shown.partition_by("rule", maintain_order=True)
    ]


def _rule(every: pl.DataFrame, shown: int, width: int) -> Text:
    """Say what the rule is and what it found; a severity that is set otherwise for it is the one told."""
    row = every.row(0, named=True)
    found = plural(every.height, "finding")
    count = found if shown == every.height else f"{shown:,} of {found}"
    more = f"  {row['rule']} {row['severity']}  {_sum(every)}  {count}"
    name = clip(inert(row["name"]), max(width - _INDENT - cells(more), 1))
    return Text(" " * _INDENT).append(name, style="bold").append(clip(more, width - _INDENT - cells(name)))


def _findings(own: pl.DataFrame, listing: Listing, width: int) -> Iterator[Text]:
    """Yield the findings of a rule; those that follow one another and are mended alike share the fix."""
    rows = own.with_columns(shown_run=_runs(own, listing.summary)).to_dicts()
    costs = max(len(usd(row["usd"])) for row in rows) + _GAP
    for fix, alike in groupby(rows, lambda row: row["fix"]):
        for row in alike:
            yield from _finding(row, costs, width)
        yield from _few(f"fix: {fix}", 2 * _INDENT, width, "green")


def _finding(row: Mapping[str, Any], costs: int, width: int) -> Iterator[Text]:
    """Yield what was found and where; `costs` are the columns of the dollars."""
    indent = 2 * _INDENT + costs
    turns = f"turn {row['turn']}"
    if row["turn_end"] != row["turn"]:
        turns = f"turns {row['turn']}-{row['turn_end']}"
    first, *rest = _few(row["told"], indent, width)
    yield Text(f"{' ' * 2 * _INDENT}{usd(row['usd']):<{costs}}") + first[indent:]
    yield from rest
    yield from _few(f"{row['shown_run']} {turns} · {row['fingerprint']}", indent, width)
    if row["file"]:
        place = inert(row["file"]) + (f":{row['line']}" if row["line"] else "")
        yield Text(" " * indent).append(ending(place, width - indent), style="dim")


def _few(text: str, indent: int, width: int, style: str = "") -> list[Text]:
    """Return the first lines of a text; at least one, though it be empty."""
    lines = wrapped(inert(text), width - indent) or [""]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], clip(f"{lines[_MOST_LINES - 1]} …", width - indent)]
    return [Text(" " * indent).append(line, style=style) for line in lines]


def _runs(own: pl.DataFrame, summary: Summary) -> pl.Series:
    """Return a short name for each run or sub-agent, which `explain` takes."""
    roots = summary.runs["run_id"].to_list()
    every = list(dict.fromkeys([*roots, *summary.threads["run_id"]]))
    ids = own["run_id"].to_list()
    of_roots = dict(zip(roots, run_names(summary.runs.select("run_id").to_dicts(), every), strict=True))
    names = {run: of_roots.get(run) or inert(handle(run, every, set(roots))) for run in set(ids)}
    return pl.Series([names[run] for run in ids], dtype=pl.String)


def _sum(findings: pl.DataFrame) -> str:
    known = findings.select(known_sum("usd")).item()
    if known is None:
        return "cost unknown"
    return f"at least {usd(known)}" if findings["usd"].null_count() else usd(known)


def of_rule(listing: Listing, rule: Rule, width: int) -> list[Text]:
    """Return what one rule found, for below what the rule is about."""
    heading = [Text("in these logs", style="bold"), Text("")]
    if listing.rows.is_empty():
        off = "the rule is off: nothing was looked for"
        return [heading[0], *_wrapped(_nothing(listing) if rule.enabled else off, width, "green")]
    blocks = by_rule(listing, width, ROWS)
    more = f"costscan findings PATH --rule {inert(rule.name)} --top {listing.rows.height}"
    notes = [f"{listing.rows.height - ROWS:,} more: {more}"] if listing.rows.height > ROWS else []
    notes += _quiet(listing)
    lines = [line for note in notes for line in _wrapped(note, width, "dim")]
    return [
        *heading,
        *(line for block in blocks for line in [*block, Text("")]),
        *lines,
        *_next(listing, width),
    ]


def _end(listing: Listing, width: int, top: int) -> list[Text]:
    """Return the sum, and what to type for less, for more and for what is behind it."""
    if listing.rows.is_empty():
        return _wrapped(_nothing(listing), width, "green")
    notes = [line for note in _notes(listing, top) for line in _wrapped(note, width, "dim")]
    of_its_rule = f"costscan explain {shlex.quote(inert(listing.rows['name'][0]))}"
    return [*_wrapped(_sums(listing.rows), width, "bold"), *notes, *_next(listing, width, of_its_rule)]


def _sums(rows: pl.DataFrame) -> str:
    parts = [
        f"{plural(own.height, severity, _MANY.get(severity, ''))} {_sum(own)}"
        for severity in SEVERITIES
        if (own := rows.filter(severity=severity)).height
    ]
    return f"{plural(rows.height, 'finding')}, {_sum(rows)}: {' · '.join(parts)}"


def _notes(listing: Listing, top: int) -> Iterator[str]:
    if listing.rows["rule"].n_unique() > 1:
        yield "what two rules find may be the same tokens: all of it together is no saving"
    if (rest := listing.rows.height - top) > 0:
        yield f"{rest:,} more: --top {listing.rows.height}; fewer: --rule, --run, --severity"
    yield from _quiet(listing)


def _quiet(listing: Listing) -> list[str]:
    accepted = plural(listing.accepted, "accepted fingerprint")
    return [f"{accepted} in the settings: what has one is not listed"] if listing.accepted else []


def _nothing(listing: Listing) -> str:
    if listing.left_out:
        return f"no finding that was asked for; of other rules, runs or severities: {listing.left_out:,}"
    return "; ".join(["no finding: no rule sees waste in these logs", *_quiet(listing)])


def _next(listing: Listing, width: int, *more: str) -> Iterator[Text]:
    """Yield the commands that tell more of the first finding; with their logs, where that fits."""
    first = listing.rows.head(1)
    paths = inert(" ".join(shlex.quote(path) for path in listing.summary.paths))
    commands = [f"costscan explain {shlex.quote(_runs(first, listing.summary)[0])}", *more]
    fits = max(map(cells, commands)) + 1 + cells(paths) <= width - cells(_NEXT)
    logs = paths if paths and fits else "PATH"
    every = [*(f"{command} {logs}" for command in commands), f"costscan accept {first['fingerprint'][0]}"]
    for n, command in enumerate(every):
        head = " " * cells(_NEXT) if n else _NEXT
        yield Text(head).append(clip(command, width - cells(_NEXT)), style="bold")


def _wrapped(text: str, width: int, style: str) -> list[Text]:
    return [Text(" " * _INDENT).append(line, style=style) for line in wrapped(text, width - _INDENT)]


def show(listing: Listing, *, top: int | None) -> None:
    """Print the lines."""
    printed(render(listing, width_of(sys.stdout), top))


__all__ = ["ROWS", "of_rule", "render", "show"]
