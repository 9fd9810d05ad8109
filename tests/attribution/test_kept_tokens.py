"""Tool results are as long as they are, whatever else of the prompt is another with each call.

The results are counted by the slow reference that bills the calls, the runs read as logs.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from logs import OPUS, Json, message, pair, text, tool_result, tool_use, usage, write
from mishaps import PLACES, disordered, varying
from seen import see_blocks
from slow_cache import pieces
from workloads import SONNET46, Calls, lines, loops, marked, prose

TURNS = 9


def plain(name: str) -> Calls:
    return loops(name, model=SONNET46, runs=2, turns=TURNS)


def noted(name: str) -> Calls:
    """With another note of another length behind the system prompt of each call."""
    dice = random.Random(name)
    calls = plain(name)
    return [
        call.told(
            system=[*call.request["system"], text(f"Done so far: {prose(dice, dice.randrange(40, 100))}")]
        )
        for call in calls
    ]


def forgetting(name: str) -> Calls:
    """With only the last six messages behind the first one."""
    calls = plain(name)
    return [
        call.told(messages=[call.request["messages"][0], *call.request["messages"][1:][-6:]])
        for call in calls
    ]


def cleared(name: str) -> Calls:
    """With the results of all but the last two turns taken out."""
    out = []
    for call in plain(name):
        messages = [
            m
            if n == 0 or n >= len(call.request["messages"]) - 4 or m["role"] == "assistant"
            else m | {"content": [b | {"content": "[cleared]"} for b in m["content"]]}
            for n, m in enumerate(call.request["messages"])
        ]
        out.append(call.told(messages=messages))
    return out


WAYS: dict[str, Callable[[str], Calls]] = {
    "nothing varies": plain,
    "a time in the system prompt": lambda name: varying(plain(name), "timestamp", PLACES[0]).before,
    "a number in a tool": lambda name: varying(plain(name), "number", PLACES[1]).before,
    "an id in the first message": lambda name: varying(plain(name), "uuid", PLACES[2]).before,
    "tools in another order": lambda name: disordered(plain(name), "tools").before,
    "a note": noted,
    "what is older is forgotten": forgetting,
    "results are cleared": cleared,
}


AT_MOST = {"a note": 0.05, "results are cleared": 0.15}
"""What a note takes is an estimate; the stubs of cleared results are weighed a little short, one after another."""


def counted(calls: Calls) -> dict[str, int]:
    """The tokens of the results by the id of their call, when they first came in."""
    found: dict[str, int] = {}
    for call in calls:
        for said, size, _ in pieces(call.request):
            block = json.loads(said.partition(" ")[2])
            if block.get("type") == "tool_result" and block["content"] != "[cleared]":
                found.setdefault(block["tool_use_id"], size)
    return found


@pytest.mark.parametrize("way", WAYS)
def test_results_are_as_long_as_they_are(way: str, tmp_path: Path) -> None:
    calls = marked(WAYS[way](way))
    seen = see_blocks(write(tmp_path / "calls.jsonl", *lines(calls)))
    want = pl.DataFrame(list(counted(calls).items()), schema=["call_id", "want"], orient="row")
    results = seen.blocks.filter(kind="tool_result").unique("call_id", keep="first", maintain_order=True)
    both = results.join(want, on="call_id", how="inner")
    off = (both["tokens"] / both["want"] - 1).abs()
    assert both.height == 2 * (TURNS - 1)
    assert off.max() < AT_MOST.get(way, 0.03)  # type: ignore[operator]
    assert off.median() < AT_MOST.get(way, 0.026) / 2  # type: ignore[operator]


def test_a_block_that_varies_is_one_block(tmp_path: Path) -> None:
    calls = marked(varying(plain("one block"), "timestamp", PLACES[0]).before)
    seen = see_blocks(write(tmp_path / "calls.jsonl", *lines(calls)))
    system = seen.blocks.filter(layer="system", kind="system")
    assert system.select("turn_in", "turn_out").rows() == [(0, TURNS)] * 2
    assert seen.growth.filter(pl.col("turn") > 0)["dropped_tokens"].to_list() == [0] * 2 * (TURNS - 1)


def test_what_a_forced_tool_adds_is_no_part_of_a_result(tmp_path: Path) -> None:
    """Opus 4.8 takes 290 tokens for tool use, and 410 where a tool is forced, as here in the second request."""
    tool = {"name": "look", "description": "Looks at a file.", "input_schema": {"type": "object"}}
    messages: list[Json] = [{"role": "user", "content": "Look at three files. " * 50}]
    lines = []
    # Each turn brings 40 tokens of answer and a result of 300, 310, 320 tokens.
    for n, (tokens, choice) in enumerate(
        [(1000, "auto"), (1000 + 340 + 120, "any"), (1690, "auto"), (2050, "auto")]
    ):
        uses = [tool_use(f"t{n}", "look")]
        request: Json = {
            "model": OPUS,
            "tools": [tool],
            "tool_choice": {"type": choice},
            "messages": [*messages],
        }
        answer = message(f"m{n}", usage(tokens, out=40), content=uses)
        lines.append(pair(answer) | {"run_id": "r", "request": request})
        result = tool_result(f"t{n}", f"line {n} of a file " * 60)
        messages += [{"role": "assistant", "content": uses}, {"role": "user", "content": [result]}]
    blocks = see_blocks(write(tmp_path / "calls.jsonl", *lines)).blocks
    assert blocks.filter(kind="tool_result")["tokens"].to_list() == [300, 310, 320]
