"""Models that are then really switched cost what was foreseen, more expensive or not.

Within a family of tokenizers everything can be computed: the same tokens, what tool use adds on each model, and
the shortest prefix that each of them caches. What another family makes of a text is an estimate with a range.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from applied import Case, Told, alone, read
from costscan.levers.plan import Plan
from costscan.levers.rewriting import rewritten
from costscan.levers.routing import routed
from costscan.scenarios import price_scenarios
from costscan.scenarios.workspace import Workspace
from costscan.settings.keys import Routing, Settings
from logs import Json, text, write
from mended import for_system, on_model, shots
from seen import PROMPT, analyzed
from slow_cache import MINIMUM, TOOL_USE
from thoroughness import fewer
from workloads import (
    HAIKU45,
    OPUS45,
    OPUS48,
    SONNET5,
    SONNET46,
    Calls,
    automatic,
    lines,
    loops,
    marked,
    usd,
)

RATIO = 1.3
"""So many times as many tokens newer tokenizers make of a text, as the price list has it."""


def shapes(model: str, to: str, **all_of_them: Any) -> dict[str, Calls]:
    def some(name: str, **more: Any) -> tuple[str, Calls]:
        task = f"{model} to {to}: {name}"
        return task, loops(task, model=model, **more, **all_of_them)

    marks: list[tuple[str, Calls]] = [
        some("one run", runs=1), some("three runs", runs=3, turns=6), some("late", turns=6, gap_s=400),
        some("a short prefix", runs=3, turns=4, result=100), some("long results", turns=5, result=1500),
    ]  # fmt: skip
    found = {task: marked(calls) for task, calls in marks}
    task, calls = some("unmarked", runs=1)
    found[task] = calls
    task, calls = some("automatic", runs=3, turns=6)
    found[task] = automatic(calls)
    task, calls = some("an hour", turns=6, gap_s=900)
    found[task] = marked(calls, "1h")
    task, calls = some("twelve at once", turns=5, wide=12, result=60)
    found[task] = marked(calls, between=True)
    return found


def forced(folder: Path, model: str, to: str, **more: Any) -> tuple[Told, dict[str, Case]]:
    found = shapes(model, to, **more)
    cases = {name: Case("routing", calls, [on_model(calls, to)]) for name, calls in found.items()}
    before = {name: case.before for name, case in cases.items()}
    return read(folder, before, alone("routing", settings=Settings(routing=Routing(force=to)))), cases


@pytest.mark.parametrize(
    ("model", "to"),
    fewer(
        [(OPUS48, SONNET5), (SONNET5, OPUS48), (SONNET46, HAIKU45), (HAIKU45, SONNET46), (OPUS45, HAIKU45)], 2
    ),
)
def test_a_model_of_the_same_family_is_billed_as_foreseen(tmp_path: Path, model: str, to: str) -> None:
    """Also where it is more expensive, caches only longer prefixes, or adds more for tools."""
    found, cases = forced(tmp_path, model, to)
    errors = {n: found.usd(n, "routing") / usd(lines(case.mended[0])) - 1 for n, case in cases.items()}
    # A prefix that was too short to be cached has no tokens in the bill; on a model that caches it, its estimate shows.
    most = Decimal("0.01") if MINIMUM[to] < MINIMUM[model] else Decimal("0.0001")
    assert {name: f"{error:.3%}" for name, error in errors.items() if abs(error) > most} == {}


@pytest.mark.parametrize(
    ("model", "to", "ratio"),
    fewer([(OPUS48, HAIKU45, 1 / RATIO), (HAIKU45, OPUS48, RATIO), (SONNET46, SONNET5, RATIO)], 2),
)
def test_a_model_of_another_family_is_billed_within_the_range(
    tmp_path: Path, model: str, to: str, ratio: float
) -> None:
    """With prefixes that all models cache: one near the minimum may be cached or not, which no range covers.

    What many short tool calls become is off by a little more than the range.
    """
    found, cases = forced(tmp_path, model, to, system=8000)
    outside = {}
    for name, case in cases.items():
        bill = usd(lines(case.mended[0], {to: ratio}))
        if "twelve" in name:
            assert found.usd(name, "routing") == pytest.approx(bill, rel=Decimal("0.1"))
            continue
        saved = usd(found.logs[name]) - bill
        low, high = (found.usd(name, "routing", f"saved_{end}_usd") for end in ("low", "high"))
        if not low <= saved <= high:
            outside[name] = (low, saved, high)
    assert outside == {}


def test_the_prompts_of_another_family_are_those_of_their_blocks(tmp_path: Path) -> None:
    calls = marked(loops("prompts", model=OPUS48, runs=3))
    with analyzed(write(tmp_path / "calls.jsonl", *lines(calls))) as x:
        blocks = pl.concat(
            [
                x.blocks.select("run_id", "turn_in", "turn_out", "tokens"),
                x.block_costs.select("other_tokens"),
            ],
            how="horizontal",
        ).collect()
        told = price_scenarios(x, Settings(routing=Routing(force=HAIKU45))).scenarios.filter(
            scenario="routing"
        )
        turns = x.turns.select("run_id", "turn", prompt=pl.sum_horizontal(PROMPT))
    held = turns.join(blocks, on="run_id").filter(
        pl.col("turn").is_between("turn_in", "turn_out", closed="left")
    )
    sums = held.group_by("run_id", "turn", "prompt").agg(pl.col("tokens", "other_tokens").sum())
    assert (sums["tokens"] == sums["prompt"]).all()
    said = (pl.col("prompt") - TOOL_USE[OPUS48]) * pl.col("other_tokens") / pl.col("tokens")
    want = sums.group_by("run_id").agg(want=(said.round() + TOOL_USE[HAIKU45]).sum(), turns=pl.len())
    both = told.with_columns(prompt=pl.sum_horizontal(PROMPT)).join(want, on="run_id")
    assert both.height == 3
    assert both.filter((pl.col("prompt") - pl.col("want")).abs() > pl.col("turns")).is_empty()


def test_a_prefix_under_the_minimum_of_the_other_model_is_not_cached(tmp_path: Path) -> None:
    calls = for_system(loops("short", model=OPUS48, runs=3, turns=3, system=700, n_tools=4, result=100))
    found = read(tmp_path, {"short": calls}, Settings(routing=Routing(force=HAIKU45)))
    cached = ("cache_read_tokens", "cache_write_5m_tokens")
    prefix = int(found.usd("short", "as_billed", "cache_write_5m_tokens"))
    assert MINIMUM[OPUS48] < prefix < MINIMUM[HAIKU45]
    assert found.usd("short", "as_billed", "cache_read_tokens") == 8 * prefix
    assert [found.usd("short", "routing", name) for name in cached] == [0, 0]


def test_a_model_that_is_forced_may_be_more_expensive(tmp_path: Path) -> None:
    calls = marked(loops("more_expensive", model=HAIKU45, runs=2))
    found = read(tmp_path, {"more_expensive": calls}, Settings(routing=Routing(force=OPUS48)))
    assert found.usd("more_expensive", "routing", "saved_usd") < 0
    assert found.usd("more_expensive", "routing") > found.usd("more_expensive", "as_billed")


def mixed(model: str) -> dict[str, Calls]:
    """Loops of which some turns are simple, and single requests that ask for little."""
    shape: dict[str, dict[str, Any]] = {
        "one": {"runs": 1, "turns": 14}, "three": {"runs": 3, "turns": 8, "system": 5000},
        "long": {"runs": 2, "turns": 10, "result": 2000}, "late": {"runs": 2, "turns": 8, "gap_s": 400},
        "two at once": {"runs": 2, "turns": 8, "wide": 2},
    }  # fmt: skip
    found = {
        f"{name} unmarked": loops(f"{name} unmarked", model=model, **more) for name, more in shape.items()
    }
    found |= {name: marked(loops(name, model=model, **more)) for name, more in shape.items()}
    found["single"] = for_system(shots(loops("single", model=model, runs=4, turns=1, system=5000)))
    return found


def moved(found: Told, calls: Calls) -> Calls:
    """Send the calls that routing names to the models that it names; those that are wrong to both."""
    rows = found.priced.routes.select("run_id", "turn", "to_model", "is_wrong").rows()
    routes = {(run, turn): (to, wrong) for run, turn, to, wrong in rows}
    turns: Counter[str] = Counter()
    out = []
    for call in calls:
        to, wrong = routes.get((call.run, turns[call.run]), (call.request["model"], False))
        out += [call.told(model=to), call] if wrong else [call.told(model=to)]
        turns[call.run] += 1
    return out


def test_turns_that_are_then_routed_cost_what_was_foreseen(tmp_path: Path) -> None:
    workloads = mixed(SONNET46)
    found = read(tmp_path, workloads, alone("routing"))
    for name, calls in workloads.items():
        after = moved(found, calls)
        models = {call.request["model"] for call in after}
        if name == "long":
            # Every other result is too long for the rule: to go back and forth does not pay.
            assert models == {SONNET46}
            continue
        assert models == {SONNET46, HAIKU45} or name == "single"
        bill = usd(lines(after))
        assert bill < usd(found.logs[name])
        assert found.usd(name, "routing") == pytest.approx(bill, rel=Decimal("0.0001")), name


def test_turns_that_go_to_two_families_are_billed_within_the_range(tmp_path: Path) -> None:
    """The first prompts, all prose and definitions, lie at the edge of it: a hundredth of the bill is let pass."""
    workloads = mixed(OPUS45)
    found = read(tmp_path, workloads, alone("routing"))
    outside = {}
    for name, calls in workloads.items():
        after = moved(found, calls)
        bill = usd(lines(after, {SONNET5: RATIO}))
        saved = usd(found.logs[name]) - bill
        low, high = (found.usd(name, "routing", f"saved_{end}_usd") for end in ("low", "high"))
        if not low - bill / 100 <= saved <= high + bill / 100:
            outside[name] = (low, saved, high)
    assert outside == {}


LONG = frozenset({3, 8})
"""The turns of each run that write a long answer, which all later requests of the run hold."""


def wordy(calls: Calls) -> Calls:
    turns: Counter[str] = Counter()
    out = []
    for call in calls:
        first, *messages = call.request["messages"]
        said = [m | {"content": _long(m["content"])} if n in _ANSWERS else m for n, m in enumerate(messages)]
        sent = call.told(messages=[first, *said])
        out.append(replace(sent, answer=_long(sent.answer)) if turns[call.run] in LONG else sent)
        turns[call.run] += 1
    return out


_ANSWERS = {2 * turn for turn in LONG}


def _long(content: list[Json]) -> list[Json]:
    return [text("On the other hand. " * 100), *content[1:]]


def test_calls_that_the_smaller_model_is_not_enough_for_are_paid_twice(tmp_path: Path) -> None:
    """A long answer could not be foreseen: it is made there, and then where it was made."""
    calls = wordy(loops("wordy", model=SONNET46, runs=3, turns=12))
    found = read(tmp_path, {"wordy": calls}, alone("routing"))
    routes = found.priced.routes.sort("run_id", "turn")
    # After a long answer no step is taken to be mechanical: turns 4 and 9 stay.
    assert routes.filter(run_id="wordy/0").select("turn", "is_wrong").rows() == [
        (turn, turn in LONG) for turn in range(1, 12) if turn not in {4, 9}
    ]
    bill = usd(lines(moved(found, calls)))
    assert found.usd("wordy", "routing") == pytest.approx(bill, rel=Decimal("0.0001"))


def edited(calls: Calls, since: int, change: Callable[[Json], Json]) -> Calls:
    """Change the requests of a run from a turn on."""
    return [call.told(**change(call.request)) if n >= since else call for n, call in enumerate(calls)]


def other_result(request: Json) -> Json:
    """Replace what the second call of a tool returned."""
    messages = list(request["messages"])
    messages[4] = messages[4] | {"content": [messages[4]["content"][0] | {"content": "Left out. " * 40}]}
    return {"messages": messages}


def one_more_result(request: Json) -> Json:
    """Put a message between others, so that nothing leaves the context."""
    said = {"role": "user", "content": [text("This was forgotten. " * 20)]}
    return {"messages": [*request["messages"][:5], said, *request["messages"][5:]]}


def one_more_tool(request: Json) -> Json:
    return {"tools": [*request["tools"], request["tools"][0] | {"name": "one_more"}]}


def read_when_moved(folder: Path, calls: Calls, turns: Collection[int]) -> list[int]:
    """What the turns of one run read, when some of them go to another model and all is cached."""
    with analyzed(write(folder / "calls.jsonl", *lines(calls))) as x:
        return read_on(Workspace(x, Settings()), turns)


def read_on(bench: Workspace, turns: Collection[int]) -> list[int]:
    moves = bench.plan.steps.filter(pl.col("turn").is_in(turns))
    choice = moves.select("req", to_model=pl.lit(HAIKU45))
    plan = routed(bench.plan, choice, bench.sizes, bench.counts, bench.thoughts)
    return read_when_cached(bench, plan)


def read_when_cached(bench: Workspace, plan: Plan) -> list[int]:
    (outcome,) = bench.done([bench.cached(plan)])
    read: list[int] = outcome.turns["cache_read_tokens"].to_list()
    return read


def read_as_billed(calls: Calls, turns: Collection[int]) -> list[int]:
    after = [call.told(model=HAIKU45) if n in turns else call for n, call in enumerate(calls)]
    return [line["response"]["usage"]["cache_read_input_tokens"] for line in lines(marked(after))]


ESTIMATED = 20
"""A prefix that no turn read alone has an estimated length: so many tokens may it be off."""


@pytest.fixture(scope="module", params=[other_result, one_more_result, one_more_tool, dict])
def edited_run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Calls, Workspace]]:
    """A run whose requests are edited from a turn on, and what is priced on."""
    calls = marked(edited(loops("edited", runs=1, system=6000, result=200), 6, request.param))
    with analyzed(write(tmp_path_factory.mktemp("edited") / "calls.jsonl", *lines(calls))) as x:
        yield calls, Workspace(x, Settings())


@pytest.mark.parametrize("turns", [(), (3, 4, 7, 8), (0, 1, 2, 6), range(10)])
def test_what_was_sent_before_an_edit_is_read_as_far_as_it_is_shared(
    edited_run: tuple[Calls, Workspace], turns: Collection[int]
) -> None:
    """Routed or not, a turn finds what its model was sent of the very same history, and no more."""
    calls, bench = edited_run
    found, want = read_on(bench, turns), read_as_billed(calls, turns)
    assert found == pytest.approx(want, abs=ESTIMATED)


@pytest.mark.parametrize("turns", [(1, 4, 5, 8), (2, 4, 5, 8)])
def test_no_more_is_read_where_another_model_was_sent_what_an_edit_left(
    edited_run: tuple[Calls, Workspace], turns: Collection[int]
) -> None:
    """What its own model was sent before that would be found too: that is not counted on."""
    calls, bench = edited_run
    found, want = read_on(bench, turns), read_as_billed(calls, turns)
    assert all(a <= b + ESTIMATED for a, b in zip(found, want, strict=True))


def test_a_value_that_moved_behind_the_mark_keeps_no_routed_turn_from_reading(tmp_path: Path) -> None:
    calls, turns = loops("dated", runs=1, system=6000), (3, 4, 7, 8)
    dated = [
        call.told(system=[text(f"It is 2026-07-01T10:{n:02d}:00Z. {call.request['system'][0]['text']}")])
        for n, call in enumerate(calls)
    ]
    found, want = read_when_moved(tmp_path, dated, turns), read_as_billed(calls, turns)
    assert found == pytest.approx(want, abs=ESTIMATED)
    assert min(want[n] for n in (2, 4, 7, 8)) > 0


@pytest.mark.parametrize("is_shown", [True, False])
def test_history_that_a_lever_replaced_is_not_read_by_routed_turns(tmp_path: Path, *, is_shown: bool) -> None:
    """Where a transcript does not show the prompts, too: of turn 5 only what is shared is found, or of turn 7."""
    with analyzed(write(tmp_path / "calls.jsonl", *lines(loops("cut", runs=1, system=6000)))) as x:
        bench = Workspace(x, Settings())
        plan = replace(bench.plan, steps=bench.plan.steps.with_columns(is_shown=pl.lit(is_shown)))
        at = plan.steps.filter(turn=5).select(
            "run_id", "turn", from_tokens="shared_tokens", cut_tokens=pl.lit(500, pl.Int64)
        )
        short = rewritten(plan, at)
        choice = short.steps.filter(pl.col("turn").is_in((3, 4, 7, 8))).select(
            "req", to_model=pl.lit(HAIKU45)
        )
        moved = routed(short, choice, bench.sizes, bench.counts, bench.thoughts)
        read = read_when_cached(bench, moved)
        shared = int(plan.steps["shared_tokens"][0])
    assert [n for n, tokens in enumerate(read) if tokens > shared + ESTIMATED] == [1, 2, 4, 6, 8, 9]
