"""What clients print of a run without a screen, as a pipeline keeps it: each call, or the sums of a run."""

from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from test_odd_values import defects

import costscan
from costscan.errors import CostscanError
from costscan.formats import available
from logs import HAIKU, Json, usd, write
from other_agents import recorded, taken_by, tokens

GEMINI: Final = "gemini-2.5-pro"
INPUT, CACHED, OUTPUT = Decimal("1.25"), Decimal("0.125"), Decimal(10)
"""List prices of Gemini 2.5 Pro in November 2026, USD per million tokens, of prompts up to 200,000."""


def read(tmp_path: Path, *lines: Json) -> costscan.Report:
    return costscan.analyze(write(tmp_path / "run.jsonl", *lines))


def pi(**more: Any) -> Json:
    usage = {"input": 3, "output": 12, "cacheRead": 400, "cacheWrite": 2_000, "cost": {"total": 0.5}}
    said = {
        "role": "assistant",
        "model": HAIKU,
        "content": [{"type": "text", "text": "Porto."}],
        "usage": usage,
    }
    return {"type": "message_end", "message": {**said, "timestamp": 1_793_613_602_000, **more}}


PI_BEGINS: Json = {"type": "session", "version": 3, "id": "pi-1", "cwd": "/src/ports"}
PI_ASKED: Json = {"type": "message_end", "message": {"role": "user", "content": "List the ports."}}


def test_of_pi_a_message_that_ended_is_a_call_and_what_repeats_it_is_none(tmp_path: Path) -> None:
    repeated = [{**pi(), "type": kind} for kind in ("message_start", "message_update", "turn_end")]
    events = [
        PI_BEGINS,
        {"type": "agent_start"},
        PI_ASKED,
        *repeated,
        pi(),
        {"type": "agent_end", "messages": []},
    ]
    report = read(tmp_path, *events)
    assert tokens(report.turns) == [(3, 400, 2_000, 0, 12)]
    assert report.summary.totals.usd == usd(HAIKU, **{"in": 3}, read=400, w5m=2_000, out=12)
    assert report.runs.select("run_id", "task").rows() == [("pi-1", "List the ports.")]
    assert report.summary.inputs.unknown_lines == 0


def opencode(kind: str, message: str = "msg_1", **part: Any) -> Json:
    own = {"messageID": message, "type": kind.replace("_", "-"), **part}
    return {"type": kind, "timestamp": 1_793_613_600_000, "sessionID": "ses_1", "part": own}


def step_ends(message: str = "msg_1") -> Json:
    counted = {
        "input": 100,
        "output": 50,
        "reasoning": 0,
        "cache": {"read": 700, "write": 200},
        "total": 1_050,
    }
    return opencode("step_finish", message, reason="stop", tokens=counted, cost=0.25)


def test_of_opencode_a_step_is_a_call_of_no_known_model(tmp_path: Path) -> None:
    state = {"status": "completed", "input": {"command": "ls"}, "output": "docs"}
    tool = opencode("tool_use", type="tool", tool="bash", callID="t1", state=state)
    report = read(tmp_path, opencode("step_start"), tool, step_ends(), step_ends("msg_2"))
    assert tokens(report.turns) == [(100, 700, 200, 0, 50)] * 2
    assert report.summary.totals.usd is None
    assert recorded(report.turns) == [Decimal("0.25")] * 2
    assert report.turns["message_id"].to_list() == ["msg_1", "msg_2"]
    assert report.blocks.filter(kind="tool_result")["tool"].to_list() == ["bash"]


GEMINI_BEGINS: Json = {
    "type": "init",
    "timestamp": "2026-11-02T10:00:00Z",
    "session_id": "g1",
    "model": GEMINI,
}
GEMINI_SAYS: Json = {
    "type": "message",
    "role": "user",
    "content": "List.",
    "timestamp": "2026-11-02T10:00:01Z",
}
STREAM_ENDS: Json = {
    "type": "result",
    "timestamp": "2026-11-02T10:00:05Z",
    "status": "success",
    "stats": {
        "models": {
            GEMINI: {
                "total_tokens": 1_080,
                "input_tokens": 1_000,
                "output_tokens": 50,
                "cached": 700,
                "input": 300,
            }
        }
    },
}
PRINTED: Json = {
    "session_id": "g1",
    "response": "Porto.",
    "stats": {
        "models": {
            GEMINI: {
                "api": {"totalRequests": 2},
                "tokens": {
                    "prompt": 1_000,
                    "candidates": 50,
                    "total": 1_080,
                    "cached": 700,
                    "thoughts": 30,
                    "tool": 0,
                },
            }
        }
    },
}


