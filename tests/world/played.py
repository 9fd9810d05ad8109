"""Workloads that are logged, what costscan foresees of them, and what the fixes that it foresees are then billed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from costscan.analysis import Analysis
from costscan.scenarios import Priced, price_scenarios
from costscan.settings import Batching, Routing, Settings, Trimming
from logs import Json, write
from seen import analyzed
from world import fixes
from world.calls import Call, Calls, lines, usd
from world.chosen import BESIDE, Chosen, moved, routes_told
from world.marks import FIVE, HOUR, as_marked, at_best, living
from world.prices import HAIKU45, MODELS, SONNET5
from world.workload import Workload, sound

CAP, ITEMS = 300, 5
BASE: Final = Settings(
    trimming=Trimming(tool_result_max_tokens=CAP), batching=Batching(items_per_context=ITEMS)
)
SETTINGS: Final = {
    "default": BASE,
    "parts": Settings(
        trimming=Trimming(parts=fixes.PARTS, tool_result_max_tokens=CAP), batching=BASE.batching
    ),
    **{
        model: Settings(trimming=BASE.trimming, batching=BASE.batching, routing=Routing(force=model))
        for model in (HAIKU45, SONNET5)
    },
}
TARGETS: Final = {"caching": 0.005, "batching/async": 0.005, "batching": 0.03, "trimming": 0.01, "all": 0.01}
FAMILY, OTHER_FAMILY, PACKED = 0.01, 0.05, 0.03
Routes = dict[tuple[str, int], str]
"""By run and turn, another model."""


@dataclass(frozen=True)
class Foreseen:
    """What costscan says of one task with some settings."""

    task: str
    rows: pl.DataFrame
    routes: Mapping[str, Sequence[Routes]]
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


@dataclass(eq=False)
class World:
    """Workloads that were logged and looked at with each of the settings."""

    workloads: Mapping[str, Workload]
    logs: Mapping[str, list[Json]]
    x: Analysis
    priced: dict[str, Priced] = field(default_factory=dict)
    chosen: dict[str, Chosen] = field(default_factory=dict)

    def parts_of(self, lever: str, settings: str) -> list[str]:
        """The parts of a lever that are in it."""
        on = {f"trimming/{part}" for part in SETTINGS[settings].trimming.parts}
        names = self.priced[settings].scenarios["scenario"].unique()
        return [n for n in names if n.startswith(f"{lever}/") and (lever != "trimming" or n in on)]

    def foreseen(self, task: str, settings: str) -> Foreseen:
        found = self.priced[settings]
        runs = self.x.runs.filter(task=task).select("run_id")
        logged = self.x.turns.join(runs, on="run_id", how="semi")
        routes: dict[str, list[Routes]] = {}
        for scope, steps in self.chosen[settings]:
            routes.setdefault(scope, []).append(moved(steps, logged))
        alone = found.routes.join(runs, on="run_id", how="semi").select("run_id", "turn", "to_model")
        routes[""] = [{(run, turn): to for run, turn, to in alone.rows()}]
        shots = found.single_shots.join(runs, on="run_id", how="semi").filter(pl.col("reason").is_not_null())
        return Foreseen(
            task,
            found.scenarios.join(runs, on="run_id", how="semi"),
            routes,
            set(shots["run_id"]),
            set(found.lifetimes.filter(cheaper="1h").join(runs, on="run_id", how="semi")["run_id"]),
        )


def look(folder: Path, workloads: Sequence[Workload], settings: Sequence[str] = tuple(SETTINGS)) -> World:
    """Log workloads, each a task, to one file, and price what would have been."""
    logs = {w.name: lines(w.sent) for w in workloads}
    path = write(folder / "calls.jsonl", *(line for log in logs.values() for line in log))
    with analyzed(path) as x:
        world = World({w.name: w for w in workloads}, logs, x)
        for name in settings:
            with routes_told() as chosen:
                world.priced[name] = price_scenarios(x, SETTINGS[name])
            world.chosen[name] = chosen
    return world


class Way(NamedTuple):
    """A way to take some levers; `hours` are the runs with an hour where what is marked is chosen anew."""

    is_trimmed: bool
    models: str | frozenset[tuple[tuple[str, int], str]]
    is_packed: bool
    is_batched: bool
    hours: frozenset[str] | None


@dataclass
class Fixed:
    """The ways to make a fix to a workload, billed; where costscan chooses, the way that it chose."""

    workload: Workload
    told: Foreseen
    settings: str
    _bills: dict[Way, Decimal] = field(default_factory=dict)

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
            yield from (
                w.policy(fixes.on_models(self.base, routes)) for routes in self.told.routes.get(part, [{}])
            )

    def bills(self, scenario: str) -> Iterator[Decimal]:
        """What the ways cost."""
        if "/" in scenario:
            yield from map(usd, self.calls(scenario))
            return
        levers = (
            {"trimming", "routing", "batching", "caching"} if scenario == "all" else set(scenario.split("+"))
        )
        for way in self._ways(levers, scenario):
            if way not in self._bills:
                self._bills[way] = usd(self._together(way))
            yield self._bills[way]

    def _ways(self, levers: set[str], scenario: str) -> Iterator[Way]:
        """The ways to take some levers or leave them, and to cache; a model that is forced is taken."""
        either = (False, True)
        trims = either if "trimming" in levers and self.short != self.base else (False,)
        packs = either if "batching" in levers and len(self.told.unwaited) > 1 else (False,)
        hours = [None, *(self.told.hours(scenario) if "caching" in levers else [])]
        batch = "batching" in levers and bool(self.told.unwaited)
        for trim, move, pack, live in product(trims, self._moves(levers), packs, hours):
            yield Way(trim, move, pack, batch, live)

    def _moves(self, levers: set[str]) -> Sequence[str | frozenset[tuple[tuple[str, int], str]]]:
        """The models that turns may go to: a name for all of them, or some turns with theirs."""
        if "routing" not in levers:
            return [frozenset()]
        if force := SETTINGS[self.settings].routing.force:
            return [force]
        beside = self.told.routes.get(BESIDE, []) if len(levers) > 1 else []
        return list({frozenset(), *(frozenset(some.items()) for some in (*self.told.routes[""], *beside))})

    def _together(self, way: Way) -> Calls:
        w = self.workload
        whole, some = (
            (self.base, self.short) if way.hours is None else (w.spoiled.sound, self.sound_and_short)
        )
        base = some if way.is_trimmed else whole
        to = way.models
        base = (
            fixes.all_on(base, to) if isinstance(to, str) else fixes.on_models(base, dict(to)) if to else base
        )
        base = fixes.packed(base, self.told.unwaited, ITEMS) if way.is_packed else base
        sent = w.policy(base) if way.hours is None else w.behind(at_best(base, _lasting(way.hours)))
        return fixes.in_batches(sent, self.told.unwaited) if way.is_batched else sent


def _lasting(hours: frozenset[str]) -> Callable[[Call, bool], Json]:
    return lambda call, _: HOUR if call.run in hours else FIVE


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
    """Whether a fix can be made; a summary takes what varies in the history with it, which no client would do."""
    if scenario == "trimming/compact-history" and workload.spoil is not sound:
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
        {force} if force else {m for some in fixed.told.routes.values() for one in some for m in one.values()}
    )
    own = {call.request["model"] for call in fixed.base}
    return len({MODELS[model].ratio for model in to | own}) > 1
