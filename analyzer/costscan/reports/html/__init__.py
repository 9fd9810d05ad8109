"""The HTML report: one file that opens offline, from the bill down to the single finding."""

from pathlib import Path

from costscan.analysis import Analysis
from costscan.reports.html.contents import contents
from costscan.reports.html.page import page
from costscan.summary import Summary


def write(summary: Summary, x: Analysis, path: Path) -> None:
    """Write the report to a file."""
    path.write_text(page(contents(summary, x)), encoding="utf-8", newline="\n")
