"""Findings on the terminal: a line a rule, most expensive first, each with its most expensive case."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from costscan.reports.text.numbers import count, plural, usd_column
from costscan.reports.text.sanitize import inert
from costscan.reports.text.table import Column, table
from costscan.summary import Summary


def findings_table(summary: Summary, top: int, width: int) -> list[Text]:
    """Return what the rules found; nothing where they found nothing."""
    rows = summary.breakdowns["rule"].head(top).to_dicts()
    if not rows:
        return []
    rest = summary.breakdowns["rule"].height - len(rows)
    more = [Text(f"  … {plural(rest, 'more rule')} in --json", style="dim")] if rest else []
    return [*table(finding_columns(rows), width), *more]


def finding_columns(rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    """Return the columns of that table."""
    return [
        Column("findings", [inert(row["name"]) for row in rows], name=True, style="bold"),
        Column("cost", usd_column(row["usd"] for row in rows)),
        Column("found", [count(row["findings"]) for row in rows], give=2),
        Column("runs", [count(row["runs"]) for row in rows], give=3),
        Column("e.g. the most expensive", [inert(row["message"]) for row in rows], name=True, prose=True),
    ]
