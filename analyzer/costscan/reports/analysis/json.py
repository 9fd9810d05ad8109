"""The JSON report: all of the summary, one line a row."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from costscan.reports.text.json import plain, text_of
from costscan.rulebook import Diagnosis
from costscan.summary import Summary


def document(summary: Summary, *, top: int | None = None) -> dict[str, Any]:
    """Return the report as plain values: numbers, texts, lists and dicts; `top` limits the runs."""
    shown = [f.name for f in fields(summary) if f.metadata.get("json", True)]
    report = {name: plain(getattr(summary, name)) for name in shown}
    if top is not None:
        report["runs"] = report["runs"][:top]
    return report


def encoded(summary: Summary, *, top: int | None = None) -> bytes:
    """Return the report as UTF-8 text: every key on its own line, and every row of a table."""
    return text_of(document(summary, top=top))


def write(summary: Summary, _: Diagnosis, path: Path) -> None:
    """Write the report to a file."""
    path.write_bytes(encoded(summary))
