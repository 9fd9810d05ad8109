"""Sub-agents: runs of their own under their parent, wherever their lines stand, and billed once."""

import json
from pathlib import Path
from typing import Any

from logs import (
    HAIKU,
    OPUS,
    Json,
    assistant,
    at,
    message,
    pair,
    progress,
    streamed,
    tool_result,
    tool_use,
    usage,
    usd,
    user,
    write,
)
from seen import Seen, see, see_each

MAIN = usage(10, read=100, out=5)
SUB = usage(3, read=50, w5m=20, out=7)
MAIN_USD = usd(OPUS, **{"in": 10}, read=100, out=5)
SUB_USD = usd(HAIKU, **{"in": 3}, read=50, w5m=20, out=7)


def sub(message_id: str, agent: str | None = "a1", **more: object) -> Json:
    told = {} if agent is None else {"agentId": agent}
    return assistant(message_id, SUB, model=HAIKU, isSidechain=True) | told | more


def launch(agent: str = "a1", kind: str = "explorer") -> list[Json]:
    call = tool_use(f"toolu_{agent}", "Task", subagent_type=kind, prompt="look")
    return [
        user("start", parentUuid=None, uuid="u1", timestamp=at(0)),
        assistant("msg_m1", MAIN, content=[call], uuid="u2", timestamp=at(1)),
        user([tool_result(f"toolu_{agent}", "found")], uuid="u3", timestamp=at(60),
             toolUseResult={"agentId": agent, "totalTokens": 73, "usage": SUB}),
        assistant("msg_m2", MAIN, uuid="u4", timestamp=at(61)),
    ]  # fmt: skip


def under_parent(seen: Seen, run_id: str, agent: str) -> None:
    row = seen.run(run_id)
    assert (row["parent_run_id"], row["root_run_id"], row["agent"]) == ("s1", "s1", agent)
    assert seen.run("s1")["parent_run_id"] is None
    assert seen.usd == 2 * MAIN_USD + row["n_turns"] * SUB_USD


def test_own_file_beside_the_parent(tmp_path: Path) -> None:
    write(tmp_path / "s1.jsonl", *launch())
    write(tmp_path / "agent-a1.jsonl", sub("msg_a1"), sub("msg_a1"), sub("msg_a2"))
    under_parent(see(tmp_path), "s1/agent-a1", "explorer")


def test_own_file_in_the_folder_of_the_session(tmp_path: Path) -> None:
    write(tmp_path / "s1.jsonl", *launch()[:2])
    folder = tmp_path / "s1" / "subagents"
    write(folder / "agent-a1.jsonl", sub("msg_a1"), sub("msg_a2"))
    (folder / "agent-a1.meta.json").write_text(json.dumps({"agentType": "code-reviewer"}))
    seen = see(tmp_path)
    assert (seen.reading.files, seen.reading.skipped) == (2, [])
    row = seen.run("s1/agent-a1")
    assert (row["parent_run_id"], row["agent"], row["task"], row["n_turns"]) == (
        "s1", "code-reviewer", "agent:code-reviewer", 2)  # fmt: skip


def test_broken_meta_files(tmp_path: Path) -> None:
    broken = ["", "[]", "{", '{"agentType": 5}', '{"agentType": ""}', "\x00", "[" * 100_000]
    for n, meta in enumerate(broken):
        write(tmp_path / f"{n}" / "agent-a1.jsonl", sub(f"msg_a{n}", sessionId=f"s{n}"))
        (tmp_path / f"{n}" / "agent-a1.meta.json").write_text(meta)
    seen = see(tmp_path)
    for n, meta in enumerate(broken):
        run = seen.run(f"s{n}/agent-a1")
        assert run["agent"] == "sub-agent", meta[:20]
    assert seen.usd == len(broken) * SUB_USD


def test_odd_agent_ids(tmp_path: Path) -> None:
    odd: list[Any] = ["../x", "a/b", "", ".", "..", "x" * 5000, "nul\x00", "é", 5, [], {"a": 1}]
    lines = {
        repr(a): [sub("msg_a1") | {"agentId": a, "parentUuid": None}, assistant("msg_m1", MAIN)] for a in odd
    }
    for name, turns in see_each(tmp_path, lines).items():
        assert turns["usd"].sum() == SUB_USD + MAIN_USD, name
        assert turns["run_id"].n_unique() == 2, name


