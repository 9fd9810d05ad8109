"""The Parquet report: one row per run, also the baseline that later runs are compared with."""

from pathlib import Path

from costscan.rulebook import Diagnosis
from costscan.summary import Summary
from costscan.summary.run_report import basis, run_report


def write(summary: Summary, analysis: Diagnosis, path: Path) -> None:
    """Write the report to a file."""
    run_report(summary, analysis).write_parquet(path, metadata=basis(summary))
