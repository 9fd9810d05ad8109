"""Workloads that are logged, what costscan foresees of them, and what the fixes that it foresees are then billed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import polars as pl

from costscan.analysis import Analysis
from costscan.scenarios import PricedAnalysis, price_scenarios
from logs import Json, write
from seen import analyzed
from world.calls import lines
from world.chosen import Chosen, choices_told, moved
from world.made import SETTINGS, Fixed, Foreseen, Routes
from world.prices import MODELS
from world.workload import Workload, sound

FAMILY, OTHER_FAMILY, PACKED = 0.01, 0.05, 0.03


@dataclass(frozen=True)
class Played:
    """What a scenario foresaw and what the fix then cost.

    Attributes:
        was: the bill as it is; `foreseen` and `billed` the costs with the fix; `low` and `high` what the fix
            saves at least and at most, as foreseen.
    """

    task: str
    settings: str
    scenario: str
    was: Decimal
    foreseen: Decimal
    billed: Decimal
    low: Decimal
    high: Decimal
    target: float

    @property
    def error(self) -> float:
        return float(self.foreseen / self.billed - 1)

    @property
    def is_inside(self) -> bool:
        return self.low != self.high and self.low <= self.was - self.billed <= self.high

    @property
    def is_met(self) -> bool:
        return abs(self.error) <= self.target or self.is_inside


@dataclass(eq=False)
class World:
    """Workloads that were logged and looked at with each of the settings."""

    workloads: Mapping[str, Workload]
    logs: Mapping[str, list[Json]]
    x: Analysis
    priced: dict[str, PricedAnalysis] = field(default_factory=dict)
    chosen: dict[str, Chosen] = field(default_factory=dict)

    def parts_of(self, lever: str, settings: str) -> list[str]:
        """The parts of a lever that are in it."""
        on = {f"trimming/{part}" for part in SETTINGS[settings].trimming.parts}
        names = self.priced[settings].scenarios["scenario"].unique()
        return [n for n in names if n.startswith(f"{lever}/") and (lever != "trimming" or n in on)]

    def foreseen(self, task: str, settings: str) -> Foreseen:
        found = self.priced[settings]
        runs = self.x.runs.filter(task=task).select("run_id")
        routes: dict[str, list[Routes]] = {}
        for scope, moves in self.chosen[settings].routes:
            routes.setdefault(scope, []).append(moved(moves.join(runs, on="run_id", how="semi")))
        routes[""] = [moved(found.routes.join(runs, on="run_id", how="semi"))]
        shots = found.single_shots.join(runs, on="run_id", how="semi").filter(pl.col("reason").is_not_null())
        return Foreseen(
            task,
            found.scenarios.join(runs, on="run_id", how="semi"),
            routes,
            set(shots["run_id"]),
            self._lives(set(runs["run_id"]), settings),
        )

    def _lives(self, runs: set[str], settings: str) -> set[frozenset[tuple[str, tuple[bool, bool]]]]:
        """The lifetimes of some runs, each choice once."""
        return {
            frozenset((run, lives) for run, lives in some.items() if run in runs)
            for some in self.chosen[settings].lives
        }


def look(folder: Path, workloads: Sequence[Workload], settings: Sequence[str] = tuple(SETTINGS)) -> World:
    """Log workloads, each a task, to one file, and price what would have been."""
    logs = {w.name: lines(w.sent) for w in workloads}
    path = write(folder / "calls.jsonl", *(line for log in logs.values() for line in log))
    with analyzed(path) as x:
        world = World({w.name: w for w in workloads}, logs, x)
        for name in settings:
            with choices_told() as chosen:
                world.priced[name] = price_scenarios(x, SETTINGS[name])
            world.chosen[name] = chosen
    return world


def play(world: World, task: str, settings: str, scenarios: Sequence[str] | None = None) -> Iterator[Played]:
    """Make the fixes that were foreseen, and bill them."""
    told = world.foreseen(task, settings)
    fixed = Fixed(world.workloads[task], told, settings)
    assert fixed.was == told.sum("as_billed"), task
    forced = SETTINGS[settings].routing.force is not None
    for scenario in scenarios or sorted(told.scenarios):
        if not _is_playable(scenario, fixed.workload):
            continue
        bills = list(fixed.bills(scenario))
        free = forced and scenario in {"routing", "all"}
        low, high = (told.sum(scenario, f"saved_{end}_usd") for end in ("low", "high"))
        truth = min(bills if free else [fixed.was, *bills])
        yield Played(
            task, settings, scenario, fixed.was, told.sum(scenario), truth, low, high, target(scenario, fixed)
        )


def _is_playable(scenario: str, workload: Workload) -> bool:
    """Whether a fix can be made.

    Where a value varies in front, each prompt begins another history: none is replaced.
    """
    rewriting = {"trimming/context-editing", "trimming/compact-history"}
    if scenario in rewriting and workload.spoil is not sound:
        return False
    return scenario != "as_billed" and "+" not in scenario


def target(scenario: str, fixed: Fixed) -> float:
    """By what share of the bill a scenario may be off."""
    most = [0.005]
    if "trimming" in scenario or scenario == "all" or "+" in scenario:
        most.append(0.01)
    if scenario.partition("/")[0] == "batching" and scenario != "batching/async":
        most.append(PACKED if fixed.told.unwaited else 0.005)
    if "routing" in scenario or scenario == "all":
        most.append(OTHER_FAMILY if _changes_family(fixed) else FAMILY)
    return max(most)


def _changes_family(fixed: Fixed) -> bool:
    force = SETTINGS[fixed.settings].routing.force
    to = (
        {force}
        if force
        else {m for some in fixed.told.routes.values() for one in some for m, _ in one.values()}
    )
    own = {call.request["model"] for call in fixed.base}
    return len({MODELS[model].ratio for model in to | own}) > 1