@pytest.mark.parametrize(
    "lines", [[GEMINI_BEGINS, GEMINI_SAYS, STREAM_ENDS], [PRINTED]], ids=["stream", "json"]
)
def test_of_gemini_the_sums_of_a_run_are_billed(tmp_path: Path, lines: list[Json]) -> None:
    report = read(tmp_path, *lines)
    assert report.summary.totals.usd == (300 * INPUT + 700 * CACHED + 80 * OUTPUT) / 10**6
    assert tokens(report.turns) == [(300, 700, 0, 0, 80)]
    assert report.runs["root_run_id"].to_list() == ["g1"]
    assert report.summary.inputs.unknown_lines == 0


def test_of_gemini_what_a_chat_tells_is_not_billed_again(tmp_path: Path) -> None:
    used = {"input": 900, "output": 50, "cached": 700, "thoughts": 30, "tool": 0, "total": 980}
    stamp = "2026-11-02T10:00:04Z"
    chat: list[Json] = [
        {"sessionId": "g1", "projectHash": "ab", "startTime": "2026-11-02T10:00:00Z"},
        {"id": "m1", "timestamp": stamp, "type": "gemini", "content": "", "model": GEMINI, "tokens": used},
    ]
    write(tmp_path / "chat.jsonl", *chat)
    write(tmp_path / "out.json", PRINTED)
    report = costscan.analyze(tmp_path)
    assert tokens(report.turns.sort("run_id")) == [(200, 700, 0, 0, 80), (100, 0, 0, 0, 0)]


def test_codex_is_named_and_where_its_calls_are(tmp_path: Path) -> None:
    lines: list[Json] = [
        {"type": "thread.started", "thread_id": "t1"},
        {
            "type": "turn.completed",
            "usage": {"input_tokens": 100, "cached_input_tokens": 50, "output_tokens": 7},
        },
    ]
    with pytest.raises(CostscanError, match=r"codex exec --json.*~/\.codex/sessions"):
        read(tmp_path, *lines)


def qwen(message: str, **used: int) -> Json:
    text = [{"type": "text", "text": message}]
    said: Json = {"role": "assistant", "model": HAIKU, "content": text, "stop_reason": None}
    own = {"id": message, "type": "message", **said, "usage": used}
    return {
        "type": "assistant",
        "uuid": message,
        "session_id": "q1",
        "message": own,
        "parent_tool_use_id": None,
    }


@pytest.mark.parametrize(
    ("total", "fresh"), [(1_050, 300), (1_750, 1_000)], ids=["cache inside", "cache beside the input"]
)
def test_of_qwen_a_total_says_whether_the_input_holds_what_was_read(
    tmp_path: Path, total: int, fresh: int
) -> None:
    used = {"input_tokens": 1_000, "output_tokens": 50, "cache_read_input_tokens": 700, "total_tokens": total}
    report = read(tmp_path, qwen("m1", input_tokens=0, output_tokens=0), qwen("m2", **used))
    assert tokens(report.turns) == [(fresh, 700, 0, 0, 50)]
    assert report.blocks.filter(kind="text").height == 2


def test_an_answer_of_no_tokens_is_a_call_where_something_was_sent_after_it(tmp_path: Path) -> None:
    asked: Json = {"type": "user", "session_id": "q1", "message": {"role": "user", "content": "Go on."}}
    zero = qwen("m1", input_tokens=0, output_tokens=0)
    used = {"input_tokens": 1_000, "output_tokens": 50, "total_tokens": 1_050}
    other = qwen("m3", input_tokens=0, output_tokens=0)
    other["message"]["model"] = "claude-opus-4-5"
    report = read(tmp_path, zero, asked, qwen("m2", **used), other, qwen("m4", **used), zero)
    assert [row[0] for row in tokens(report.turns)] == [None, 1_000, None, 1_000]


LINES: Final = {
    "pi": (PI_BEGINS, pi()),
    "opencode": (opencode("step_start"), step_ends()),
    "gemini_cli": (GEMINI_BEGINS, STREAM_ENDS, PRINTED),
}


@pytest.mark.parametrize("name", LINES)
def test_no_other_format_takes_them(name: str) -> None:
    assert [taken_by(line) for line in LINES[name]] == [[name]] * len(LINES[name])


@pytest.mark.parametrize("name", LINES)
def test_no_value_is_a_defect(tmp_path: Path, name: str) -> None:
    for line in LINES[name]:
        assert defects(available()[name], line, tmp_path / "run.jsonl") == []