def test_own_file_without_its_parent(tmp_path: Path) -> None:
    seen = see(write(tmp_path / "agent-a1.jsonl", sub("msg_a1")))
    row = seen.run("s1/agent-a1")
    assert (row["parent_run_id"], row["root_run_id"], seen.usd) == ("s1", "s1", SUB_USD)


def test_inline_with_agent_ids(tmp_path: Path) -> None:
    lines = launch()
    mixed = [*lines[:2], sub("msg_a1"), sub("msg_b1", "b2"), sub("msg_a2"), sub("msg_b2", "b2"), *lines[2:]]
    seen = see(write(tmp_path / "s1.jsonl", *mixed))
    under_parent_runs = {r: seen.run(r)["n_turns"] for r in seen.run_ids()}
    assert under_parent_runs == {"s1": 2, "s1/agent-a1": 2, "s1/agent-b2": 2}
    assert seen.usd == 2 * MAIN_USD + 4 * SUB_USD


def test_inline_without_agent_ids(tmp_path: Path) -> None:
    def thread(n: int) -> list[Json]:
        return [
            user("look", isSidechain=True, parentUuid=None, uuid=f"s{n}"),
            sub(f"msg_{n}a", None, parentUuid=f"s{n}", uuid=f"s{n}a"),
            sub(f"msg_{n}b", None, parentUuid=f"s{n}a", uuid=f"s{n}b"),
        ]

    lines = launch()
    seen = see(write(tmp_path / "s1.jsonl", *lines[:2], *thread(1), *thread(2), *lines[2:]))
    runs = [r for r in seen.run_ids() if r != "s1"]
    assert len(runs) == 2
    assert {seen.run(r)["parent_run_id"] for r in runs} == {"s1"}
    assert [seen.run(r)["n_turns"] for r in runs] == [2, 2]
    assert seen.usd == 2 * MAIN_USD + 4 * SUB_USD


def test_inline_without_agent_ids_in_parallel(tmp_path: Path) -> None:
    first = [user("a", isSidechain=True, parentUuid=None, uuid="x0"), sub("msg_x1", None, parentUuid="x0", uuid="x1"),
             sub("msg_x2", None, parentUuid="x1", uuid="x2")]  # fmt: skip
    second = [user("b", isSidechain=True, parentUuid=None, uuid="y0"), sub("msg_y1", None, parentUuid="y0", uuid="y1"),
              sub("msg_y2", None, parentUuid="y1", uuid="y2")]  # fmt: skip
    mixed = [line for both in zip(first, second, strict=True) for line in both]
    seen = see(write(tmp_path / "s1.jsonl", *launch()[:2], *mixed))
    assert seen.usd == MAIN_USD + 4 * SUB_USD
    runs = {frozenset(seen.column("message_id", r)) for r in seen.run_ids() if r != "s1"}
    assert runs == {frozenset({"msg_x1", "msg_x2"}), frozenset({"msg_y1", "msg_y2"})}


def test_in_progress_lines_only(tmp_path: Path) -> None:
    lines = launch()
    inner = [sub("msg_a1", None), user("see", isSidechain=True), sub("msg_a2", None), sub("msg_a2", None)]
    seen = see(write(tmp_path / "s1.jsonl", *lines[:2], *(progress(i) for i in inner), *lines[2:]))
    under_parent(seen, "s1/agent-a1", "explorer")
    assert seen.run("s1/agent-a1")["n_turns"] == 2


def test_in_progress_lines_and_in_its_own_file(tmp_path: Path) -> None:
    lines = launch()
    shown = [sub(f"msg_a{n}", None) for n in range(3)]
    for line in shown:
        line["message"] |= {"usage": SUB | {"output_tokens": 1}, "stop_reason": None}
    write(tmp_path / "s1.jsonl", *lines[:2], *(progress(s) for s in shown), *lines[2:])
    write(tmp_path / "s1" / "subagents" / "agent-a1.jsonl", *(sub(f"msg_a{n}") for n in range(4)))
    seen = see(tmp_path)
    under_parent(seen, "s1/agent-a1", "explorer")
    assert seen.run("s1/agent-a1")["n_turns"] == 4
    assert set(seen.column("usage_from")) == {"reported"}


