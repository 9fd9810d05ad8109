"""The JSON report of a comparison."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from costscan.gate import Comparison, Judged
from costscan.reports.text.json import plain, text_of
from costscan.rulebook import Diagnosis
from costscan.summary import Summary


def document(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as plain values; USD rounded to 1e-9, unknown is null."""
    shown = [field.name for field in fields(comparison) if field.metadata.get("json", True)]
    plain_fields = {name: plain(getattr(comparison, name)) for name in shown}
    return {
        **plain_fields,
        "exit_code": comparison.exit_code,
        "usd_change": plain(comparison.usd_change),
        "limits": [_limit(row) for row in comparison.limits],
    }


def _limit(row: Judged) -> dict[str, Any]:
    """Return a limit as it was written, and what came of it."""
    return {**plain(row), "limit": row.limit.text, "metric": row.limit.label}


def encoded(comparison: Comparison) -> bytes:
    """Return the report as UTF-8 text: every key on its own line, and every row of a table."""
    return text_of(document(comparison))


def write(comparison: Comparison, _: Summary | None, __: Diagnosis | None, path: Path) -> None:
    """Write the report to a file."""
    path.write_bytes(encoded(comparison))
