"""Workloads that are logged, what costscan foresees of them, and what the fixes that it foresees are then billed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Final

import polars as pl

from costscan.analysis import Analysis
from costscan.scenarios import Priced, price_scenarios
from costscan.settings import Batching, Routing, Settings, Trimming
from logs import Json, write
from seen import analyzed
from world import fixes
from world.calls import Call, Calls, lines, usd
from world.marks import FIVE, HOUR, as_marked, at_best, living
from world.prices import HAIKU45, MODELS, SONNET5
from world.workload import Workload, sound

CAP, ITEMS = 300, 5
BASE: Final = Settings(
    trimming=Trimming(tool_result_max_tokens=CAP), batching=Batching(items_per_context=ITEMS)
)
SETTINGS: Final = {
    "default": BASE,
    "parts": Settings(trimming=Trimming(parts=fixes.PARTS, tool_result_max_tokens=CAP), batching=BASE.batching),
    **{
        model: Settings(trimming=BASE.trimming, batching=BASE.batching, routing=Routing(force=model))
        for model in (HAIKU45, SONNET5)
    },
}
TARGETS: Final = {"caching": 0.005, "batching/async": 0.005, "batching": 0.03, "trimming": 0.01, "all": 0.01}
FAMILY, OTHER_FAMILY, PACKED = 0.01, 0.05, 0.03
ZERO: Final = Decimal(0)


@dataclass(frozen=True)
class Foreseen:
    """What costscan says of one task with some settings."""

    task: str
    rows: pl.DataFrame
    routes: Mapping[tuple[str, int], str]
    evidence: set[str]
    unwaited: set[str]
    cheaper: set[str]

    def sum(self, scenario: str, column: str = "usd") -> Decimal:
        return Decimal(self.rows.filter(scenario=scenario)[column].sum())

    @property
    def scenarios(self) -> set[str]:
        return set(self.rows["scenario"])

    def hours(self, scenario: str) -> set[frozenset[str]]:
        """The runs that may live for an hour: none, all, those that are told to be cheaper so, or that write so.

        A run that pays more, so that others pay less, is told as it was.
        """
        rows = self.rows.filter(scenario=scenario)
        writes = set(rows.filter(pl.col("cache_write_5m_tokens") == 0)["run_id"])
        some = writes if rows["cache_write_1h_tokens"].sum() else set()
        return {frozenset(), frozenset(rows["run_id"]), frozenset(self.cheaper), frozenset(some)}


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


@dataclass
class World:
    """Workloads that were logged and looked at with each of the settings."""

    workloads: Mapping[str, Workload]
    logs: Mapping[str, list[Json]]
    x: Analysis
    priced: Mapping[str, Priced] = field(default_factory=dict)

    def foreseen(self, task: str, settings: str) -> Foreseen:
        found = self.priced[settings]
        runs = self.x.runs.filter(task=task).select("run_id")
        routes = found.routes.join(runs, on="run_id", how="semi")
        shots = found.single_shots.join(runs, on="run_id", how="semi").filter(pl.col("reason").is_not_null())
        return Foreseen(
            task,
            found.scenarios.join(runs, on="run_id", how="semi"),
            {(run, turn): to for run, turn, to in routes.select("run_id", "turn", "to_model").rows()},
            set(routes["evidence"].drop_nulls()),
            set(shots["run_id"]),
            set(found.lifetimes.filter(cheaper="1h").join(runs, on="run_id", how="semi")["run_id"]),
        )


def look(folder: Path, workloads: Sequence[Workload], settings: Sequence[str] = tuple(SETTINGS)) -> World:
    """Log workloads, each a task, to one file, and price what would have been."""
    logs = {w.name: lines(w.sent) for w in workloads}
    path = write(folder / "calls.jsonl", *(line for log in logs.values() for line in log))
    with analyzed(path) as x:
        priced = {name: price_scenarios(x, SETTINGS[name]) for name in settings}
    return World({w.name: w for w in workloads}, logs, x, priced)


@dataclass
class Fixed:
    """The ways to make a fix to a workload, billed; where costscan chooses, the way that it chose."""

    workload: Workload
    told: Foreseen
    settings: str
    _bills: dict[tuple[object, ...], Decimal] = field(default_factory=dict)

    @cached_property
    def before(self) -> Calls:
        return self.workload.sent

    @cached_property
    def short(self) -> Calls:
        return self._shortened(self.base)

    @cached_property
    def sound_and_short(self) -> Calls:
        return self._shortened(self.workload.spoiled.sound)

    def _shortened(self, calls: Calls) -> Calls:
        return fixes.shortened(calls, SETTINGS[self.settings].trimming.parts, CAP)

    @property
    def base(self) -> Calls:
        return self.workload.spoiled.before

    @cached_property
    def was(self) -> Decimal:
        return usd(self.before)

    def calls(self, scenario: str) -> Iterator[Calls]:
        """What may be sent with the fix: the cheapest of these is."""
        w = self.workload
        lever, _, part = scenario.partition("/")
        if scenario == "caching/fix-prefix":
            yield w.behind(w.policy(w.spoiled.sound))
        elif scenario == "caching/breakpoints":
            yield at_best(self.base, as_marked(self.before))
        elif scenario == "caching/ttl":
            yield from (living(self.before, hours) for hours in self.told.hours(scenario))
        elif part == "prune-at-task-boundary":
            yield fixes.pruned(self.base, w.policy) if w.shape.people else self.before
        elif part == "compact-history":
            yield fixes.compacted(self.base, w.policy)
        elif lever == "trimming" and part:
            yield w.policy(fixes.shortened(self.base, (part,), CAP))
        elif part == "async":
            yield fixes.in_batches(self.before, self.told.unwaited)
        elif part == "pack-items":
            yield w.policy(fixes.packed(self.base, self.told.unwaited, ITEMS))
        elif part in {"turns", "runs"}:
            yield w.policy(self._routed(self.base))

    def bills(self, scenario: str) -> Iterator[Decimal]:
        """What the ways cost."""
        if "/" in scenario:
            yield from map(usd, self.calls(scenario))
            return
        levers = {"trimming", "routing", "batching", "caching"} if scenario == "all" else set(scenario.split("+"))
        for way in self._ways(levers, scenario):
            if way not in self._bills:
                self._bills[way] = usd(self._together(*way))
            yield self._bills[way]

    def _ways(self, levers: set[str], scenario: str) -> Iterator[tuple[bool, bool, bool, bool, frozenset[str] | None]]:
        """Whether to trim, route, pack and batch, and the runs with an hour where what is marked is chosen anew."""
        either, force = (False, True), SETTINGS[self.settings].routing.force
        trims = either if "trimming" in levers and self.short != self.base else (False,)
        moves = either if "routing" in levers and (self.told.routes or force) else (False,)
        packs = either if "batching" in levers and len(self.told.unwaited) > 1 else (False,)
        caches = [None, *(self.told.hours(scenario) if "caching" in levers else [])]
        batch = "batching" in levers and bool(self.told.unwaited)
        for trim, move, pack, hours in product(trims, moves[-1:] if force else moves, packs, caches):
            yield trim, move, pack, batch, hours

    def _together(self, trim: bool, move: bool, pack: bool, batch: bool, hours: frozenset[str] | None) -> Calls:  # noqa: FBT001
        w = self.workload
        whole, some = (self.base, self.short) if hours is None else (w.spoiled.sound, self.sound_and_short)
        base = some if trim else whole
        base = self._routed(base) if move else base
        base = fixes.packed(base, self.told.unwaited, ITEMS) if pack else base
        sent = w.policy(base) if hours is None else w.behind(at_best(base, _lasting(hours)))
        return fixes.in_batches(sent, self.told.unwaited) if batch else sent

    def _routed(self, base: Calls) -> Calls:
        force = SETTINGS[self.settings].routing.force
        return fixes.all_on(base, force) if force else fixes.on_models(base, self.told.routes)


def _lasting(hours: frozenset[str]) -> Callable[[Call, bool], Json]:
    return lambda call, _: HOUR if call.run in hours else FIVE


def play(world: World, task: str, settings: str, scenarios: Sequence[str] | None = None) -> Iterator[Played]:
    """Make the fixes that were foreseen, and bill them."""
    told = world.foreseen(task, settings)
    fixed = Fixed(world.workloads[task], told, settings)
    assert fixed.was == told.sum("as_billed"), task
    forced = SETTINGS[settings].routing.force is not None
    for scenario in scenarios or sorted(told.scenarios):
        if not _is_playable(scenario, told, fixed.workload):
            continue
        bills = list(fixed.bills(scenario))
        free = forced and scenario in {"routing", "all"}
        low, high = (told.sum(scenario, f"saved_{end}_usd") for end in ("low", "high"))
        truth = min(bills if free else [fixed.was, *bills])
        yield Played(
            task, settings, scenario, fixed.was, told.sum(scenario), truth, low, high, target(scenario, fixed)
        )


def _is_playable(scenario: str, told: Foreseen, workload: Workload) -> bool:
    """Whether the choices of a scenario are told: of routing are those of turns and runs together.

    A summary takes what varies in the history with it, which no client would do.
    """
    if scenario == "trimming/compact-history" and workload.spoil is not sound:
        return False
    lever, _, part = scenario.partition("/")
    if lever == "routing" and part:
        mixed = {("turns" if name == "mechanical-tool-step" else "runs") for name in told.evidence}
        return mixed <= {part}
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
    to = {force} if force else set(fixed.told.routes.values())
    own = {call.request["model"] for call in fixed.base}
    return len({MODELS[model].ratio for model in to | own}) > 1
