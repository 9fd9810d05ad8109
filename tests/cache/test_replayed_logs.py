"""The replay of logs with full requests agrees with the billed reads, to the token."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from applied import Told, alone, read
from applied import told as priced
from logs import Json, write
from mishaps import varying
from workloads import HAIKU45, MODELS, OPUS45, OPUS48, SECOND, SONNET46, Call, Calls, lines, loops, marked

WRITES: list[Any] = ["cache_write_5m_tokens", "cache_write_1h_tokens"]
FIVE: Json = {"cache_control": {"type": "ephemeral"}}
HOUR: Json = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def automatic(calls: Calls) -> Calls:
    return [call.told(**FIVE) for call in calls]


def with_tools_marked(calls: Calls, mark: Json = FIVE) -> Calls:
    """A mark more, at the end of the tools."""

    def tools(call: Call) -> list[Json]:
        *first, last = call.request["tools"]
        return [*first, last | mark]

    return [call.told(tools=tools(call)) for call in calls]


def with_hour_before(calls: Calls) -> Calls:
    """An hour for tools and system prompt, five minutes for the messages."""
    return [
        call.told(system=[call.request["system"][0] | HOUR])
        for call in with_tools_marked(marked(calls), HOUR)
    ]


def with_history_marked(calls: Calls) -> Calls:
    """Four marks: tools, system prompt, the last answer but one of the tools, and the end."""

    def messages(call: Call) -> list[Json]:
        told = list(call.request["messages"])
        if len(told) > 2:
            *content, last = told[-3]["content"]
            told[-3] = told[-3] | {"content": [*content, last | FIVE]}
        return told

    return [call.told(messages=messages(call)) for call in with_tools_marked(marked(calls))]


def at_once(calls: Calls, every_s: float = 0) -> Calls:
    """The runs side by side: each turn of all of them begins at nearly the same time."""
    begin = {call.run: call.at_us for call in reversed(calls)}
    runs = sorted(begin)
    return [
        replace(call, at_us=call.at_us - begin[call.run] + round(runs.index(call.run) * every_s * SECOND))
        for call in calls
    ]


def by_turns(calls: Calls) -> Calls:
    """Another model with every third call."""
    models = (SONNET46, SONNET46, OPUS48)
    return [call.told(model=models[n % 3]) for n, call in enumerate(calls)]


WORKLOADS: dict[str, Callable[[str], Calls]] = {
    "automatic": lambda name: automatic(loops(name, runs=3)),
    "automatic, long pauses": lambda name: automatic(loops(name, gap_s=250)),
    "automatic and the system prompt": lambda name: automatic(
        [call.told(system=[call.request["system"][0] | FIVE]) for call in loops(name)]
    ),
    "tools, system prompt and end": lambda name: with_tools_marked(marked(loops(name, runs=3))),
    "an hour before five minutes": lambda name: with_hour_before(loops(name, runs=3, turns=8, gap_s=290)),
    "four marks": lambda name: with_history_marked(loops(name, runs=3)),
    "over twenty blocks a turn": lambda name: marked(loops(name, turns=6, wide=12, result=60)),
    "over twenty blocks a turn, marked between": lambda name: marked(
        loops(name, turns=6, wide=12, result=60), between=True
    ),
    "side by side": lambda name: marked(at_once(loops(name, runs=4), 0.5)),
    "at the same moment": lambda name: marked(at_once(loops(name, runs=4))),
    "several models": lambda name: marked(by_turns(loops(name, runs=2, turns=12))),
    "around the minimum": lambda name: marked(loops(name, model=HAIKU45, system=300, turns=12)),
    "system prompt below the minimum": lambda name: marked(loops(name, model=OPUS45, runs=3, system=1500)),
    "a value that comes back": lambda name: with_tools_marked(
        marked(varying(loops(name, runs=3), "number", "system[0].text", per_run=True).before)
    ),
    "forty minutes": lambda name: marked(loops(name, runs=3, gap_s=2400), "1h"),
} | {model: lambda name, model=model: marked(loops(name, model=model, runs=3)) for model in MODELS}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return read(
        tmp_path_factory.mktemp("replayed"),
        {name: make(name) for name, make in WORKLOADS.items()},
        alone("caching"),
    )


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_read_is_foreseen(told: Told, name: str) -> None:
    tasks = told.x.runs.select("run_id", "task")
    mine = told.x.agreement.turns.join(tasks, on="run_id").filter(task=name)
    off = mine.filter(pl.col("unexplained_tokens") != 0)
    assert off.select("run_id", "turn", "replay_read_tokens", "unexplained_tokens").rows() == []
    assert mine.height == len(told.logs[name])


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_write_is_foreseen(told: Told, name: str) -> None:
    mine = told.x.agreement.turns.join(
        told.x.turns.filter(task=name).select("run_id", "turn", *WRITES), on=["run_id", "turn"]
    )
    off = mine.filter(pl.col("replay_write_tokens") != pl.sum_horizontal(WRITES))
    assert off.select("run_id", "turn", "replay_write_tokens").rows() == []


def test_what_calls_outside_the_log_had_cached_is_taken_as_given(tmp_path: Path) -> None:
    """A run is left out of the log whose shared prefix the next ones read."""
    log = [line for line in lines(marked(loops("outside", runs=3))) if line["run_id"] != "outside/0"]
    agreement = priced(write(tmp_path / "calls.jsonl", *log), settings=alone("caching")).x.agreement
    assert log[0]["response"]["usage"]["cache_read_input_tokens"] > 0
    assert agreement.exact == agreement.compared == len(log) - 1
    assert agreement.turns["disagreement"].null_count() == len(log)


def test_a_call_left_out_in_the_middle_is_told(tmp_path: Path) -> None:
    """No prompt in the log says where the prefix ends that was read."""
    log = lines(marked(loops("hidden", runs=1, wide=3)))
    del log[4:6]
    agreement = priced(write(tmp_path / "calls.jsonl", *log), settings=alone("caching")).x.agreement
    assert agreement.turns["disagreement"].to_list() == [None] * 4 + ["hidden-call"] + [None] * 3
