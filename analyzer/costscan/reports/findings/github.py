"""Findings as annotations of a job of GitHub Actions, at the line of the log."""

import sys
from collections.abc import Mapping
from typing import Any, Final

from costscan.reports.findings.listing import Listing
from costscan.reports.findings.places import STANDARD_INPUT, below_here
from costscan.reports.text.console import in_encoding
from costscan.reports.text.numbers import usd
from costscan.reports.text.workflow_command import command

LEVELS: Final = {"error": "error", "warning": "warning", "info": "notice"}


def commands(listing: Listing, top: int | None = None) -> list[str]:
    """Return a command a finding."""
    rows = listing.rows if top is None else listing.rows.head(top)
    return [_annotation(row) for row in rows.iter_rows(named=True)]


def _annotation(row: Mapping[str, Any]) -> str:
    cost = f" {usd(row['usd'])}" if row["usd"] is not None else ""
    return command(
        LEVELS[row["severity"]],
        [row["told"], f"fix: {row['fix']}"],
        **_place(row),
        title=f"{row['rule']} {row['name']}{cost}",
    )


def _place(row: Mapping[str, Any]) -> dict[str, str]:
    if row["file"] in {None, "", STANDARD_INPUT}:
        return {}
    line = {"line": str(row["line"])} if row["line"] else {}
    return {"file": below_here(row["file"]).as_posix(), **line}


def show(listing: Listing, *, top: int | None) -> None:
    """Print the commands: GitHub reads them from standard output, and shows ten of a level in a step."""
    for line in commands(listing, top):
        print(in_encoding(line, sys.stdout))  # noqa: T201 - a console would take the commands for text
