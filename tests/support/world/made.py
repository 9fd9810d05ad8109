"""The ways to make a fix that was foreseen, billed; where costscan chooses, the way that it chose."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import Final, NamedTuple

import polars as pl

from costscan.settings.keys import Batching, Routing, Settings, Trimming
from logs import Json
from world import fixes
from world.calls import Call, Calls, usd
from world.chosen import BESIDE
from world.marks import FIVE, HOUR, as_marked, at_best, living
from world.prices import HAIKU45, SONNET5
from world.workload import Workload

CAP, ITEMS = 300, 5
THRESHOLDS: Final = {"compact-history": 8000, "context-editing": 6000}
BASE: Final = Settings(
    trimming=Trimming(
        tool_result_max_tokens=CAP,
        compact_at_tokens=THRESHOLDS["compact-history"],
        clear_at_tokens=THRESHOLDS["context-editing"],
    ),
    batching=Batching(items_per_context=ITEMS),
)
SETTINGS: Final = {
    "default": BASE,
    "parts": Settings(trimming=replace(BASE.trimming, parts=fixes.PARTS), batching=BASE.batching),
    **{
        model: Settings(trimming=BASE.trimming, batching=BASE.batching, routing=Routing(force=model))
        for model in (HAIKU45, SONNET5)
    },
}
Living = frozenset[tuple[str, tuple[bool, bool]]]
"""By run, whether tools and system prompt, and what follows, live for an hour."""
Routes = dict[tuple[str, int], tuple[str, bool]]
"""By run and turn, another model, and whether the call is made again on its own."""


@dataclass(frozen=True)
class Foreseen:
    """What costscan says of one task with some settings."""

    task: str
    rows: pl.DataFrame
    routes: Mapping[str, Sequence[Routes]]
    unwaited: set[str]
    lives: set[Living]

    def sum(self, scenario: str, column: str = "usd") -> Decimal:
        return Decimal(self.rows.filter(scenario=scenario)[column].sum())

    @property
    def scenarios(self) -> set[str]:
        return set(self.rows["scenario"])


class Way(NamedTuple):
    """A way to take some levers; `lives` are the lifetimes where what is marked is chosen anew."""

    is_trimmed: bool
    models: str | frozenset[tuple[tuple[str, int], tuple[str, bool]]]
    is_packed: bool
    is_batched: bool
    lives: Living | None


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
            yield from (living(self.before, dict(lives)) for lives in self.told.lives)
        elif part == "prune-at-task-boundary":
            yield fixes.pruned(self.base, w.policy) if w.shape.people else self.before
        elif part in fixes.AT_THRESHOLD:
            yield fixes.AT_THRESHOLD[part](self.base, w.policy, THRESHOLDS[part])
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
        for way in self._ways(levers):
            if way not in self._bills:
                self._bills[way] = usd(self._together(way))
            yield self._bills[way]
        if "trimming" in levers and not ("routing" in levers and SETTINGS[self.settings].routing.force):
            # All parts together may save less than one of them.
            yield from self._bills_of_parts

    @cached_property
    def _bills_of_parts(self) -> list[Decimal]:
        parts = SETTINGS[self.settings].trimming.parts
        return [usd(calls) for part in parts for calls in self.calls(f"trimming/{part}")]

    def _ways(self, levers: set[str]) -> Iterator[Way]:
        """The ways to take some levers or leave them, and to cache; a model that is forced is taken."""
        either = (False, True)
        trims = either if "trimming" in levers and self.short != self.base else (False,)
        packs = either if "batching" in levers and len(self.told.unwaited) > 1 else (False,)
        lives = [None, *(self.told.lives if "caching" in levers else [])]
        batch = "batching" in levers and bool(self.told.unwaited)
        for trim, move, pack, live in product(trims, self._moves(levers), packs, lives):
            yield Way(trim, move, pack, batch, live)

    def _moves(self, levers: set[str]) -> Sequence[str | frozenset[tuple[tuple[str, int], tuple[str, bool]]]]:
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
            (self.base, self.short) if way.lives is None else (w.spoiled.sound, self.sound_and_short)
        )
        base = some if way.is_trimmed else whole
        to = way.models
        base = (
            fixes.all_on(base, to) if isinstance(to, str) else fixes.on_models(base, dict(to)) if to else base
        )
        base = fixes.packed(base, self.told.unwaited, ITEMS) if way.is_packed else base
        sent = (
            w.policy(base) if way.lives is None else w.behind(at_best(base, self._lasting(dict(way.lives))))
        )
        return fixes.in_batches(sent, self.told.unwaited) if way.is_batched else sent

    def _lasting(self, lives: Mapping[str, tuple[bool, bool]]) -> Callable[[Call, bool], Json]:
        """The lifetimes that are set, and those that the client gives where none is."""
        own = as_marked(self.before)

        def how(call: Call, shared: bool) -> Json:
            if call.run not in lives:
                return own(call, shared)
            prefix, behind = lives[call.run]
            return HOUR if (prefix if shared else behind) else FIVE

        return how
