"""The HTML report: one file that opens offline, from the bill down to the single finding."""

from pathlib import Path

from costscan.reports.html.contents import contents
from costscan.reports.html.page import page
from costscan.rulebook import Diagnosis
from costscan.summary import Summary


def write(summary: Summary, analysis: Diagnosis, path: Path) -> None:
    """Write the report to a file."""
    path.write_text(page(contents(summary, analysis)), encoding="utf-8", newline="\n")
