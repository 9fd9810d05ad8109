"""A fix that is then really applied saves what was foreseen.

Each workload is logged as it is and as it is mended, both billed by the slow reference. What a scenario says of
the first log is compared with the bill of the second.
"""

import random
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any, Final

import pytest

from applied import Case, Told, alone, error, read
from logs import text
from mended import for_system, on_model
from mishaps import ORDERS, PLACES, VALUES, disordered, varying
from workloads import HAIKU45, MODELS, OPUS48, SONNET46, Calls, loops, marked

WITHIN, AT_MOST, USUALLY = 0.005, 0.0075, 0.001
GAPS = {"seconds": (8.0, 100.0), "six minutes": (360.0, 2000.0), "forty minutes": (2400.0, 9000.0)}
SHAPES = cycle([(1, 12), (2, 8), (3, 6), (5, 5), (2, 6)])
_models = cycle(MODELS)


def some(name: str, model: str | None = None, gap: str = "seconds", **more: Any) -> Calls:
    runs, turns = next(SHAPES)
    shape: dict[str, Any] = {"runs": runs, "turns": turns} | more
    gap_s, apart_s = GAPS[gap]
    return loops(name, model=model or next(_models), gap_s=gap_s, apart_s=apart_s, **shape)


def values() -> dict[str, Case]:
    out = {}
    for kind in VALUES:
        for path in PLACES:
            name = f"{kind} in {path.partition('[')[0]}"
            it = varying(some(name), kind, path)
            out[name] = Case("caching/fix-prefix", marked(it.before), [it.mended(marked)])
    return out


def values_of_runs() -> dict[str, Case]:
    out = {}
    for kind in ("timestamp", "uuid", "path"):
        it = varying(
            some(f"{kind} of runs", OPUS48, runs=4, turns=5, system=6000), kind, PLACES[0], per_run=True
        )
        out[f"{kind} of runs"] = Case("caching/fix-prefix", marked(it.before), [it.mended(marked)])
    return out


def orders() -> dict[str, Case]:
    out = {}
    for what in ORDERS:
        it = disordered(some(what), what)
        out[what] = Case("caching/fix-prefix", marked(it.before), [it.mended(marked)])
    return out


def uncached() -> dict[str, Case]:
    out = {}
    shapes: dict[str, dict[str, Any]] = {"one": {"runs": 1}, "five": {"runs": 5, "turns": 5}}
    for model in MODELS:
        for name, more in shapes.items():
            calls = some(f"{name} {model}", model, **more)
            out[f"{name} {model}"] = Case("caching/breakpoints", calls, [marked(calls)])
    long = some("forty turns", runs=1, turns=40, result=150)
    wide = some("over twenty blocks a turn", runs=2, turns=6, wide=12, result=60)
    for name, calls in (("forty turns", long), ("over twenty blocks a turn", wide)):
        out[name] = Case("caching/breakpoints", calls, [marked(calls, between=True)])
    return out


def begun_oddly() -> dict[str, Case]:
    """The first runs ask for something whose tokens are hard to tell; nothing was cached, so no bill tells the rest."""
    dice = random.Random("odd")
    digits = " ".join(f"{dice.getrandbits(256):064x}" for _ in range(60))
    out = {}
    for name, odd in (("digits", digits), ("signs", "-=[]{}()<>;" * 300)):
        calls = some(name, runs=9, turns=1, system=9000)
        asked = [[{"role": "user", "content": [text(odd)]}] if n < 2 else c.request["messages"] for n, c in enumerate(calls)]  # fmt: skip
        calls = [call.told(messages=m) for call, m in zip(calls, asked, strict=True)]
        out[name] = Case("caching/breakpoints", calls, [for_system(calls)])
    return out


def of_two_models() -> dict[str, Case]:
    """What one model caches tells how long the same is for another, but for what tool use adds: 385 tokens less."""
    calls = some("of two models", OPUS48, runs=12, turns=1, system=2500)
    first, rest = on_model(calls[:1], "claude-opus-4-7"), calls[1:]
    case = Case("caching/breakpoints", [*for_system(first), *rest], [for_system([*first, *rest])])
    return {"of two models": case}


def lifetimes() -> dict[str, Case]:
    out = {}
    for gap in GAPS:
        for ttl in ("5m", "1h"):
            name = f"{ttl} with gaps of {gap}"
            calls = some(name, gap=gap)
            out[name] = Case(
                "caching/ttl", marked(calls, ttl), [marked(calls, each) for each in ("5m", "1h")]
            )
    return out


