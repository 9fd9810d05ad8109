"""The workloads that are played: what may happen to agents, each by itself and some together."""

import random
from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any, Final

from logs import Json
from mishaps import ORDERS, PLACES, VALUES
from world import marks
from world.agents import Shape
from world.marks import FIVE, HOUR, Policy
from world.prices import HAIKU45, MODELS, OPUS45, OPUS48, SONNET5, SONNET46
from world.workload import Workload, order, value

ANY: Final[Json] = {"tool_choice": {"type": "any"}}
AUTO: Final[Json] = {"tool_choice": {"type": "auto"}}
BUDGET: Final[Json] = {"thinking": {"type": "enabled", "budget_tokens": 2048}}
NO_THOUGHT: Final[Json] = {"thinking": {"type": "disabled"}}
LOW: Final[Json] = {"output_config": {"effort": "low"}}
HIGH: Final[Json] = {"output_config": {"effort": "high"}}
HAPPENINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "plain": {},
    "one run": {"runs": 1, "turns": 12},
    "five runs": {"runs": 5, "turns": 5},
    "no system to speak of": {"system": 20, "n_tools": 1},
    "a short prefix": {"system": 500, "runs": 3, "turns": 4, "result": 100},
    "long results": {"result": 1500, "turns": 6},
    "three tools at once": {"wide": 3},
    "over twenty blocks a turn": {"wide": 12, "result": 60, "turns": 5},
    "seventy blocks a turn": {"wide": 35, "result": 40, "turns": 4},
    "many unused tools": {"n_tools": 25, "system": 20, "turns": 5},
    "unused tools beside prose": {"n_tools": 20, "system": 3000, "turns": 5},
    "six minutes apart": {"gap_s": 400, "apart_s": 3000},
    "half an hour apart": {"gap_s": 1800, "apart_s": 9000},
    "two hours apart": {"gap_s": 7200, "apart_s": 9000, "turns": 5},
    "a pause of six minutes": {"pauses": {4: 360}},
    "a pause of two hours": {"pauses": {4: 7200}},
    "pauses of both kinds": {"turns": 8, "pauses": {3: 360, 6: 4000}},
    "in parallel": {"runs": 4, "apart_s": 0.2, "turns": 5},
    "interleaved": {"runs": 3, "apart_s": 20, "gap_s": 30},
    "interleaved and slow": {"runs": 3, "apart_s": 150, "gap_s": 400},
    "sub-agents": {"runs": 3, "apart_s": 30, "is_sub_agent": True},
    "people": {"people": (2, 5), "turns": 8},
    "people and long results": {"people": (4,), "turns": 12, "result": 1500, "runs": 1},
    "thinking": {"thinking": 200},
    "thinking that is hidden": {"thinking": 200, "hides_thinking": True},
    "thinking and people": {"thinking": 200, "people": (2, 5), "turns": 8},
    "pictures in results": {"picture": (1000, 800)},
    "large pictures in results": {"picture": (2400, 1500)},
    "a text document": {"document": "text"},
    "a PDF": {"document": "pdf"},
    "deferred tools": {"deferred": 12, "turns": 6},
    "deferred tools and unused ones": {"deferred": 12, "n_tools": 20, "turns": 6},
    "repeated results": {"repeats": 2, "result": 1000},
    "another model and back": {"models": {2: "other", 4: "own"}, "turns": 7},
    "another model from the middle on": {"models": {3: "other"}},
    "a forced tool now and then": {"settings": {2: ANY, 3: AUTO, 5: ANY}},
    "thinking is switched": {"settings": {0: NO_THOUGHT, 2: BUDGET, 4: NO_THOUGHT}},
    "effort is switched": {"settings": {0: HIGH, 2: LOW, 4: HIGH}},
    "the client compacts": {"cuts": {4: "client"}, "turns": 8},
    "the API compacts": {"cuts": {4: "server"}, "turns": 8},
    "a history worth a summary": {"runs": 1, "turns": 20, "result": 900},
    "a refused fifth mark": {"refused": (2, 5)},
    "single shots": {"runs": 10, "turns": 1, "apart_s": 20, "n_tools": 1, "once": True},
    "single shots without tools": {"runs": 10, "turns": 1, "apart_s": 20, "once": True, "n_tools": 0},
    "single shots far apart": {"runs": 5, "turns": 1, "apart_s": 2000, "n_tools": 1, "once": True},
}  # fmt: skip
"""What happens, as the fields of a shape; `own` and `other` are the model of the runs and another of its family."""
_OTHER: Final = {OPUS48: SONNET5, SONNET5: OPUS48, OPUS45: SONNET46, SONNET46: OPUS45, HAIKU45: SONNET46}
POLICIES: Final[Mapping[str, Policy]] = {
    "marked": marks.at_ends(),
    "unmarked": marks.unmarked,
    "automatic": marks.automatic,
    "an hour": marks.at_ends(HOUR, HOUR),
    "an hour before five minutes": marks.at_ends(HOUR, FIVE),
    "the system prompt alone": marks.at_ends(FIVE, None),
    "the end alone": marks.at_ends(None, FIVE),
    "four marks": marks.at_ends(FIVE, FIVE, extra=2),
}
SPOILS: Final = {
    **{f"{kind} in {path.partition('[')[0]}": value(kind, path) for kind in VALUES for path in PLACES},
    **{f"{kind} of each run": value(kind, PLACES[0], per_run=True) for kind in ("timestamp", "uuid", "path")},
    **{f"order of {what}": order(what) for what in ORDERS},
}


