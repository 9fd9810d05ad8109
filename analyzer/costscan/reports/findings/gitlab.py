"""Findings as a Code Quality report of GitLab.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from costscan.reports.findings.listing import Listing
from costscan.reports.findings.places import STANDARD_INPUT, below_here
from costscan.reports.text.console import write_bytes
from costscan.reports.text.numbers import usd
from costscan.reports.text.sanitize import inert

SEVERITIES: Final = {"error": "major", "warning": "minor", "info": "info"}
"""What GitLab knows besides is critical and blocker: waste breaks nothing."""


def issues(listing: Listing, top: int | None = None) -> list[dict[str, Any]]:
    """Return an issue a finding."""
    rows = listing.rows if top is None else listing.rows.head(top)
    before: Counter[str] = Counter()
    found = []
    for row in rows.iter_rows(named=True):
        found.append(_issue(row, before[row["fingerprint"]]))
        before[row["fingerprint"]] += 1
    return found


def _issue(row: Mapping[str, Any], before: int) -> dict[str, Any]:
    cost = f" ({usd(row['usd'])})" if row["usd"] is not None else ""
    file = row["file"] or STANDARD_INPUT
    return {
        "description": inert(f"{row['told']}{cost}; fix: {row['fix']}"),
        "check_name": inert(row["name"]),
        "fingerprint": _unique(row["fingerprint"], before),
        "severity": SEVERITIES[row["severity"]],
        "location": {"path": inert(below_here(file).as_posix()), "lines": {"begin": row["line"] or 1}},
    }


def _unique(fingerprint: str, before: int) -> str:
    """Return a fingerprint of its own for each time it comes again: GitLab shows the first of each alone.

    It is counted, for the ids of runs differ from pipeline to pipeline.
    """
    if not before:
        return fingerprint
    return hashlib.sha256(f"{fingerprint}#{before}".encode()).hexdigest()[: len(fingerprint)]


def encoded(listing: Listing, top: int | None = None) -> bytes:
    """Return the report as UTF-8 text; a # after another is escaped: a job may print it (see `line_of`)."""
    document = msgspec.json.format(msgspec.json.encode(issues(listing, top)), indent=1)
    return document.replace(b"##", rb"#\u0023") + b"\n"


def show(listing: Listing, *, top: int | None) -> None:
    """Print the report."""
    write_bytes(encoded(listing, top))
