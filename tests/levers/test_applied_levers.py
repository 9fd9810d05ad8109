"""Trimming and batching that are then really applied save what was foreseen.

Each workload is logged as it is and as it is mended, both billed by the slow reference. What can be computed from
the first log is foreseen within 1 %. How much of a first prompt the definitions of its tools are, where they stand
beside text of another kind, and how long a prefix is that was never cached, is estimated: of that is said here how
far it is off.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from applied import Case, Told, alone, read, told
from costscan.levers import batching, trimming
from costscan.scenarios.lever_sets import Sets
from costscan.scenarios.route_choice import Routes
from costscan.scenarios.workspace import Workspace
from costscan.settings.keys import Batching, Caching, Routing, Settings, Trimming
from logs import Json, text, write
from mended import capped, deferred, for_system, on_model, packed, repeating, shots, terse, with_blocks
from seen import analyzed
from thoroughness import fewer
from workloads import HAIKU45, MODELS, OPUS45, OPUS48, SONNET46, Calls, automatic, lines, loops, marked, usd

WITHIN = 0.01
CAP = 300
TRIMMED = Settings(trimming=Trimming(tool_result_max_tokens=CAP))
TRIMMED_ALONE = alone("trimming", settings=TRIMMED)
PACKED = alone("batching", settings=Settings(batching=Batching(items_per_context=5)))


def foreseen(found: Told, name: str, case: Case) -> float:
    return float(found.usd(name, case.scenario))


def off(found: Told, name: str, case: Case) -> float:
    """By what share the cost that was foreseen is off; a fix that does not pay is not taken."""
    was = usd(found.logs[name])
    assert found.usd(name, "as_billed") == was
    bill = min(was, *(usd(lines(calls)) for calls in case.mended))
    return foreseen(found, name, case) / float(bill) - 1


def too_far(errors: Mapping[str, float], most: float = WITHIN) -> dict[str, str]:
    return {name: f"{e:.2%}" for name, e in errors.items() if abs(e) > most}


def read_cases(folder: Path, cases: Mapping[str, Case], settings: Settings) -> Told:
    return read(folder, {name: case.before for name, case in cases.items()}, settings)


def caps() -> dict[str, Case]:
    long: dict[str, Any] = {"result": 1500}
    found: dict[str, Calls] = {}
    for model in MODELS:
        found[f"{model} unmarked"] = loops(f"{model} unmarked", model=model, runs=1, **long)
        found[f"{model} marked"] = marked(loops(f"{model} marked", model=model, runs=3, turns=6, **long))
    found["automatic"] = automatic(loops("automatic", turns=6, **long))
    found["an hour"] = marked(loops("an hour", turns=6, gap_s=900, **long), "1h")
    found["late"] = marked(loops("late", turns=6, gap_s=400, **long))
    found["three at once"] = marked(loops("three at once", turns=6, wide=3, **long))
    found["three at once, unmarked"] = loops("three at once, unmarked", turns=6, wide=3, **long)
    found["short and long"] = marked(loops("short and long", turns=8, result=CAP))
    found["repeated"] = marked(repeating(loops("repeated", **long)))
    name = "trimming/cap-tool-results"
    return {key: Case(name, calls, [capped(calls, CAP)]) for key, calls in found.items()}


def test_long_results_that_are_cut_save_what_was_foreseen(tmp_path: Path) -> None:
    cases = caps()
    found = read_cases(tmp_path, cases, TRIMMED_ALONE)
    errors = {name: off(found, name, case) for name, case in cases.items()}
    assert too_far(errors) == {}
    assert too_far({name: e for name, e in errors.items() if "three at once" not in name}, 0.001) == {}


def screen(width: int, height: int) -> Json:
    """A picture of so many pixels, of which there is only the header."""
    head = b"\x89PNG\r\n\x1a\n" + bytes(8) + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes(16)
    return {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": b64encode(head).decode()},
    }


def looking(calls: Calls, width: int, height: int, *, said: bool = False) -> Calls:
    """Let every tool return a picture, in place of its text or behind it."""

    def shown(block: Json) -> Json:
        if block["type"] != "tool_result":
            return block
        text_part = [text(block["content"])] if said else []
        return block | {"content": [*text_part, screen(width, height)]}

    return [with_blocks(call, shown) for call in calls]


def pictures() -> dict[str, Case]:
    """Only the newer models take pictures of more than 1,568 tokens, which are 56 x 28 patches."""
    found = {}
    for name, said in (("screens", False), ("screens and text", True)):
        calls = loops(name, model=OPUS48, turns=8, result=200)
        small, large = (marked(looking(calls, *size, said=said)) for size in ((1568, 784), (1920, 1120)))
        found[name] = Case("trimming/resize-images", large, [small])
        long = marked(
            looking(loops(f"{name}, cut", model=OPUS48, turns=8, result=1500), 1092, 1092, said=said)
        )
        found[f"{name}, cut"] = Case("trimming/cap-tool-results", long, [capped(long, CAP)])
    return found


def test_pictures_in_results(tmp_path: Path) -> None:
    """Where a result is a picture there is nothing to cut; the text beside one is cut alone."""
    cases = pictures()
    found = read_cases(tmp_path, cases, TRIMMED_ALONE)
    errors = {name: off(found, name, case) for name, case in cases.items()}
    assert too_far(errors) == {}
    assert found.usd("screens, cut", "trimming/cap-tool-results", "saved_usd") == 0
    assert found.usd("screens and text, cut", "trimming/cap-tool-results", "saved_usd") > 0
    results = found.x.tool_calls.filter(pl.col("run_id").str.starts_with("screens/"))[
        "result_tokens"
    ].drop_nulls()
    # A picture of 69 x 40 patches, and what stands around it.
    assert results.is_between(69 * 40, 69 * 40 + 60).all()


def many_tools(name: str, model: str = SONNET46, **more: Any) -> Calls:
    """Loops whose first prompt is all but definitions of tools."""
    return terse(loops(name, model=model, n_tools=30, turns=6, **more))


def definitions() -> dict[str, Case]:
    found: dict[str, Calls] = {}
    for model in MODELS:
        found[f"{model} unmarked"] = many_tools(f"{model} unmarked", model, runs=1)
        found[f"{model} marked"] = marked(many_tools(f"{model} marked", model, runs=3))
    for model in (OPUS45, HAIKU45):
        found[f"{model} long"] = marked(many_tools(f"{model} long", model, runs=1, result=5000))
    found["an hour"] = marked(many_tools("an hour", gap_s=900), "1h")
    # What is left is too short to be cached, so that nothing is deferred.
    found["too short"] = marked(loops("too short", model=OPUS45, n_tools=20, turns=6))
    name = "trimming/defer-unused-tools"
    return {key: Case(name, calls, [deferred(calls)]) for key, calls in found.items()}


def test_tools_that_are_deferred_save_what_was_foreseen(tmp_path: Path) -> None:
    cases = definitions()
    found = read_cases(tmp_path, cases, TRIMMED_ALONE)
    assert too_far({name: off(found, name, case) for name, case in cases.items()}) == {}
    assert found.usd("too short", "trimming/defer-unused-tools", "saved_usd") == 0


def test_definitions_beside_other_text_are_estimates(tmp_path: Path) -> None:
    """The log has the tokens of the prompt; those of its definitions are split off by what each text looks like."""
    cases = {}
    for model in MODELS:
        calls = loops(f"prose {model}", model=model, n_tools=20, turns=6, system=3000)
        cases[f"prose {model}"] = Case("trimming/defer-unused-tools", calls, [deferred(calls)])
    found = read_cases(tmp_path, cases, TRIMMED_ALONE)
    for name, case in cases.items():
        was, bill = usd(found.logs[name]), usd(lines(case.mended[0]))
        assert foreseen(found, name, case) == pytest.approx(float(bill), abs=0.1 * float(was - bill)), name


def single(name: str, model: str = SONNET46, runs: int = 10, **more: Any) -> Calls:
    shape: dict[str, Any] = {"apart_s": 20, "system": 3000} | more
    return shots(loops(name, model=model, runs=runs, turns=1, **shape))


def single_shots() -> dict[str, Calls]:
    found = {f"{model} unmarked": single(f"{model} unmarked", model) for model in MODELS}
    for model in MODELS:
        found[f"{model} marked"] = for_system(single(f"{model} marked", model, system=5000))
    found["no tools"] = for_system([call.told(tools=[]) for call in single("no tools")])
    return found


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> Told:
    waited = {
        "a tool loop": loops("a tool loop", runs=10, turns=2, apart_s=20),
        "waits for a tool": loops("waits for a tool", runs=10, turns=1, apart_s=20),
        "alone": single("alone", runs=4, apart_s=2000),
        "of an agent": single("of an agent"),
    }
    logs = {name: lines(calls) for name, calls in (single_shots() | waited).items()}
    logs["of an agent"] = [line | {"parent_run_id": "a tool loop/0"} for line in logs["of an agent"]]
    path = write(tmp_path_factory.mktemp("b") / "c.jsonl", *(line for log in logs.values() for line in log))
    return told(path, logs, PACKED)


def test_a_batch_costs_half_of_each_token(batches: Told) -> None:
    columns = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_tokens")
    for name in single_shots():
        assert batches.usd(name, "batching/async") * 2 == usd(batches.logs[name])
        for column in columns:
            assert batches.usd(name, "batching/async", column) == batches.usd(name, "as_billed", column)


def test_what_somebody_waits_for_is_not_batched(batches: Told) -> None:
    waited = batches.scenarios.filter(~pl.col("task").is_in(list(single_shots())))
    assert waited["task"].n_unique() == 4
    rows = waited.filter(pl.col("scenario").str.starts_with("batching"))
    assert rows["saved_usd"].unique().to_list() == [0]


def test_requests_of_a_person_are_no_single_shots(batches: Told) -> None:
    x = batches.x
    told = [
        batching.single_shots(x.turns, x.runs.with_columns(interactive=yes), x.logged_requests.steps).height
        for yes in (pl.lit(value=False), pl.lit(value=True))
    ]
    assert told == [10 * len(single_shots()) + 4, 0]


def test_packed_items_cost_what_was_foreseen(batches: Told) -> None:
    """A prefix that was never cached has no tokens in the bill: there its estimate shows."""
    cases = {n: Case("batching/pack-items", calls, [packed(calls, 5)]) for n, calls in single_shots().items()}
    errors = {name: off(batches, name, case) for name, case in cases.items()}
    assert too_far({name: e for name, e in errors.items() if "unmarked" not in name}) == {}
    for name in (name for name in cases if "unmarked" in name):
        was, bill = usd(batches.logs[name]), usd(lines(cases[name].mended[0]))
        saved = batches.usd(name, "batching/pack-items", "saved_usd")
        assert saved == pytest.approx(was - bill, rel=Decimal("0.01")), name


EVERYTHING = Settings(
    trimming=Trimming(tool_result_max_tokens=CAP),
    routing=Routing(force=HAIKU45),
    batching=Batching(items_per_context=5),
)


@pytest.mark.parametrize("model", fewer([SONNET46, OPUS45], 1))
def test_everything_together_costs_what_was_foreseen(model: str, tmp_path: Path) -> None:
    loop: dict[str, Calls] = {
        "one run": many_tools("one run", model, runs=1, result=1500),
        "three runs": many_tools("three runs", model, runs=3, result=1500),
        "slow": many_tools("slow", model, runs=2, result=1500, gap_s=900),
    }
    single_runs = for_system(single("single", model, system=6000, n_tools=1))
    found = read(tmp_path, loop | {"single": single_runs}, EVERYTHING)
    errors = {}
    for name, calls in loop.items():
        fixed = on_model(deferred(capped(calls, CAP)), HAIKU45)
        bill = min(usd(lines(marked(fixed, ttl))) for ttl in ("5m", "1h"))
        errors[name] = float(found.usd(name, "all") / bill) - 1
    half = usd(lines(packed(on_model(single_runs, HAIKU45), 5))) / 2
    errors["single"] = float(found.usd("single", "all") / half) - 1
    assert too_far(errors) == {}
    assert all(found.usd(name, "all") < found.usd(name, "as_billed") / 8 for name in errors)


def test_what_is_mended_is_not_mended_again(tmp_path: Path) -> None:
    calls = loops("cut", turns=5, result=1500)
    with analyzed(write(tmp_path / "c.jsonl", *lines(calls))) as x:
        bench = Workspace(x, replace(EVERYTHING))
        routes = Routes(bench)
        sets = Sets(bench, ["trimming", "routing"], routes)
        part = ["cap-tool-results"]
        (short,) = bench.done([sets.trimmed(part)])
        assert short is not bench.plan
        tokens = (
            pl.when(kind="tool_result").then(pl.min_horizontal("tokens", pl.lit(CAP))).otherwise("tokens")
        )
        left = replace(bench.trimming_inputs, blocks=bench.trimming_inputs.blocks.with_columns(tokens=tokens))
        assert bench.done([trimming.trimmed(short, left, part)])[0] is short
        (moved,) = routes.routed(short, routes.moves_to(short, HAIKU45))
        assert moved.steps["model"].unique().to_list() == [HAIKU45]
        assert routes.moves_to(moved, HAIKU45).is_empty()


@pytest.mark.parametrize("settings", [TRIMMED, EVERYTHING])
def test_the_log_of_what_was_mended_has_nothing_left_to_mend(settings: Settings, tmp_path: Path) -> None:
    calls = marked(on_model(deferred(capped(many_tools("mended", result=1500), CAP - 10)), HAIKU45))
    found = read(tmp_path, {"mended": calls}, settings)
    parts = ("trimming/cap-tool-results", "trimming/defer-unused-tools", "trimming")
    assert [found.usd("mended", part, "saved_usd") for part in parts] == [0, 0, 0]
    if settings.routing.force:
        assert found.usd("mended", "routing", "saved_usd") == 0


def test_with_no_lever_there_is_only_the_bill(tmp_path: Path) -> None:
    off = Settings(caching=Caching(enabled=False), trimming=Trimming(enabled=False),
                   routing=Routing(enabled=False), batching=Batching(enabled=False))  # fmt: skip
    found = read(tmp_path, {"off": loops("off", turns=3)}, off)
    assert found.scenarios["scenario"].unique().to_list() == ["as_billed"]
    assert found.usd("off", "as_billed") == usd(found.logs["off"])