def asked(calls: Calls, **settings: Sequence[Any]) -> Calls:
    """Ask for these things in turn, None for nothing."""
    out = []
    for n, call in enumerate(calls):
        now = {name: values[n % len(values)] for name, values in settings.items()}
        out.append(call.told(**{name: value for name, value in now.items() if value is not None}))
    return out


ASKED: Final[dict[str, dict[str, Sequence[Any]]]] = {
    "a tool is forced in every third request": {"tool_choice": [None, None, {"type": "any"}]},
    "one tool at a time": {"tool_choice": [None, {"type": "auto", "disable_parallel_tool_use": True}]},
    "thinking comes and goes": {"thinking": [{"type": "enabled", "budget_tokens": 2000}, None, None]},
    "thinking budget": {"thinking": [{"type": "enabled", "budget_tokens": n} for n in (1024, 1024, 4096)]},
    "effort": {"output_config": [None, None, {"effort": "low"}, {"effort": "low"}]},
}


def settings() -> dict[str, Case]:
    out = {}
    for name, more in ASKED.items():
        calls = asked(some(name, runs=2, turns=9), **more)
        out[name] = Case("caching/breakpoints", calls, [marked(calls)])
        late = f"{name}, marked"
        calls = marked(asked(some(late, gap="six minutes", runs=2, turns=9), **more))
        out[late] = Case("caching/ttl", calls, [marked(calls, each) for each in ("5m", "1h")])
    return out


def everything() -> dict[str, Case]:
    out = {}
    for n, gap in enumerate(GAPS):
        for what, path in zip(ORDERS, (*PLACES, PLACES[0]), strict=True):
            name = f"{what} and {VALUES[n]} in {path.partition('[')[0]}, {gap}"
            calls = some(name, gap=gap)
            it = varying(calls, VALUES[n], path)
            before = disordered(it.before, what).before
            sound = varying(disordered(calls, what).sound, VALUES[n], path)
            mended = [sound.mended(lambda c, ttl=ttl: marked(c, ttl, between=True)) for ttl in ("5m", "1h")]  # type: ignore[misc]
            out[name] = Case("caching", before if n % 2 else marked(before), mended)
    return out


KINDS = {f.__name__: f() for f in (values, values_of_runs, orders, uncached, settings, lifetimes, everything)}
ODD, TWO = begun_oddly(), of_two_models()
CASES = {name: case for cases in (*KINDS.values(), ODD, TWO) for name, case in cases.items()}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return read(
        tmp_path_factory.mktemp("applied"),
        {name: case.before for name, case in CASES.items()},
        alone("caching"),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_foreseen_is_billed_once_it_is_mended(told: Told, kind: str) -> None:
    """A prefix that was never read has no tokens in the bill: where runs would share it, its estimate shows."""
    errors = {name: error(told, name, case) for name, case in KINDS[kind].items()}
    assert {name: f"{e:.2%}" for name, e in errors.items() if e > AT_MOST} == {}
    assert median(errors.values()) < USUALLY
    assert sum(e > WITHIN for e in errors.values()) <= 1


def test_a_prefix_that_no_bill_tells_is_told_by_all_prompts(told: Told) -> None:
    assert max(error(told, name, case) for name, case in ODD.items()) < 2 * WITHIN


def test_tool_use_adds_otherwise_for_another_model(told: Told) -> None:
    ((name, case),) = TWO.items()
    assert error(told, name, case) < USUALLY


def test_the_replay_agrees_with_what_was_billed(told: Told) -> None:
    assert told.x.agreement.exact == told.x.agreement.compared == sum(len(log) for log in told.logs.values())


AWAY = {"away once": (3, 4), "away twice": (2, 5, 6), "away at first": (0, 1), "to and fro": (1, 3, 5, 7)}


def away(turns: tuple[int, ...], shape: dict[str, Any], name: str) -> Calls:
    """A run of which some turns are served by another model."""
    calls = loops(name, model=SONNET46, runs=1, turns=10, system=6000, **shape)
    return [call.told(model=HAIKU45) if n in turns else call for n, call in enumerate(calls)]


def test_a_model_that_is_come_back_to_reads_what_it_was_sent_before(tmp_path: Path) -> None:
    """The last prompt that it was sent, if that is still alive: with 100 s a turn four turns away are too many."""
    cases = {
        f"{name} {gap}": Case("caching/breakpoints", calls, [marked(calls)])
        for name, turns in (AWAY | {"long away": (3, 4, 5, 6)}).items()
        for gap in (8, 100)
        for calls in [away(turns, {"gap_s": gap}, f"{name} {gap}")]
    }
    found = read(tmp_path, {name: case.before for name, case in cases.items()}, alone("caching"))
    errors = {name: f"{e:.2%}" for name, case in cases.items() if (e := error(found, name, case)) > WITHIN}
    assert errors == {}
