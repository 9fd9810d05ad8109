"""The findings that are asked for, and what is said around them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from costscan.reports.findings.places import located
from costscan.rulebook import Diagnosis
from costscan.summary import Summary
from costscan.summary.below import below
from costscan.summary.findings import message_at_place


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Findings to show.

    Attributes:
        findings: those that were asked for, the most expensive first, with the columns of the JSON report.
        rows: the same with `file` and `line` of the log and `told`, the message with its place in the prompt.
        summary: the report that they are of.
        left_out: how many others there are.
        accepted: how many fingerprints the settings accept.
    """

    findings: pl.DataFrame
    rows: pl.DataFrame
    summary: Summary
    left_out: int = 0
    accepted: int = 0


def chosen(
    summary: Summary,
    analysis: Diagnosis,
    *,
    rules: Collection[str] = (),
    runs: Sequence[str] = (),
    severities: Collection[str] = (),
    accepted: int = 0,
) -> Listing:
    """Return the findings of some rules, runs and severities; what is empty limits nothing.

    Args:
        summary: the report.
        analysis: what it is of.
        rules: names or ids of rules.
        runs: ids of runs or sub-agents, each with all that is below it.
        severities: error, warning or info.
        accepted: how many fingerprints the settings accept.
    """
    findings = summary.findings
    if rules:
        findings = findings.filter(pl.col("rule").is_in(list(rules)) | pl.col("name").is_in(list(rules)))
    if runs:
        under = [run for root in runs for run in (root, *below(analysis.runs, root)["run_id"])]
        findings = findings.filter(pl.col("run_id").is_in(under))
    if severities:
        findings = findings.filter(pl.col("severity").is_in(list(severities)))
    told = findings.with_columns(message_at_place().alias("told"))
    return Listing(
        findings=findings,
        rows=located(told, analysis),
        summary=summary,
        left_out=summary.findings.height - findings.height,
        accepted=accepted,
    )