def test_odd_progress_lines(tmp_path: Path) -> None:
    odd: list[Any] = [
        None,
        [],
        "agent_progress",
        {"type": "agent_progress"},
        {"type": "agent_progress", "message": []},
        {"type": "agent_progress", "message": {"message": 5}, "agentId": "a1"},
        {"type": "bash_progress", "output": "x"},
        {"type": "agent_progress", "agentId": [], "message": {"type": "assistant"}},
        {
            "type": ["agent_progress"],
            "agentId": "a1",
            "message": {"type": "assistant", "message": {"usage": []}},
        },
    ]
    lines = {repr(d): [{"type": "progress", "sessionId": "s1", "data": d}, *launch()] for d in odd}
    for name, turns in see_each(tmp_path, lines).items():
        assert turns["usd"].sum() == 2 * MAIN_USD, name


def test_a_call_of_a_sub_agent_that_its_parent_logs_too(tmp_path: Path) -> None:
    write(tmp_path / "s1.jsonl", *launch(), assistant("msg_a1", SUB, model=HAIKU))
    write(tmp_path / "agent-a1.jsonl", sub("msg_a1"), sub("msg_a2"))
    seen = see(tmp_path)
    assert seen.usd == 2 * MAIN_USD + 2 * SUB_USD
    assert {r: seen.run(r)["n_turns"] for r in seen.run_ids()} == {"s1": 3, "s1/agent-a1": 1}


def test_sub_agents_of_a_stream(tmp_path: Path) -> None:
    lines = [
        streamed("msg_m1", MAIN, content=[tool_use("toolu_1", "Task", subagent_type="explorer")]),
        streamed("msg_a1", SUB, model=HAIKU, parent_tool_use_id="toolu_1"),
        streamed("msg_a2", SUB, model=HAIKU, parent_tool_use_id="toolu_1"),
        streamed("msg_m2", MAIN),
    ]
    under_parent(see(write(tmp_path / "s.jsonl", *lines)), "s1/agent-toolu_1", "explorer")


def test_sub_agents_of_a_forked_session_stay_with_the_first(tmp_path: Path) -> None:
    for session, more in (("s1", 0), ("s2", 1)):
        lines = [line | {"sessionId": session, "uuid": f"{session}{i}"} for i, line in enumerate(launch())]
        shown = [progress(sub("msg_a1", None)) | {"sessionId": session}]
        extra = [assistant("msg_m9", MAIN, sessionId=session, timestamp=at(90))] * more
        write(tmp_path / f"{session}.jsonl", *lines[:2], *shown, *lines[2:], *extra)
    seen = see(tmp_path)
    assert seen.usd == 3 * MAIN_USD + SUB_USD
    assert {r: seen.run(r)["n_turns"] for r in seen.run_ids()} == {"s1": 2, "s1/agent-a1": 1, "s2": 1}


def test_runs_under_runs_share_the_root(tmp_path: Path) -> None:
    lines = [
        pair(message("msg_1"), run_id="top"),
        pair(message("msg_2"), run_id="middle", parent_run_id="top", agent="planner"),
        pair(message("msg_3"), run_id="leaf", parent_run_id="middle", agent="worker"),
    ]
    seen = see(write(tmp_path / "p.jsonl", *lines))
    assert {r: seen.run(r)["root_run_id"] for r in seen.run_ids()} == dict.fromkeys(
        ("top", "middle", "leaf"), "top"
    )
    assert seen.run("leaf")["parent_run_id"] == "middle"


def test_runs_whose_parents_go_in_a_circle(tmp_path: Path) -> None:
    lines = [pair(message(f"msg_{a}"), run_id=a, parent_run_id=b) for a, b in ("ab", "ba", "cc")]
    assert see(write(tmp_path / "p.jsonl", *lines)).n_turns == 3
