"""Logs of many workloads read at once, and what their scenarios foresee."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import polars as pl

from costscan.analysis import Analysis
from costscan.levers import LEVERS
from costscan.scenarios import PricedAnalysis, price_scenarios
from costscan.settings.keys import Settings
from logs import Json, write
from seen import analyzed
from thoroughness import QUICK
from workloads import Calls, lines, usd


def alone(*levers: str, settings: Settings | None = None) -> Settings:
    """Return settings with these levers alone in a quick run, where others would take most of the time.

    What a lever and its parts save does not depend on the others that are on: `test_world` looks at all of them.
    """
    settings = settings or Settings()
    if not QUICK:
        return settings
    own = {name: replace(getattr(settings, name), enabled=name in levers) for name in LEVERS}
    return replace(settings, **own)


@dataclass(frozen=True)
class Case:
    """A workload as it was logged, and mended in the ways that the scenario may choose from."""

    scenario: str
    before: Calls
    mended: Sequence[Calls]


@dataclass
class Told:
    """What was made of the logs: `logs` has the lines of each workload, `priced` all that was priced."""

    x: Analysis
    scenarios: pl.DataFrame
    logs: Mapping[str, list[Json]]
    priced: PricedAnalysis

    def usd(self, task: str, scenario: str, column: str = "usd") -> Decimal:
        found = self.scenarios.filter((pl.col("task") == task) & (pl.col("scenario") == scenario))
        return Decimal(found[column].sum())

    def hours(self, task: str, scenario: str) -> set[str]:
        """The runs that a scenario caches for an hour."""
        found = self.scenarios.filter(pl.col("scenario") == scenario, pl.col("task") == task)
        return set(found.filter(pl.col("cache_write_1h_tokens") > 0)["run_id"])

    def breaks(self, task: str) -> list[Json]:
        tasks = self.x.runs.select("run_id", "task")
        return self.x.prefix_breaks.join(tasks, on="run_id").filter(task=task).to_dicts()


def read(folder: Path, workloads: Mapping[str, Calls], settings: Settings | None = None) -> Told:
    """Log workloads, each a task, to one file, and price what would have been."""
    logs = {name: lines(calls) for name, calls in workloads.items()}
    path = write(folder / "calls.jsonl", *(line for log in logs.values() for line in log))
    return told(path, logs, settings)


def told(path: Path, logs: Mapping[str, list[Json]] | None = None, settings: Settings | None = None) -> Told:
    with analyzed(path) as x:
        priced = price_scenarios(x, settings)
    scenarios = priced.scenarios.join(x.runs.select("run_id", "task"), on="run_id")
    return Told(x, scenarios, logs or {}, priced)


def error(found: Told, name: str, case: Case) -> float:
    """By what share the cost that was foreseen is off from what the mended calls are billed."""
    want = min(usd(lines(calls)) for calls in _ways(found, name, case))
    was = usd(found.logs[name])
    assert found.usd(name, "as_billed") == was
    return abs(float(found.usd(name, case.scenario) / min(want, was) - 1))


def _ways(found: Told, name: str, case: Case) -> list[Calls]:
    """What may be applied: one lifetime for all runs, or that which the scenario gives to each."""
    if len(case.mended) == 1:
        return list(case.mended)
    hours = found.hours(name, case.scenario)
    each = [hour if hour.run in hours else five for five, hour in zip(*case.mended, strict=True)]
    return [*case.mended, each]
