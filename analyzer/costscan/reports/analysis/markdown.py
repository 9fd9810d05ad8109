"""The Markdown report: the first screen, for a pull request, an issue or a wiki."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from costscan.reports.analysis.action_list import action_columns
from costscan.reports.analysis.bill_lines import Pieces
from costscan.reports.analysis.divisions import DIVISIONS
from costscan.reports.analysis.findings import finding_columns
from costscan.reports.analysis.headline import paragraphs, sizes
from costscan.reports.analysis.levers import lever_columns, together_sentence
from costscan.reports.analysis.tables import model_columns, run_columns
from costscan.reports.text.headings import named, price_basis
from costscan.reports.text.markdown import Table, cell, code, page
from costscan.reports.text.numbers import count
from costscan.reports.text.sanitize import inert
from costscan.reports.text.table import Column
from costscan.rulebook import Diagnosis
from costscan.summary import Summary

MOST_CHARS: Final = 60_000
"""GitHub takes comments of up to 65,536."""
RULES, RUNS, MODELS, TOOLS, SKIPS = 20, 10, 10, 15, 3
_PATHS: Final = 200
_FIX: Final = 600
"""The columns that a fix may take: it is to be read to its end."""


def document(summary: Summary, *, most_chars: int = MOST_CHARS) -> str:
    """Return the report in at most so many characters."""
    parts: list[str | Table] = [
        f"## costscan {code(named(summary.paths), _PATHS)}".rstrip(),
        cell(" · ".join([*sizes(summary), price_basis(summary.prices)])),
        "\n".join(_headline(summary)),
    ]
    if summary.totals.turns:
        parts += _tables(summary)
    if summary.inputs.skipped:
        parts += ["### Skipped", "\n".join(_skipped(summary))]
    return page(parts, most_chars)


def _headline(summary: Summary) -> Iterator[str]:
    for label, pieces, separator in paragraphs(summary):
        yield f"- {label}: {_line(pieces, separator)}"


def _line(pieces: Pieces, separator: str) -> str:
    """Return pieces as one line; what is bold on the terminal is so here."""
    line = ""
    for text, style in pieces:
        shown = cell(text)
        gap = separator if line else ""
        if not separator and line and (text[:1] == " " or line.endswith("**")):
            gap = " " if shown[:1] not in {",", ";"} else ""
        line += gap + (f"**{shown}**" if "bold" in style and shown else shown)
    return line


def _tables(summary: Summary) -> Iterator[str | Table]:
    if summary.actions:
        yield _of_actions(summary)
    levers = lever_columns(summary)
    if levers:
        yield _table("What each lever would have saved", levers, "lever", len(levers[0].rows))
        if sentence := together_sentence(summary):
            yield cell(sentence[:1].upper() + sentence[1:])
    rules = summary.breakdowns["rule"]
    if rules.height:
        yield _of_rules(rules)
    yield _of_runs(summary)
    model = model_columns(summary.by_model.head(MODELS).to_dicts())
    yield _of("By model", model, "model", summary.by_model)
    tool = DIVISIONS[0].columns(summary.by_tool.head(TOOLS).to_dicts())
    yield _of("By tool", tool, "tool", summary.by_tool)


def _table(title: str, columns: list[Column], one: str, total: int, **more: Any) -> Table:
    """Return a table whose first column is named by what its rows are: the heading says the rest."""
    first, *others = columns
    return Table(title, [replace(first, heading=one), *others], one, total, **more)


def _of(title: str, columns: list[Column], one: str, frame: pl.DataFrame) -> Table:
    return _table(title, columns, one, frame.height, costs=frame["usd"].to_list())


def _of_actions(summary: Summary) -> Table:
    columns = action_columns(summary)
    return _table("What to change first", columns, "do", len(summary.actions), widths={"how": _FIX})


def _of_rules(rules: pl.DataFrame) -> Table:
    rows = rules.head(RULES).to_dicts()
    fix = Column("the fix", [inert(row["fix"]) for row in rows], name=True, prose=True)
    # Findings of two rules may be about the same tokens: their costs do not add up.
    return _table("Findings", [*finding_columns(rows), fix], "rule", rules.height, widths={fix.heading: _FIX})


def _of_runs(summary: Summary) -> Table:
    columns = run_columns(summary, summary.runs.head(RUNS).to_dicts(), wide=True)
    return _of("Worst runs", columns, "run", summary.runs)


def _skipped(summary: Summary) -> Iterator[str]:
    for row in summary.inputs.skipped[:SKIPS]:
        line = f":{row['line']}" if row["line"] else ""
        yield f"- {code(row['path'] + line, _PATHS)} {cell(row['reason'])}"
    every = summary.inputs.skipped_lines + summary.inputs.unusable_files
    if every > SKIPS:
        yield f"- … and {count(every - SKIPS)} more"


def write(summary: Summary, _: Diagnosis, path: Path) -> None:
    """Write the report to a file."""
    path.write_text(document(summary), encoding="utf-8", newline="\n")
