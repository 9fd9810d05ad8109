"""Pairs without run ids, put together to runs by what their requests share; odd requests hide no call."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from logs import OPUS, Json, at, message, pair, text, tool_result, tool_use, usage, usd, write
from seen import hold_prompts, see, see_blocks, see_each

ONE = usd(OPUS, **{"in": 10}, out=5)


def conversation(start: str, n: int) -> list[Json]:
    """The messages of the n-th request of a conversation: each has a tool call and its result more."""
    messages: list[Json] = [{"role": "user", "content": start}]
    for i in range(n - 1):
        messages.append({"role": "assistant", "content": [tool_use(f"{start}-{i}", "Bash", n=i)]})
        messages.append({"role": "user", "content": [tool_result(f"{start}-{i}", "r" * 200)]})
    return messages


def chained(start: str, n: int, **more: Any) -> Json:
    answer = message(f"msg-{start}-{n}{more.pop('again', '')}", usage(100 + 200 * n, out=30),
                     content=[tool_use(f"{start}-{n - 1}", "Bash", n=n - 1)])  # fmt: skip
    return pair(answer, conversation(start, n), timestamp=at(n), system="You help.", **more)


def runs_of(seen: Any) -> list[list[str]]:
    return sorted(seen.column("message_id", run) for run in seen.run_ids())


def test_two_interleaved_conversations_without_run_ids(tmp_path: Path) -> None:
    lines = [chained(start, n) for n in range(1, 6) for start in ("fix", "build")]
    seen = see_blocks(write(tmp_path / "p.jsonl", *lines))
    assert runs_of(seen) == [[f"msg-{start}-{n}" for n in range(1, 6)] for start in ("build", "fix")]
    assert seen.usd == 2 * sum(usd(OPUS, **{"in": 100 + 200 * n}, out=30) for n in range(1, 6))
    assert hold_prompts(seen) == 10
    for run in seen.run_ids():
        assert seen.growth.filter(run_id=run)["carried_tokens"].to_list() == [0, 300, 500, 700, 900]


def test_a_retry_without_run_ids(tmp_path: Path) -> None:
    lines = [
        chained("fix", 1),
        chained("fix", 2),
        chained("fix", 2, again="b"),
        chained("fix", 3),
        chained("fix", 4),
    ]
    seen = see(write(tmp_path / "p.jsonl", *lines))
    assert seen.n_turns == 5
    assert runs_of(seen) == [["msg-fix-1", "msg-fix-2", "msg-fix-2b", "msg-fix-3", "msg-fix-4"]]


def test_the_same_question_asked_many_times_is_many_runs(tmp_path: Path) -> None:
    lines = [pair(message(f"msg_{i}"), conversation("hi", 1), timestamp=at(i)) for i in range(5)]
    assert runs_of(see(write(tmp_path / "p.jsonl", *lines))) == [[f"msg_{i}"] for i in range(5)]


def test_a_branch_without_run_ids(tmp_path: Path) -> None:
    other = conversation("fix", 2)
    other[-1] = {"role": "user", "content": "no, try this"}
    lines = [
        chained("fix", 1),
        chained("fix", 2),
        pair(message("msg-branch"), other, system="You help."),
        chained("fix", 3),
    ]
    seen = see(write(tmp_path / "p.jsonl", *lines))
    assert runs_of(seen) == [["msg-branch"], ["msg-fix-1", "msg-fix-2", "msg-fix-3"]]


def test_a_moved_cache_marker_breaks_no_chain(tmp_path: Path) -> None:
    lines = [chained("fix", n) for n in range(1, 4)]
    for line in lines:
        last = line["request"]["messages"][-1]
        last["content"] = [text(last["content"])] if isinstance(last["content"], str) else last["content"]
        last["content"][-1] = last["content"][-1] | {"cache_control": {"type": "ephemeral"}}
    seen = see_blocks(write(tmp_path / "p.jsonl", *lines))
    assert len(seen.run_ids()) == 1
    assert hold_prompts(seen) == 3


def test_an_edited_history_of_a_run_leaves_and_enters(tmp_path: Path) -> None:
    edited = conversation("fix", 3)
    edited[2] = {"role": "user", "content": [tool_result("fix-0", "[cleared]")]}
    lines = [chained("fix", 1, run_id="r"), chained("fix", 2, run_id="r"),
             pair(message("msg-3", usage(520, out=5)), edited, run_id="r", system="You help.")]  # fmt: skip
    seen = see_blocks(write(tmp_path / "p.jsonl", *lines))
    results = seen.blocks.filter(kind="tool_result").sort("turn_in", "turn_out")
    assert results.select("turn_in", "turn_out").rows() == [(1, 2), (2, 3), (2, 3)]
    assert seen.growth["dropped_tokens"].to_list()[2] > 0


def test_the_same_run_id_in_two_files_of_unrelated_runs(tmp_path: Path) -> None:
    for name, start in (("a", "fix"), ("b", "build")):
        write(tmp_path / f"{name}.jsonl", *(chained(start, n, run_id="run-1") for n in (1, 2, 3)))
    seen = see(tmp_path)
    assert seen.usd == 2 * sum(usd(OPUS, **{"in": 100 + 200 * n}, out=30) for n in (1, 2, 3))
    assert seen.run_ids() == ["run-1"]
    assert seen.column("turn", "run-1") == list(range(6))


def test_files_of_one_name_without_run_ids_or_message_ids(tmp_path: Path) -> None:
    for folder in "ab":
        write(tmp_path / folder / "calls.jsonl", pair(message(None), conversation(folder, 1)))
    seen = see(tmp_path)
    assert (seen.n_turns, seen.usd) == (2, 2 * ONE)


ODD: list[Any] = [None, [], {}, "", 5, True, [[]], [5], [{"type": []}], {"role": []}, ["x"]]


def test_odd_run_ids(tmp_path: Path) -> None:
    odd = ["r", 0, *ODD]
    cases = {repr(r): [pair(message("msg_1"), run_id=r), pair(message("msg_2"), run_id="s1")] for r in odd}
    for name, turns in see_each(tmp_path, cases).items():
        assert turns["usd"].sum() == 2 * ONE, name
        assert turns["run_id"].n_unique() == 2, name


FIELDS = (
    "model",
    "messages",
    "system",
    "tools",
    "cache_control",
    "output_config",
    "role",
    "content",
    "text",
    "tool",
)


def odd_request(field: str, odd: Any) -> Json:
    """A pair with one odd field in its request."""
    said = [{"role": "user", "content": [text("hi")]}]
    line = pair(message("msg_1"), said, tools=[{"name": "T"}], system="s")
    asked = line["request"]
    if field in {"role", "content"}:
        asked["messages"][0][field] = odd
    elif field == "text":
        asked["messages"][0]["content"][0]["text"] = odd
    elif field == "tool":
        asked["tools"][0] = odd
    else:
        asked[field] = odd
    return line


def test_odd_requests_hide_no_call(tmp_path: Path) -> None:
    cases = {
        f"{field} {odd!r}": [odd_request(field, odd), pair(message("msg_2"))]
        for field in FIELDS for odd in ODD
    }  # fmt: skip
    cases |= {f"{odd!r}": [pair(message("msg_1")) | {"request": odd}, pair(message("msg_2"))] for odd in ODD}
    for name, turns in see_each(tmp_path, cases).items():
        assert turns["usd"].sum() == 2 * ONE, name


def test_nested_tool_definitions(tmp_path: Path) -> None:
    tools = [{"name": "T", "input_schema": "MARK"}]
    line = json.dumps(pair(message("msg_1"), tools=tools, system=[text("HALF")])).replace("HALF", "\\ud83d")
    depths = (500, 980, 995, 100_000)
    nested = {f"{n}": line.replace('"MARK"', "[" * n + "]" * n) for n in depths}
    told = see_each(tmp_path, {name: [line, pair(message("msg_2"))] for name, line in nested.items()})
    for name, turns in told.items():
        assert turns["usd"].sum() == 2 * ONE, name


def test_half_a_character_in_a_tool_definition(tmp_path: Path) -> None:
    line = json.dumps(pair(message("msg_1"), tools=[{"name": "HALF", "description": "HALF"}]))
    assert see(write(tmp_path / "p.jsonl", line.replace("HALF", "\\ud83d"))).usd == ONE


def test_the_whole_prompt_is_shown(tmp_path: Path) -> None:
    tools = [{"name": "Bash", "description": "runs " * 30}, {"name": "Read", "description": "reads " * 10}]
    line = pair(
        message("msg_1", usage(1000, out=5)), conversation("hi", 2), tools=tools, system=[text("be brief")]
    )
    seen = see_blocks(write(tmp_path / "p.jsonl", line))
    prompt = seen.blocks.filter(turn_in=0, turn_out=1)
    assert prompt["tokens"].sum() == 1000
    assert "hidden" not in prompt["kind"].to_list()
    assert prompt["layer"].to_list() == ["tools", "tools", "system", "messages", "messages", "messages"]
    assert Decimal(seen.usd) == usd(OPUS, **{"in": 1000}, out=5)
