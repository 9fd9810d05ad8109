"""Broken `progress` lines of a parent: what can be read of them is their sub-agent's, and counts once."""

import json
from itertools import count
from pathlib import Path

import pytest

from logs import HAIKU, OPUS, Json, assistant, at, progress, text, tool_result, usage, usd, user, write
from seen import see, see_blocks

MAIN = usage(10, read=100, out=5)
SUB = usage(3, read=50, w5m=20, out=7)
MAIN_USD = usd(OPUS, **{"in": 10}, read=100, out=5)
SUB_USD = usd(HAIKU, **{"in": 3}, read=50, w5m=20, out=7)
MARK = "MARK"
N = count()


def inner(message_id: str, says: str = "ok") -> Json:
    line = assistant(message_id, SUB, model=HAIKU, content=[text(says)], timestamp=at(9))
    return {key: line[key] for key in ("type", "message", "timestamp")} | {
        "uuid": f"in {message_id} {next(N)}"
    }


def told(line: Json, *before: Json, agent: str | None = "a1", hangs_on: str = "p0") -> str:
    """Return a progress line of version 2.1.9: the line inside, those before it, and what it belongs to."""
    outer: Json = {"parentUuid": hangs_on, "isSidechain": False} | progress(line)
    outer["data"] = {"message": line, "normalizedMessages": list(before), "type": "agent_progress"}
    if agent is not None:
        outer["data"] |= {"agentId": agent}
    return json.dumps(outer, separators=(",", ":"))


def session(*progress_lines: str) -> list[Json | str]:
    return [
        user("start", uuid="u1"),
        assistant("msg_m1", MAIN, uuid="u2"),
        *progress_lines,
        assistant("msg_m2", MAIN, uuid="u3"),
    ]


@pytest.mark.parametrize("damage", ['a "quote', '«cut»", oops', 'torn"}'])
def test_broken_text_inside_keeps_the_calls_in_the_sub_agent(tmp_path: Path, damage: str) -> None:
    whole, broken = told(inner("msg_a1")), told(inner("msg_a2", MARK), inner("msg_a1")).replace(MARK, damage)
    seen = see(write(tmp_path / "s1.jsonl", *session(whole, broken)))
    assert {r: seen.run(r)["n_turns"] for r in seen.run_ids()} == {"s1": 2, "s1/agent-a1": 2}
    assert seen.run("s1/agent-a1")["parent_run_id"] == "s1"
    assert seen.usd == 2 * MAIN_USD + 2 * SUB_USD


def test_the_tail_with_the_id_is_lost(tmp_path: Path) -> None:
    line = told(inner("msg_a1"), inner("msg_a0"), agent=None)
    cut = line[: line.index('"type":"agent_progress"')] + '"type":"agent_progress","prompt":"look'
    more = told(inner("msg_a2"), inner("msg_a1"), agent=None, hangs_on="p1")
    again = more[: more.index('"type":"agent_progress"')] + '"type":"agent_progress","prompt":"look'
    seen = see(write(tmp_path / "s1.jsonl", *session(cut, again)))
    assert {r: seen.run(r)["n_turns"] for r in seen.run_ids()} == {"s1": 2, "s1/agent-sidechain-1": 3}
    assert seen.usd == 2 * MAIN_USD + 3 * SUB_USD


def test_the_same_calls_in_the_own_file_count_once(tmp_path: Path) -> None:
    broken = told(inner("msg_a2", MARK), inner("msg_a1")).replace(MARK, 'a "quote')
    write(tmp_path / "s1.jsonl", *session(broken))
    own = {"isSidechain": True, "agentId": "a1"}
    write(tmp_path / "agent-a1.jsonl", *(assistant(f"msg_a{n}", SUB, model=HAIKU) | own for n in (1, 2)))
    seen = see(tmp_path)
    assert {r: seen.run(r)["n_turns"] for r in seen.run_ids()} == {"s1": 2, "s1/agent-a1": 2}
    assert seen.usd == 2 * MAIN_USD + 2 * SUB_USD


def test_results_told_before_are_not_sent_again(tmp_path: Path) -> None:
    """The lines before are repeated with other uuids, and only answers have an id of their own."""
    result = {key: v for key, v in user([tool_result("t1", "x" * 400)]).items() if key in {"type", "message"}}
    broken = told(inner("msg_a1", MARK), result).replace(MARK, 'a "quote')
    lines = [told(result), broken, told(inner("msg_a2"))]
    blocks = see_blocks(write(tmp_path / "s1.jsonl", *session(*lines))).blocks
    of_agent = blocks.filter(run_id="s1/agent-a1")
    assert (of_agent["kind"] == "tool_result").sum() == 1
    assert not (blocks.filter(run_id="s1")["kind"] == "tool_result").any()


def test_a_whole_line_glued_behind_stays_its_own(tmp_path: Path) -> None:
    broken = told(inner("msg_a1", MARK)).replace(MARK, 'a "quote')
    glued = broken + json.dumps(assistant("msg_m9", MAIN, uuid="u9"), separators=(",", ":"))
    seen = see(write(tmp_path / "s1.jsonl", *session(glued)))
    assert {r: seen.run(r)["n_turns"] for r in seen.run_ids()} == {"s1": 3, "s1/agent-a1": 1}
    assert seen.usd == 3 * MAIN_USD + SUB_USD
