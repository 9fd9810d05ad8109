"""Managed Agents: calls told by events, models, lifetimes and searches by the session they belong to."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from command import Capture
from logs import HAIKU, OPUS, Json, usd, write
from other_agents import read_alike, read_lines, taken_by, tokens


def at(second: int) -> str:
    return f"2026-11-02T10:00:{second:02d}.000Z"


def event(kind: str, number: int, **more: Any) -> Json:
    return {"id": f"sevt_{number}", "type": kind, "processed_at": at(number), **more}


def started(number: int) -> Json:
    return event("span.model_request_start", number)


def ended(number: int, start: int, wrote: int = 0, read: int = 0, **more: Any) -> Json:
    usage = {
        "input_tokens": 100,
        "output_tokens": 50,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": wrote,
    }
    more = {"is_error": False, "model_usage": usage, **more}
    return event("span.model_request_end", number, model_request_start_id=f"sevt_{start}", **more)


def text(says: str) -> list[Json]:
    return [{"type": "text", "text": says}]


def usage(short: int = 0, hour: int = 0, read: int = 0, calls: int = 1, **more: Any) -> Json:
    return {
        "input_tokens": 100 * calls,
        "output_tokens": 50 * calls,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": hour},
        **more,
    }


def session(model: object = HAIKU, **more: Any) -> Json:
    agent = {"id": "agent_1", "name": "porter", "system": "Be careful.", "multiagent": None}
    tool = {"type": "custom", "name": "find", "description": "Find it.", "input_schema": {"type": "object"}}
    return {
        "id": "sesn_1",
        "type": "session",
        "environment_id": "env_1",
        "title": "ports",
        "agent": {**agent, "model": {"id": model}, "tools": [tool, {"type": "agent_toolset_20260401"}]},
        **more,
    }


ASKED = event("user.message", 1, content=text("Count the ports."))
LOOKS = event("agent.tool_use", 3, name="bash", input={"command": "ls"})
RESULT = event("agent.tool_result", 5, tool_use_id="sevt_3", content=text("porto"))
SAYS = event("agent.message", 8, content=text("One."))
STORY = [ASKED, started(2), LOOKS, ended(4, 2, wrote=40), RESULT, started(6), ended(7, 6, read=40), SAYS]


def test_requests_are_calls_with_what_they_wrote(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, session(), *STORY)
    assert tokens(report.turns) == [(100, 0, 40, 0, 50), (100, 40, 0, 0, 50)]
    assert report.summary.totals.usd == usd(HAIKU, **{"in": 200}, read=40, w5m=40, out=100)
    assert report.summary.totals.usd_exact
    assert report.turns.select("stop_reason", "duration_s").rows() == [("tool_use", 2.0), ("end_turn", 1.0)]
    assert report.runs.select("run_id", "task").rows() == [("sesn_1", "ports")]
    shown = report.blocks.filter(report.blocks["kind"] != "hidden").sort("block")
    assert shown.select("layer", "kind", "turn_in").rows() == [
        ("tools", "tool_def", 0),
        ("system", "system", 0),
        ("messages", "text", 0),
        ("messages", "tool_use", 1),
        ("messages", "tool_result", 1),
        ("messages", "text", 2),
    ]


def test_a_dump_a_page_and_lines_that_repeat_are_the_same(tmp_path: Path, capsys: Capture) -> None:
    pages = {"data": STORY[:5], "next_page": "x"}, {"data": STORY[3:], "next_page": None}
    for lines in (
        [{"session": session(), "events": STORY}],
        [*pages, session()],
        [*STORY, session(), *STORY],
    ):
        assert tokens(read_lines(capsys, tmp_path, *lines).turns) == [
            (100, 0, 40, 0, 50),
            (100, 40, 0, 0, 50),
        ]


def test_events_alone_do_not_tell_the_model(tmp_path: Path, capsys: Capture) -> None:
    report = read_lines(capsys, tmp_path, *STORY)
    assert report.turns["model"].to_list() == ["unknown", "unknown"]
    assert report.summary.totals.usd is None


@pytest.mark.parametrize(
    ("short", "hour", "writes"), [(40, 0, (40, 0)), (0, 40, (0, 40)), (10, 30, (None, None))]
)
def test_the_session_tells_how_long_writes_live(
    tmp_path: Path, capsys: Capture, short: int, hour: int, writes: tuple[int | None, int | None]
) -> None:
    total = event("session.usage", 9, usage=usage(short, hour, 40, 2))
    report = read_lines(capsys, tmp_path, session(), *STORY, total)
    logged = report.turns.filter(report.turns["run_id"] == "sesn_1")
    assert tokens(logged)[0][2:4] == writes
    # Whatever the calls say, the session has told it.
    assert report.summary.totals.usd == usd(HAIKU, **{"in": 200}, read=40, w5m=short, w1h=hour, out=100)


def test_searches_are_told_of_the_session(tmp_path: Path, capsys: Capture) -> None:
    search = event("agent.tool_use", 3, name="web_search", input={"query": "ports"})
    story = [ASKED, started(2), search, ended(4, 2)]
    alone = read_lines(capsys, tmp_path, session(), *story)
    assert alone.turns["web_searches"].to_list() == [None]
    told = usage(server_tool_use={"web_search_requests": 3}, list_cost={"amount": "4", "currency": "USD"})
    report = read_lines(capsys, tmp_path, session(usage=told), *story)
    assert report.turns.select("run_id", "web_searches").rows() == [("sesn_1", 0), ("sesn_1/unlogged", 3)]
    # A search costs one cent.
    assert report.summary.totals.usd == usd(HAIKU, **{"in": 100}, out=50) + Decimal("0.03")


def test_list_cost_is_in_cents_and_recorded(tmp_path: Path, capsys: Capture) -> None:
    total = event(
        "session.usage", 9, usage=usage(40, 0, 40, 2, list_cost={"amount": "250", "currency": "USD"})
    )
    report = read_lines(capsys, tmp_path, session(), *STORY, total)
    assert [run["recorded_usd"] for run in report.to_dict()["runs"]] == [2.5]
    assert report.summary.totals.usd == usd(HAIKU, **{"in": 200}, read=40, w5m=40, out=100)


def test_threads_are_runs_below_with_models_of_their_own(tmp_path: Path, capsys: Capture) -> None:
    thread = {
        "id": "sthr_2",
        "type": "session_thread",
        "session_id": "sesn_1",
        "parent_thread_id": "sthr_1",
        "agent": {"name": "digger", "model": OPUS},
        "usage": usage(0, 0, 0, 1),
    }
    child = [ended(21, 20) | {"id": "sevt_c1"}]
    shared = [session(), *STORY, event("session.thread_created", 10, session_thread_id="sthr_2")]
    total = event("session.usage", 11, usage=usage(40, 0, 40, 3))
    shown = LOOKS | {"id": "sevt_x", "session_thread_id": "sthr_2"}
    write(tmp_path / "session.jsonl", *shared, shown, total)
    write(tmp_path / "thread.jsonl", thread, *child)
    report = read_alike(capsys, tmp_path)
    assert report.turns.sort("run_id").select("run_id", "model").rows() == [
        ("sesn_1", "claude-haiku-4-5"),
        ("sesn_1", "claude-haiku-4-5"),
        ("sthr_2", OPUS),
    ]
    runs = report.runs.sort("run_id").select("run_id", "parent_run_id", "agent").rows()
    assert runs == [("sesn_1", None, None), ("sthr_2", "sesn_1", "digger")]
    main = usd(HAIKU, **{"in": 200}, read=40, w5m=40, out=100)
    assert report.summary.totals.usd == main + usd(OPUS, **{"in": 100}, out=50)


def test_failures_are_no_calls_and_graders_have_no_known_model(tmp_path: Path, capsys: Capture) -> None:
    nothing = dict.fromkeys(("input_tokens", "output_tokens", "cache_read_input_tokens"), 0)
    failed = ended(3, 2, is_error=True, model_usage=nothing | {"cache_creation_input_tokens": 0})
    bare = event("span.model_request_end", 4, is_error=True)
    graded = event("span.outcome_evaluation_end", 9, usage=ended(1, 1)["model_usage"], result="satisfied")
    report = read_lines(capsys, tmp_path, session(), ASKED, started(2), failed, bare, *STORY[5:], graded)
    assert report.turns.sort("run_id").select("run_id", "model").rows() == [
        ("sesn_1", "claude-haiku-4-5"),
        ("sesn_1/outcome_evaluation", "unknown"),
    ]


def test_fast_requests_cost_more(tmp_path: Path, capsys: Capture) -> None:
    fast = ended(4, 2)
    fast["model_usage"]["speed"] = "fast"
    report = read_lines(capsys, tmp_path, session(OPUS), ASKED, started(2), fast)
    assert report.turns["speed"].to_list() == ["fast"]


def test_a_compaction_begins_anew(tmp_path: Path, capsys: Capture) -> None:
    compacted = event("agent.thread_context_compacted", 9)
    later = [event("user.message", 10, content=text("And now?")), started(11), ended(12, 11)]
    report = read_lines(capsys, tmp_path, session(), *STORY, compacted, *later)
    first = report.blocks.filter((report.blocks["kind"] == "text") & (report.blocks["turn_in"] == 0))
    assert first["turn_out"].to_list() == [2]
    assert report.runs["interactive"].to_list() == [True]


def test_no_other_format_takes_its_lines() -> None:
    assert taken_by(session(), *STORY) == ["managed_agents"]
    assert taken_by({"session": session(), "events": STORY}) == ["managed_agents"]
