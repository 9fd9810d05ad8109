"""A comparison as CSV: the rows of the `comparison` frame, for a spreadsheet."""

from pathlib import Path

from costscan.gate import Comparison
from costscan.reports.analysis.csv import no_formulas
from costscan.rulebook import Diagnosis
from costscan.summary import Summary


def write(comparison: Comparison, _: Summary | None, __: Diagnosis | None, path: Path) -> None:
    """Write the report to a file."""
    no_formulas(comparison.comparison).write_csv(path)
