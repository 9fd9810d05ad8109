"""Findings as JSON lines: each as the JSON report has it under `findings`."""

import json

from costscan.reports.findings.listing import Listing
from costscan.reports.text.console import write_bytes
from costscan.reports.text.json import line_of, plain


def lines(listing: Listing, top: int | None = None) -> list[str]:
    """Return a line a finding."""
    findings = listing.findings if top is None else listing.findings.head(top)
    return [_on_one_line(line_of(row)) for row in plain(findings)]


def _on_one_line(line: str) -> str:
    """Escape what a terminal obeys, and what some take for the end of a line: its value stays."""
    if line.isascii() and line.isprintable():
        return line
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in line)


def show(listing: Listing, *, top: int | None) -> None:
    """Print the lines."""
    write_bytes("".join(f"{line}\n" for line in lines(listing, top)).encode())
