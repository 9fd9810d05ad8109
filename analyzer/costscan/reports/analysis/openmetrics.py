"""The OpenMetrics report: totals, times, levers and findings as gauges, for the dashboards of Prometheus."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from costscan.aggregates import total
from costscan.levers import ALL, LEVERS
from costscan.meters import TOKENS
from costscan.reports.analysis import openmetrics_calls
from costscan.reports.text.openmetrics import Family, Labels, Ranked, Ranks, Value, by, one, text_of
from costscan.reports.text.sanitize import inert, shorten
from costscan.rulebook import Diagnosis
from costscan.summary import Summary

MOST_NAMES: Final = 100
OTHERS: Final = "(others)"
"""What has the sum of the tasks, tools and models beyond the most expensive ones."""
_NAME: Final = 200
_QUANTILES: Final = {"p50": "0.5", "p90": "0.9", "p99": "0.99", "max": "1"}
_RULE: Final = {"rule": "name", "lever": "lever", "severity": "severity"}


def document(summary: Summary, analysis: Diagnosis | None = None) -> str:
    """Return the report.

    Args:
        summary: what was found.
        analysis: what it was found in; without it nothing is told of how long calls took.
    """
    return text_of(_families(summary, analysis))


def _families(summary: Summary, analysis: Diagnosis | None) -> Iterator[Family | Ranks]:
    yield from _totals(summary)
    yield from _distribution(summary)
    yield from _divided("model", summary.by_model, "turns", "requests")
    yield from _divided("task", summary.by_task, "runs", "runs")
    yield from _divided("tool", summary.by_tool, "calls", "calls")
    if analysis is not None:
        yield from openmetrics_calls.families(analysis, _names(summary))
    yield from _levers(summary)
    yield from _findings(summary.breakdowns["rule"])


def _totals(summary: Summary) -> Iterator[Family]:
    totals = summary.totals
    unlogged = None if totals.recorded_usd is None else totals.unlogged_usd
    about = (("version", summary.costscan_version), ("prices_as_of", summary.prices.as_of))
    yield Family("build_info", "The costscan that wrote this, and the day of its prices.", {about: 1})
    yield one("report_timestamp_seconds", "When this was written.", int(summary.generated_at.timestamp()))
    yield one("billed_usd", "What the calls with a known price cost.", totals.usd)
    exact = "1 where every call has a price and a finished count, and recorded costs are proven."
    yield one("billed_is_exact", exact, int(totals.usd_exact))
    yield one("estimated_usd", "The bill with what unfinished output counts leave out.", totals.usd_estimated)
    yield one("recorded_usd", "What the logs themselves say that their sessions cost.", totals.recorded_usd)
    yield one(
        "unproven_recorded_usd",
        "What was recorded beyond what its tokens cost: in no bill.",
        totals.unproven_recorded_usd,
    )
    yield one("unlogged_usd", "What recorded totals show and no logged call does.", unlogged)
    yield one("sent_again_usd", "What sending input tokens again cost.", totals.carried_usd)
    yield by("meter_usd", "The bill by meter.", "meter", summary.meters)
    classes = {name.removesuffix("_tokens"): getattr(totals, name) for name in TOKENS}
    yield by("billed_tokens", "Billed tokens by class.", "class", classes)
    yield one("sent_again_tokens", "Input tokens that had been sent before.", totals.carried_tokens)
    yield one("sent_again_ratio", "Their share of all input tokens.", totals.carried_share)
    yield one("cache_hit_ratio", "The share of input tokens read from the cache.", totals.cache_hit_rate)
    yield one("replay_exact_ratio", "Turns whose cache reads the replay repeats.", summary.replay.exact_share)
    yield one("runs", "Runs, each with its sub-agents.", totals.root_runs)
    yield one("sub_agents", "Runs of sub-agents.", totals.sub_agents)
    yield one("turns", "Billed requests.", totals.turns)
    yield one("unpriced_turns", "Those of them without a known price.", totals.unpriced_turns)
    yield one("skipped_lines", "Lines of the logs that could not be read.", summary.inputs.skipped_lines)


def _distribution(summary: Summary) -> Iterator[Ranks]:
    costs = summary.distribution.usd_per_run
    ranks = {quantile: costs[name] for name, quantile in _QUANTILES.items()}
    about = "What a run cost with its sub-agents, by rank; 1: the most expensive."
    runs = summary.distribution.priced_runs
    if runs:  # readers of the older format would take an unknown sum for 0
        yield Ranks("run_usd", about, {(): Ranked(ranks, runs, total(summary.runs["usd"]))})


def _divided(name: str, frame: pl.DataFrame, counted: str, counted_help: str) -> Iterator[Family]:
    """Yield the bill by something, and what it is counted by."""
    names = _labels(frame[name])
    yield by(f"{name}_usd", f"The bill by {name}.", name, _summed(names, frame["usd"]))
    yield by(f"{name}_{counted}", f"The {counted_help} by {name}.", name, _summed(names, frame[counted]))
    if "cache_hit_rate" in frame.columns:
        read, prompt = (_summed(names, frame[c]) for c in ("cache_read_tokens", "prompt_tokens"))
        shares = {
            key: float(read[key] or 0) / float(whole) if (whole := prompt[key]) else None for key in names
        }
        share_help = f"The share of input tokens read from the cache by {name}."
        yield by(f"{name}_cache_hit_ratio", share_help, name, shares)
        yield _tokens(name, names, frame)


def _tokens(name: str, names: list[str], frame: pl.DataFrame) -> Family:
    values: dict[Labels, Value] = {}
    for column in TOKENS:
        for label, tokens in _summed(names, frame[column]).items():
            values[(name, label), ("class", column.removesuffix("_tokens"))] = tokens
    return Family(f"{name}_tokens", f"Billed tokens by {name} and class.", values)


def _names(summary: Summary) -> dict[str, Mapping[str, str]]:
    """Return the labels of the names of models, tasks and tools."""
    frames = {"model": summary.by_model, "task": summary.by_task, "tool": summary.by_tool}
    return {name: dict(zip(frame[name], _labels(frame[name]), strict=True)) for name, frame in frames.items()}


def _labels(names: Iterable[str]) -> list[str]:
    """Return the names, most expensive first, as labels; those that are too many share one."""
    return [shorten(inert(name), _NAME) if n < MOST_NAMES else OTHERS for n, name in enumerate(names)]


def _summed(names: list[str], values: Iterable[Value]) -> dict[str, Value]:
    """Sum by name what is known; names that differ only in what no label may hold come out as one."""
    sums: dict[str, Value] = {}
    for name, value in zip(names, values, strict=True):
        before = sums.get(name)
        sums[name] = value if before is None else before if value is None else before + value  # type: ignore[operator]
    return sums


def _levers(summary: Summary) -> Iterator[Family]:
    scenarios = {name: lever for name in LEVERS if (lever := summary.scenario(name)) is not None}
    alone = {name: lever.saved_usd for name, lever in scenarios.items()}
    joint = {name: lever.saved_joint_usd for name, lever in scenarios.items()}
    together = summary.scenario(ALL)
    every = None if together is None else together.saved_usd
    yield by("lever_saved_alone_usd", "What each lever alone would have saved.", "lever", alone)
    yield by("lever_saved_together_usd", "Its part of what all save together.", "lever", joint)
    yield one("levers_saved_usd", "What all levers together would have saved.", every)


def _findings(rules: pl.DataFrame) -> Iterator[Family]:
    rows = rules.to_dicts()
    labels = [tuple((name, row[key]) for name, key in _RULE.items()) for row in rows]
    counts = {label: row["findings"] for label, row in zip(labels, rows, strict=True)}
    costs = {label: row["usd"] for label, row in zip(labels, rows, strict=True)}
    yield Family("findings", "Findings by rule.", counts)
    yield Family("findings_usd", "What they cost; two rules may be about the same tokens.", costs)


def write(summary: Summary, analysis: Diagnosis, path: Path) -> None:
    """Write the report to a file."""
    path.write_text(document(summary, analysis), encoding="utf-8", newline="\n")
