"""The findings of the new logs as SARIF, each with its state against the baseline."""

from pathlib import Path

from costscan.gate import Comparison
from costscan.reports.analysis import sarif
from costscan.reports.comparison import words
from costscan.rulebook import Diagnosis
from costscan.summary import Summary


def states(comparison: Comparison, summary: Summary) -> dict[str, str]:
    """Return the state of each fingerprint; none without a baseline."""
    if comparison.before is None:
        return {}
    new = set(comparison.new_findings["fingerprint"])
    return {mark: "new" if mark in new else "unchanged" for mark in summary.findings["fingerprint"]}


def write(comparison: Comparison, summary: Summary | None, analysis: Diagnosis | None, path: Path) -> None:
    """Write the report to a file; a comparison of reports alone has no places to show."""
    if summary is None or analysis is None:
        raise ValueError("findings stand in logs")
    log = sarif.document(summary, analysis, baseline=states(comparison, summary))
    if verdict_line := words.closing(comparison):
        ended = {
            "exitCode": comparison.exit_code,
            "exitCodeDescription": verdict_line,
            "executionSuccessful": True,
        }
        log["runs"][0]["invocations"] = [ended]
    path.write_bytes(sarif.encoded(log))
