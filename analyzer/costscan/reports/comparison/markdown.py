"""A comparison as Markdown, for a pull request: the verdict, why the bill moved, and what did."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

import polars as pl

from costscan.gate import Comparison
from costscan.reports.analysis.markdown import MOST_CHARS
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
from costscan.reports.text.markdown import Items, Table, cell, code, page
from costscan.reports.text.numbers import count, plural
from costscan.reports.text.table import Column
from costscan.rulebook import Diagnosis
from costscan.summary import Summary

ROWS: Final = 20
LIMITS: Final = 50
_NAME: Final = 120
_SENTENCE: Final = 600
"""The columns that what came of a limit may take: it is to be read to its end."""
_NO_SIGN: Final = "⏭️"
_SIGNS: Final = {"failed": "❌", "undecided": "⚠️", "passed": "✅"}


def document(comparison: Comparison, *, most_chars: int = MOST_CHARS) -> str:
    """Return the report in at most so many characters; what did not change is counted, not listed."""
    return page([*_head(comparison), *_tables(comparison)], most_chars)


def _head(comparison: Comparison) -> Iterator[str | Items]:
    yield f"## {_title(comparison)}"
    if closing := words.closing(comparison):
        yield f"**{cell(closing)}**"
    yield cell(_sides(comparison))
    if differences := [cell(line, _SENTENCE) for line in words.differences(comparison)]:
        yield "> **The two sides differ in more than their runs.**\n" + "\n".join(
            f"> - {line}" for line in differences
        )
    if every := len(comparison.limits) + len(comparison.unchecked):
        yield Items(list(_limits(comparison)), "limit", every)


def _title(comparison: Comparison) -> str:
    bill = cell(words.bill(comparison))
    if not comparison.limits:
        return f"costscan: {bill}"
    return f"{_SIGNS[comparison.verdict]} costscan: {bill}, {comparison.verdict}"


def _sides(comparison: Comparison) -> str:
    before, after = comparison.before, comparison.after
    if before is None:
        return f"{plural(after.runs, 'run')} of {plural(after.tasks, 'task')}"
    runs = f"{count(before.runs)} {words.ARROW} {plural(after.runs, 'run')}"
    tasks = f"{count(before.tasks)} {words.ARROW} {plural(after.tasks, 'task')}"
    return f"{runs}, {tasks} ({words.states(comparison)})"


def _limits(comparison: Comparison) -> Iterator[str]:
    for row in words.ranked(comparison)[:LIMITS]:
        sentence = cell(words.sentence(row), _SENTENCE)
        yield f"{_SIGNS[row.verdict]} {code(words.limit_name(row), _NAME)} {row.verdict}: {sentence}"
    for text in comparison.unchecked[: LIMITS - len(comparison.limits)]:
        yield f"{_NO_SIGN} {code(text, _NAME)} {words.NOT_CHECKED}"


def _tables(comparison: Comparison) -> Iterator[str | Table]:
    promised = promise_columns(comparison.promises)
    yield from _table("Promised before", promised, "action", len(promised[0].rows) if promised else 0)
    causes = words.causes(comparison)
    costs = [row.usd for row in causes]
    yield from _table("Why it moved", cause_columns(causes), "cause", len(causes), costs)
    metrics = metric_columns(comparison)
    yield from _table("A typical run", metrics, "metric", len(metrics[0].rows) if metrics else 0)
    if same := unmoved(comparison):
        yield cell(same[:1].upper() + same[1:])
    moved = moved_tasks(comparison)
    columns = task_columns(comparison, moved.head(ROWS))
    yield from _table("Tasks", columns, "task", moved.height, moved["usd_change"].to_list())
    for title, findings in (
        ("New findings", comparison.new_findings),
        ("Gone findings", comparison.fixed_findings),
    ):
        yield from _findings(title, findings)


def _findings(title: str, findings: pl.DataFrame) -> Iterator[Table]:
    rules = by_rule(findings)
    columns = finding_columns("rule", rules.head(ROWS))
    yield from _table(title, columns, "rule", rules.height, rules["usd"].to_list())


def _table(
    title: str, columns: list[Column], one: str, total: int, costs: Sequence[Decimal | None] = ()
) -> Iterator[Table]:
    """Yield a table whose first column is named by what its rows are; nothing where it has none."""
    if columns and columns[0].rows:
        first, *others = columns
        yield Table(title, [replace(first, heading=one), *others], one, total, costs)


def write(comparison: Comparison, _: Summary | None, __: Diagnosis | None, path: Path) -> None:
    """Write the report to a file."""
    path.write_text(document(comparison), encoding="utf-8")
