"""Streams with partial messages: the events of a response finish the output that its lines leave open."""

from pathlib import Path
from typing import Any

from logs import HAIKU, OPUS, Json, streamed, tool_use, usage, usd, user, write
from seen import see, see_each

OPEN = usage(10, read=100, out=2)
DONE = usd(OPUS, **{"in": 10}, read=100, out=50)


def event(kind: str, **more: Any) -> Json:
    place = {name: more.pop(name) for name in ("parent_tool_use_id", "session_id") if name in more}
    return {
        "type": "stream_event",
        "session_id": "s1",
        "parent_tool_use_id": None,
        "event": {"type": kind} | more,
    } | place


def start(message_id: str, **more: Any) -> Json:
    return event("message_start", message={"id": message_id, "usage": OPEN}, **more)


def end(out: Any, **more: Any) -> Json:
    return event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": out}, **more)


def test_the_last_event_has_the_output(tmp_path: Path) -> None:
    lines = [
        start("msg_1"),
        streamed("msg_1", OPEN),
        end(20),
        streamed("msg_1", OPEN),
        end(50),
        event("message_stop"),
    ]
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert (seen.usd, seen.column("usage_from")) == (DONE, ["reported"])


def test_two_responses_after_each_other(tmp_path: Path) -> None:
    lines = [
        start("msg_1"),
        streamed("msg_1", OPEN),
        end(50),
        start("msg_2"),
        streamed("msg_2", OPEN),
        end(70),
    ]
    assert see(write(tmp_path / "s.jsonl", *lines)).column("output_tokens") == [50, 70]


def test_responses_of_a_session_and_its_sub_agent_at_once(tmp_path: Path) -> None:
    sub = {"parent_tool_use_id": "toolu_1"}
    lines = [
        start("msg_1"),
        streamed("msg_1", OPEN, content=[tool_use("toolu_1", "Task")]),
        start("msg_a", **sub),
        streamed("msg_a", OPEN, model=HAIKU, **sub),
        end(50),
        end(30, **sub),
    ]
    seen = see(write(tmp_path / "s.jsonl", *lines))
    assert dict(zip(seen.column("message_id"), seen.column("output_tokens"), strict=True)) == {
        "msg_1": 50,
        "msg_a": 30,
    }
    assert set(seen.column("usage_from")) == {"reported"}


def test_an_end_below_what_a_line_showed_takes_nothing_away(tmp_path: Path) -> None:
    lines = [start("msg_1"), streamed("msg_1", usage(10, read=100, out=50)), end(3)]
    assert see(write(tmp_path / "s.jsonl", *lines)).usd == DONE


def test_odd_events_hide_nothing(tmp_path: Path) -> None:
    odd: list[Any] = [None, [], {}, "x", 5, {"type": []}, {"type": "message_delta"}, {"type": "message_delta", "usage": []},
                      {"type": "message_start", "message": []}, {"type": "message_start", "message": {"id": []}},
                      {"type": "message_delta", "usage": {"output_tokens": "many"}}]  # fmt: skip
    cases = {}
    for inner in odd:
        broken = event("x") | {"event": inner}
        cases[repr(inner)] = [broken, start("msg_1"), broken, streamed("msg_1", OPEN), end(50), broken]
    for name, turns in see_each(tmp_path, cases).items():
        assert turns["input_tokens"].to_list() == [10], name
        assert turns["output_tokens"].to_list() in ([50], [2]), name


def test_lines_between_that_are_no_messages(tmp_path: Path) -> None:
    others: list[Json] = [
        {"type": "system", "subtype": "init", "session_id": "s1", "tools": ["Bash"], "model": OPUS},
        {"type": "rate_limit_event", "session_id": "s1", "rate_limit_info": {"status": "allowed"}},
        {"type": "system", "subtype": "thinking_tokens", "session_id": "s1", "estimated_tokens": 50},
        {"type": "tool_progress", "session_id": "s1", "tool_use_id": "toolu_1"},
        {"type": "system", "subtype": "task_progress", "session_id": "s1", "usage": {"total_tokens": 10_777}},
        {
            "type": "system",
            "subtype": "compact_boundary",
            "session_id": "s1",
            "compact_metadata": {"pre_tokens": 9},
        },
        user("go on", session_id="s1") | {"parent_tool_use_id": None},
    ]
    for line in others:
        line.pop("sessionId", None)
    seen = see(write(tmp_path / "s.jsonl", *others, streamed("msg_1", OPEN), *others))
    assert (seen.n_turns, seen.usd) == (1, usd(OPUS, **{"in": 10}, read=100, out=2))
    assert seen.reading.formats == {"claude_stream": 1}
    assert seen.reading.skipped_lines == 0
