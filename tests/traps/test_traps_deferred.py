"""Deferred tools: their definitions are in no prompt until a search found them, and then only those it found."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from applied import alone
from costscan.rulebook import load_rules
from costscan.scenarios import price_scenarios
from diagnosed import findings_of
from logs import OPUS, Json, assistant, message, pair, text, tool_result, tool_use, usage, usd, user, write
from seen import analyzed, hold_prompts, see, see_blocks, see_each

SEARCH: Json = {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}
READ: Json = {"name": "Read", "description": "Read a file.", "input_schema": {"type": "object"}}
MANY = 12


def deferred(n: int, words: int = 300) -> Json:
    said = f"Tool {n} keeps records. " * words
    return {
        "name": f"mcp__srv__{n}",
        "description": said,
        "input_schema": {"type": "object"},
        "defer_loading": True,
    }


TOOLS = [SEARCH, READ, *(deferred(n) for n in range(MANY))]
REFERENCE: Json = {"type": "tool_reference", "tool_name": "mcp__srv__7"}
ASKED: Json = {"role": "user", "content": "What do the records say?"}

BY_THE_API: list[Json] = [
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": SEARCH["name"], "input": {"query": "records"}},
    {"type": "tool_search_tool_result", "tool_use_id": "srvtoolu_1",
     "content": {"type": "tool_search_tool_search_result", "tool_references": [REFERENCE]}},
    tool_use("toolu_1", "mcp__srv__7"),
]  # fmt: skip
SEARCHES: dict[str, tuple[list[Json], list[Json]]] = {
    "by the API": (BY_THE_API, [{"role": "user", "content": [tool_result("toolu_1", "42")]}]),
    "by the client": (
        [tool_use("toolu_1", "search")],
        [{"role": "user", "content": [tool_result("toolu_1", [REFERENCE])]}],
    ),
    "added": (
        [text("yes")],
        [{"role": "user", "content": "."},
         {"role": "system", "content": [
             {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "mcp__srv__7"}}]}],
    ),
}  # fmt: skip


def conversation(
    answer: list[Json], more: list[Json], tools: Sequence[Json] = TOOLS, size: int = 1000
) -> list[Json]:
    """Return the requests of a run: one that is answered by `answer`, one with `more`, and one after that."""
    first = [ASKED]
    second = [*first, {"role": "assistant", "content": answer}, *more]
    third = [*second, {"role": "assistant", "content": [text("42.")]}, {"role": "user", "content": "Sure?"}]
    prompts = [(size, first, answer), (2 * size, second, [text("42.")]), (3 * size, third, [text("Yes.")])]
    return [
        pair(
            message(f"msg_{n}", usage(tokens, out=20), content=said),
            sent,
            tools=list(tools),
            run_id="r1",
            task="t",
        )
        for n, (tokens, sent, said) in enumerate(prompts)
    ]


def definitions(blocks: pl.DataFrame) -> list[tuple[str, str, int, int]]:
    found = blocks.filter(kind="tool_def").sort("turn_in", "tool")
    return found.select("tool", "layer", "turn_in", "turn_out").rows()


@pytest.mark.parametrize("search", SEARCHES)
def test_what_a_search_found_is_in_the_prompts_from_there_on(search: str, tmp_path: Path) -> None:
    seen = see_blocks(write(tmp_path / "r.jsonl", *conversation(*SEARCHES[search])))
    always = [("Read", "tools", 0, 3), (SEARCH["name"], "tools", 0, 3)]
    assert definitions(seen.blocks) == [*always, ("mcp__srv__7", "messages", 1, 3)]
    # The definition is most of what is new in the second prompt.
    entered = seen.blocks.filter(turn_in=1).sort("tokens", descending=True)
    assert (entered["kind"][0], entered["tokens"][0] > 800) == ("tool_def", True)
    assert hold_prompts(seen) == 3
    assert seen.analysis.prefix_breaks.is_empty()


def test_what_no_search_found_is_in_no_prompt(tmp_path: Path) -> None:
    nothing = [
        BY_THE_API[0],
        BY_THE_API[1] | {"content": {"type": "tool_search_tool_search_result", "tool_references": []}},
    ]
    with analyzed(
        write(tmp_path / "r.jsonl", *conversation(nothing, [{"role": "user", "content": "Oh."}]))
    ) as x:
        blocks = x.blocks.collect()
        assert {tool for tool, *_ in definitions(blocks)} == {"Read", SEARCH["name"]}
        assert blocks.filter(turn_in=0)["tokens"].sum() == 1000
        assert not x.parts.filter(pl.col("part").str.starts_with("mcp__")).height
        saved = price_scenarios(x, alone("trimming")).scenarios.filter(scenario="trimming/defer-unused-tools")
        # What was deferred is not deferred again; the one tool that is not is sent three times for nothing.
        # Of the 1,000 tokens of the first prompt, 290 are what tool use adds whatever the tools.
        read_tokens = round(int(blocks.filter(kind="tool_def", tool="Read")["tokens"].sum()) * 0.71)
        assert saved["saved_usd"].sum() == usd(OPUS, **{"in": 3 * read_tokens})


def test_a_set_of_tools_that_are_deferred(tmp_path: Path) -> None:
    known: Json = {"type": "mcp_toolset", "mcp_server_name": "srv"}
    for config, want in (({"defer_loading": True}, set()), ({"defer_loading": False}, {None}), ({}, {None})):
        tools = [READ, known | {"default_config": config}]
        line = pair(message(used=usage(900, out=5)), tools=tools)
        seen = see_blocks(write(tmp_path / str(config) / "r.jsonl", line))
        assert set(seen.blocks.filter(kind="tool_def")["tool"]) == {"Read", *want}


def test_a_found_definition_is_not_deferred_again(tmp_path: Path) -> None:
    runs = [
        line | {"run_id": f"r{n}", "response": line["response"] | {"id": f"msg_{n}_{i}"}}
        for n in range(4)
        for i, line in enumerate(
            conversation(*SEARCHES["by the client"], [READ | {"name": "search"}, *TOOLS[2:]], 9000)
        )
    ]
    # The same tool, not deferred, is sent with every prompt of the other runs and never called.
    plain = [{**tool, "defer_loading": False} for tool in TOOLS]
    eager = [
        line | {"run_id": f"e{n}", "task": "e", "response": line["response"] | {"id": f"msg_e{n}_{i}"}}
        for n in range(4)
        for i, line in enumerate(
            conversation([text("yes")], [{"role": "user", "content": "So?"}], plain[1:], 9000)
        )
    ]
    rules = [rule for rule in load_rules() if rule.name == "unused-tool-definitions"]
    with analyzed(write(tmp_path / "r.jsonl", *runs, *eager)) as x:
        found = price_scenarios(x, alone("trimming")).scenarios.filter(scenario="trimming/defer-unused-tools")
        saved = dict(found.group_by(pl.col("run_id").str.head(1)).agg(pl.col("saved_usd").sum()).iter_rows())
        assert saved["r"] == 0 < saved["e"]
        assert set(findings_of(x, rules)["run_id"].str.head(1)) == {"e"}


def test_a_history_that_is_dropped_takes_what_was_found_with_it(tmp_path: Path) -> None:
    lines = conversation(*SEARCHES["by the client"])
    last = {"role": "user", "content": "This session is continued from a summary: the records say 42."}
    lines.append(pair(message("msg_3", usage(500, out=5)), [last], tools=TOOLS, run_id="r1", task="t"))
    seen = see_blocks(write(tmp_path / "r.jsonl", *lines))
    assert ("mcp__srv__7", "messages", 1, 3) in definitions(seen.blocks)


def test_a_search_does_not_part_a_run_without_an_id(tmp_path: Path) -> None:
    lines = conversation(*SEARCHES["by the API"])
    for line in lines:
        del line["run_id"]
    # The client sends the tool plainly once it was found.
    lines[2]["request"]["tools"][9] = {**deferred(7), "defer_loading": False}
    assert see(write(tmp_path / "r.jsonl", *lines)).runs["n_turns"].to_list() == [3]


def test_hostile_searches(tmp_path: Path) -> None:
    odd: list[Any] = [None, 5, [], ["x"], {}, "mcp__srv__nothing", "Read", "x" * 9999, True]
    cases: dict[str, list[Json]] = {}
    for n, name in enumerate(odd):
        result = tool_result("toolu_1", [{"type": "tool_reference", "tool_name": name}, REFERENCE, REFERENCE])
        added = {"type": "tool_addition", "tool": {"name": name}}
        more = [{"role": "user", "content": [result, added, {"type": "tool_addition", "tool": name}]}]
        cases[f"result {n}"] = conversation([tool_use("toolu_1", "search")], more)
        tools = [SEARCH, READ, deferred(7) | {"name": name}, deferred(8) | {"defer_loading": name or "true"}]
        cases[f"tools {n}"] = conversation([tool_use("toolu_1", "search")], more, tools)
    for name, lines in cases.items():
        for line in lines:
            line["run_id"] = name
    found = see_each(tmp_path, cases, blocks=True)
    assert all(turns.height == 3 for turns in found.values())
    blocks = found.seen.blocks
    for n in range(len(odd)):
        of_run = blocks.filter(pl.col("run_id") == f"result {n}")
        assert [tool for tool, layer, *_ in definitions(of_run) if layer == "messages"] == ["mcp__srv__7"]
    # What does not say `true` is not deferred.
    eager = blocks.filter(kind="tool_def", layer="tools", tool="mcp__srv__8")
    assert set(eager["run_id"]) == {f"tools {n}" for n, name in enumerate(odd) if name is not True}


def test_searches_that_found_other_tools_gave_other_results(tmp_path: Path) -> None:
    lines: list[Json] = [user()]
    for n, name in enumerate(["a", "b", "b"]):
        lines.append(assistant(f"msg_{n}", content=[tool_use(f"toolu_{n}", "ToolSearch", query=str(n))]))
        lines.append(user([tool_result(f"toolu_{n}", [{"type": "tool_reference", "tool_name": name}])]))
    seen = see_blocks(write(tmp_path / "s.jsonl", *lines, assistant("msg_9")))
    a, b, again = seen.blocks.filter(kind="tool_result").sort("turn_in")["content_hash"]
    assert a != b == again


def test_a_snapshot_of_a_transcript_leaves_deferred_tools_out(tmp_path: Path) -> None:
    snapshot = {"type": "prompt_snapshot", "systemPrompt": ["You help."], "tools": [READ, deferred(1)]}
    line = {"type": "attachment", "sessionId": "s1", "attachment": snapshot}
    seen = see_blocks(write(tmp_path / "s.jsonl", user(), line, assistant("msg_1", usage(900, out=5))))
    assert [tool for tool, *_ in definitions(seen.blocks)] == ["Read"]
