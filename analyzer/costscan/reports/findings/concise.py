"""Findings with a line each, which begins with file and line as editors and compilers write them."""

from collections.abc import Mapping
from typing import Any

from costscan.reports.findings.listing import Listing
from costscan.reports.text.console import printed
from costscan.reports.text.numbers import usd
from costscan.reports.text.sanitize import inert


def lines(listing: Listing, top: int | None = None) -> list[str]:
    """Return a line a finding: `FILE:LINE: RULE severity $USD message`."""
    rows = listing.rows if top is None else listing.rows.head(top)
    return [_line(row) for row in rows.iter_rows(named=True)]


def _line(row: Mapping[str, Any]) -> str:
    place = inert(row["file"] or "") + (f":{row['line']}" if row["line"] else "")
    return inert(f"{place}: {row['rule']} {row['severity']} {usd(row['usd'])} {row['told']}")


def show(listing: Listing, *, top: int | None) -> None:
    """Print the lines."""
    printed(lines(listing, top))