def shape_of(happening: str, model: str, **more: Any) -> Shape:
    told = {"model": model} | dict(HAPPENINGS[happening]) | more
    own = {"own": model, "other": _OTHER[model]}
    models = {turn: own.get(name, name) for turn, name in told.get("models", {}).items()}
    return Shape(**told | {"models": models})


def happenings() -> Iterator[Workload]:
    """Each happening, on one model after another."""
    for happening, model in zip(HAPPENINGS, cycle(MODELS), strict=False):
        policy = marks.at_ends(FIVE, None) if "shots" in happening else marks.at_ends()
        made = marks.refused if "refused" in happening else None
        yield Workload(f"{happening}, {model}", shape_of(happening, model), _then(policy, made))


def _then(first: Policy, second: Policy | None) -> Policy:
    return first if second is None else lambda calls: second(first(calls))


def policies() -> Iterator[Workload]:
    """Each way to mark, at three paces."""
    names = list(MODELS)
    for n, (name, policy) in enumerate(POLICIES.items()):
        for k, pace in enumerate(("plain", "six minutes apart", "pauses of both kinds")):
            model = names[(n + k) % 5]
            yield Workload(f"{name}, {pace}", shape_of(pace, model), policy)


def spoiled() -> Iterator[Workload]:
    """Each thing that varies."""
    names = list(MODELS)
    for n, (name, spoil) in enumerate(SPOILS.items()):
        more: dict[str, Any] = {"runs": 3, "turns": 5, "system": 6000} if "each run" in name else {}
        # What varies stands in a tool that is used.
        more |= {"wide": 3, "n_tools": 3, "result": 200} if "tools" in name or "schema" in name else {}
        yield Workload(name, shape_of("plain", names[n % 5], **more), marks.at_ends(), spoil)


def where_it_pays() -> Iterator[Workload]:
    """Where a fix that is seldom worth its while is: pictures that may be large, histories that are not cached."""
    yield Workload(
        "history that is not cached", shape_of("one run", OPUS48, turns=16, result=1500), marks.unmarked
    )
    yield Workload("tasks that are not cached", shape_of("people and long results", SONNET5), marks.unmarked)
    yield Workload("large pictures on a model that takes them", shape_of("large pictures in results", OPUS48))
    yield Workload("many unused tools on a model that caches little", shape_of("many unused tools", SONNET46))
    wide = shape_of("seventy blocks a turn", SONNET5, models={3: OPUS48}, turns=5, system=1500)
    yield Workload("histories of wide turns, another model from the middle on", wide)
    people = shape_of("over twenty blocks a turn", OPUS48, people=(2, 5), turns=8, system=1500)
    yield Workload("tasks of wide turns", people, marks.automatic)
    yield Workload("thoughts that another model drops", shape_of("thinking and people", OPUS45, thinking=600))
    slow = shape_of("interleaved and slow", HAIKU45, system=6000, wide=3, n_tools=3)
    yield Workload("a value beside two lifetimes", slow, marks.at_ends(HOUR, FIVE), SPOILS["path in tools"])
    yield Workload("a search tool beside unused ones", shape_of("deferred tools and unused ones", HAIKU45))


def fixed() -> list[Workload]:
    """The workloads that are always played."""
    return [*happenings(), *policies(), *spoiled(), *where_it_pays()]


def drawn(seed: int) -> Workload:
    """A workload at random: some happenings together, a way to mark, and perhaps something that varies."""
    dice = random.Random(seed)
    model = dice.choice(list(MODELS))
    some = dice.sample([name for name in HAPPENINGS if "shots" not in name], dice.randint(1, 3))
    told: dict[str, Any] = {}
    for name in some:
        told |= HAPPENINGS[name]
    policy = dice.choice(list(POLICIES))
    spoil = dice.choice(list(SPOILS)) if dice.random() < 1 / 3 and policy != "automatic" else None
    if spoil and ("tools" in spoil or "schema" in spoil):
        told |= {"wide": max(3, told.get("wide", 1)), "n_tools": max(3, told.get("n_tools", 3))}
    shape = shape_of("plain", model, **told | {"system": dice.choice([300, 1500, 3000, 6000])})
    policy = "marked" if shape.refused else policy
    name = f"seed {seed}: {', '.join(some)}; {policy}" + (f"; {spoil}" if spoil else "") + f"; {model}"
    found = _then(POLICIES[policy], marks.refused if shape.refused else None)
    return Workload(name, shape, found, SPOILS[spoil]) if spoil else Workload(name, shape, found)
