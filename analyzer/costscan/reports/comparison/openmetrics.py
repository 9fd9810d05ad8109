"""A comparison as gauges, for the dashboards of Prometheus."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from costscan.gate import METRICS, Comparison
from costscan.reports.comparison import words
from costscan.reports.comparison.columns import by_rule, typical
from costscan.reports.text.openmetrics import Family, Labels, Value, by, one, text_of
from costscan.reports.text.sanitize import inert, shorten
from costscan.rulebook import Diagnosis
from costscan.summary import Summary

_NAME: Final = 200
_SIDES: Final = ("before", "after")


def document(comparison: Comparison) -> str:
    """Return the report."""
    return text_of(
        [*_verdicts(comparison), *_bill(comparison), *_typical(comparison), *_findings(comparison)]
    )


def _verdicts(comparison: Comparison) -> Iterator[Family]:
    when = int(comparison.generated_at.timestamp())
    yield one("check_timestamp_seconds", "When the check was made.", when)
    verdicts = {name: int(comparison.verdict == name) for name in ("passed", "failed", "undecided")}
    yield by("check_verdict", "1 for what came of the check.", "verdict", verdicts)
    limits: dict[Labels, Value] = {
        (("limit", _short(row.limit.text)), ("task", _short(row.task)), ("verdict", row.verdict)): 1
        for row in comparison.limits
    }
    yield Family("check_limit", "1 for what came of each limit.", limits)


def _bill(comparison: Comparison) -> Iterator[Family]:
    sides = {name: side for name in _SIDES if (side := getattr(comparison, name)) is not None}
    yield by(
        "compared_usd", "The known cost of all runs.", "side", {n: side.usd for n, side in sides.items()}
    )
    yield by(
        "compared_runs", "Runs, each with its sub-agents.", "side", {n: s.runs for n, s in sides.items()}
    )
    sums = comparison.causes.group_by("cause", maintain_order=True).agg(pl.col("usd").sum())
    yield by("moved_usd", "What each cause moved the bill by.", "cause", dict(sums.iter_rows()))


def _typical(comparison: Comparison) -> Iterator[Family]:
    for row in typical(comparison).iter_rows(named=True):
        metric = METRICS[row["metric"]]
        name = "cache_hit_ratio" if metric.unit == "share" else metric.name
        called = words.called(metric.name)
        values = {side: row[side] for side in _SIDES}
        yield by(f"typical_run_{name}", f"The {called} of a typical run of those compared.", "side", values)


def _findings(comparison: Comparison) -> Iterator[Family]:
    for name, findings in (("new", comparison.new_findings), ("gone", comparison.fixed_findings)):
        rules = dict(by_rule(findings).select("name", "findings").iter_rows())
        yield by(f"{name}_findings", f"Findings that are {name}, by rule.", "rule", rules)


def _short(name: str) -> str:
    return shorten(inert(name), _NAME)


def write(comparison: Comparison, _: Summary | None, __: Diagnosis | None, path: Path) -> None:
    """Write the report to a file."""
    path.write_text(document(comparison), encoding="utf-8")
