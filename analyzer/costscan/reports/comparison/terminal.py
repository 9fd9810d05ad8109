"""A comparison on the terminal: the verdict first, then why the bill moved, then what did."""

from collections.abc import Sequence
from typing import Final

import polars as pl
from rich.text import Text

from costscan.gate import Comparison
from costscan.reports.analysis.headline import GAP, LABEL
from costscan.reports.comparison import words
from costscan.reports.comparison.columns import (
    by_rule,
    cause_columns,
    finding_columns,
    metric_columns,
    moved_tasks,
    promise_columns,
    task_columns,
    unmoved,
)
from costscan.reports.text.numbers import count, plural
from costscan.reports.text.sanitize import cells, inert, shorten, wrapped
from costscan.reports.text.table import INDENT, Column, table

ROWS: Final = 8
_STYLES: Final = {"failed": "bold red", "undecided": "bold yellow", "passed": "bold green"}


def render(comparison: Comparison, *, width: int, top: int | None = None) -> list[Text]:
    """Return the lines of the report, each at most `width` columns wide."""
    rows = top or ROWS
    blocks = [
        [*_title(comparison, width), *_headline(comparison, width)],
        _limits(comparison, width),
        _promises(comparison, width),
        _causes(comparison, rows, width),
        _metrics(comparison, width),
        _tasks(comparison, rows, width),
        _findings("new findings", comparison.new_findings, rows, width),
        _findings("gone findings", comparison.fixed_findings, rows, width),
    ]
    if verdict_line := words.closing(comparison):
        blocks.append([Text(line, style=_style(comparison)) for line in wrapped(verdict_line, width)])
    lines: list[Text] = []
    for block in blocks:
        lines += [Text(""), *block] if lines and block else block
    return lines


def _style(comparison: Comparison) -> str:
    return _STYLES[comparison.verdict if comparison.limits else "undecided"]


def _title(comparison: Comparison, width: int) -> list[Text]:
    before, after = comparison.before, comparison.after
    names = inert(after.name if before is None else f"{before.name} {words.ARROW} {after.name}")
    runs = (
        plural(after.runs, "run")
        if before is None
        else f"{count(before.runs)} {words.ARROW} {plural(after.runs, 'run')}"
    )
    counts = f"{runs} · {plural(after.tasks, 'task')}"
    line = Text.assemble(("costscan", "bold"), "  ", (shorten(names, width - 10), "bold"))
    if cells(line.plain) + GAP + cells(counts) > width:
        return [line, Text(" " * LABEL + counts)]
    return [Text.assemble(line, " " * GAP, counts)]


def _headline(comparison: Comparison, width: int) -> list[Text]:
    lines = _labelled("bill", [words.bill(comparison)], width, "bold")
    if verdict_line := words.closing(comparison):
        lines = [*_labelled("check", [verdict_line], width, _style(comparison)), *lines]
    return [*lines, *_labelled("differs", list(words.differences(comparison)), width, "yellow")]


def _labelled(label: str, texts: Sequence[str], width: int, style: str) -> list[Text]:
    """Return texts beside a label, each from a line of its own on."""
    lines: list[Text] = []
    for text in texts:
        for line in wrapped(inert(text), width - LABEL):
            lines.append(Text.assemble(f"  {label if not lines else '':<{LABEL - 2}}", (line, style)))
    return lines


def _limits(comparison: Comparison, width: int) -> list[Text]:
    """Return the limits that are passed or undecided one by one, and the others in the table of metrics."""
    limit_lines = [
        *((row.verdict, words.limit_name(row), words.sentence(row)) for row in words.ranked(comparison)),
        *(("unchecked", text, words.NOT_CHECKED) for text in comparison.unchecked),
    ]
    return [line for one in limit_lines for line in _limit(*one, width)]


def _limit(verdict: str, name: str, sentence: str, width: int) -> list[Text]:
    style = _STYLES.get(verdict, "bold yellow")
    head = Text.assemble("  ", (f"{verdict:<9}", style), "  ", shorten(inert(name), width - 13))
    return [head, *(Text(f"{'':13}{line}", style="dim") for line in wrapped(inert(sentence), width - 13))]


def _causes(comparison: Comparison, top: int, width: int) -> list[Text]:
    causes = words.causes(comparison)
    return _table(cause_columns(causes[:top]), len(causes), "cause", width)


def _promises(comparison: Comparison, width: int) -> list[Text]:
    columns = promise_columns(comparison.promises)
    return _table(columns, len(columns[0].rows), "action", width) if columns else []


def _metrics(comparison: Comparison, width: int) -> list[Text]:
    columns, same = metric_columns(comparison), unmoved(comparison)
    lines = [Text(f"  {line}", style="dim") for line in wrapped(same, width - INDENT)]
    return [*(table(columns, width) if columns else []), *lines]


def _tasks(comparison: Comparison, top: int, width: int) -> list[Text]:
    """Return the tasks whose cost moved most; those that stayed the same are counted."""
    moved = moved_tasks(comparison)
    return _table(task_columns(comparison, moved.head(top)), moved.height, "task", width)


def _findings(title: str, findings: pl.DataFrame, top: int, width: int) -> list[Text]:
    rules = by_rule(findings)
    return _table(finding_columns(title, rules.head(top)), rules.height, "rule", width)


def _table(columns: list[Column], total: int, one: str, width: int) -> list[Text]:
    """Return a table, and how many rows it leaves out; nothing where there is none."""
    shown = len(columns[0].rows)
    if not shown:
        return []
    rest = total - shown
    more = [Text(f"  … {plural(rest, f'more {one}')} in --json", style="dim")] if rest else []
    return [*table(columns, width), *more]
