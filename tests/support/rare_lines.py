"""Lines that the sample logs do not have: what sub-agents, caches, compaction, proxies and batches leave in a log."""

import json
from typing import Any, Final

from logs import (
    HAIKU,
    OPUS,
    Json,
    assistant,
    at,
    cost_state,
    message,
    pair,
    progress,
    result,
    sse,
    streamed,
    text,
    tool_result,
    tool_use,
    totals,
    usage,
    user,
)

IMAGE: Final = {
    "type": "base64",
    "media_type": "image/png",
    "data": "iVBORw0KGgoAAAANSUhEUgAAAMgAAAEsCAYAAACG",
}
MARK: Final = {"type": "ephemeral", "ttl": "1h"}
FALLBACK: Final = [
    {"type": "message", "model": OPUS, "input_tokens": 50, "output_tokens": 3},
    {"type": "fallback_message", "model": HAIKU, "input_tokens": 50, "output_tokens": 30},
    {"type": "compaction", "model": OPUS, "input_tokens": 500, "output_tokens": 60},
]
THOUGHT: Final = [{"type": "thinking", "thinking": "", "signature": "c2ln" * 40}, text("ok")]
PARTS: Final = [text("found " * 40), {"type": "image", "source": IMAGE}]


def transcript() -> list[Json]:
    """A transcript with everything that only some transcripts have."""
    lines: list[Json] = [
        user("look at it", uuid="u0", parentUuid=None, cwd="/srv/app", entrypoint="cli"),
        {"type": "attachment", "sessionId": "s1", "attachment": {
            "type": "prompt_snapshot", "tools": [{"name": "Bash", "description": "run", "input_schema": {}}],
            "systemPrompt": ["You are an agent.", {"text": "Be brief."}]}},
        assistant("msg_1", usage(10, w1h=3000, out=40), content=[*THOUGHT, tool_use("t1", "Skill", skill="x")],
                  uuid="u1", parentUuid="u0"),
        user([tool_result("t1", PARTS)], uuid="u2", parentUuid="u1", toolUseResult={"agentId": "a1"}),
        assistant("msg_2", usage(5, read=3000, out=9, iterations=FALLBACK), uuid="u3", parentUuid="u2", costUSD=0.01,
                  content=[tool_use("t2", "Task", subagent_type="reviewer")]),
        progress(assistant("msg_3", usage(7, w5m=900, out=5), model=HAIKU, uuid="p1")),
        progress(user([tool_result("t9", "done", is_error=True)], uuid="p2")),
        {"type": "system", "subtype": "microcompact_boundary", "sessionId": "s1",
         "microcompactMetadata": {"compactedToolIds": ["t1"]}},
        {"type": "system", "subtype": "compact_boundary", "sessionId": "s1"},
        user("This session is continued", isCompactSummary=True, uuid="u4"),
        assistant("msg_4", usage(5, read=100, w5m=700, out=9), uuid="u5", supersedes=["u3"], effort="high",
                  requestId="req_4"),
        assistant("msg_5", usage(5, out=9, server_tool_use={"web_search_requests": 2}), uuid="u6", isSidechain=True),
        cost_state("0.5", {OPUS: totals(9000, out=900, cost="0.4"), HAIKU: totals(70, out=9)}),
    ]  # fmt: skip
    return [line | {"timestamp": at(n)} for n, line in enumerate(lines)]


def stream() -> list[Json]:
    """A stream with partial messages, a sub-agent, a compaction and its totals."""
    start: Json = {"type": "message_start", "message": {"id": "msg_1", "usage": usage(9, out=1)}}
    end: Json = {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 77},
    }
    plain: Json = {"session_id": "s1", "parent_tool_use_id": None}
    lines: list[Json] = [
        {"type": "system", "subtype": "init", "cwd": "/srv/app"} | plain,
        {"type": "stream_event", "event": start} | plain,
        streamed("msg_1", usage(9, out=1), content=[tool_use("t1", "Task", subagent_type="reader")]),
        {"type": "stream_event", "event": end} | plain,
        streamed("msg_2", usage(3, w5m=800, out=2), parent_tool_use_id="t1", model=HAIKU),
        {"type": "user", "message": {"role": "user", "content": [tool_result("t1", PARTS)]}} | plain,
        {"type": "system", "subtype": "compact_boundary"} | plain,
        streamed("msg_3", usage(9, read=50, out=3)),
        result("0.5", {OPUS: totals(9000, out=900, cost="0.5")}, usage=usage(9000, out=900)),
    ]
    return [line | {"timestamp": at(n)} for n, line in enumerate(lines)]


def pairs() -> list[Json]:
    """Pairs with marks, tools, settings, streams, a proxy's wrapper and a batch result."""
    tools: list[Json] = [
        {"name": "read", "description": "Read a file as of 2026-01-01.", "input_schema": {"type": "object"}},
        {
            "name": "write",
            "description": "Write a file.",
            "input_schema": {"type": "object"},
            "cache_control": MARK,
        },
        {"name": "seldom", "description": "Search first.", "input_schema": {}, "defer_loading": True},
    ]
    lines: list[Json] = []
    messages: list[Json] = [{"role": "user", "content": "Do this. " * 60}]
    for n in range(4):
        call = tool_use(f"t{n}", "read", path=f"/srv/{n}")
        asked: Json = {
            "system": [text(f"You are an agent. It is 2026-07-01 10:0{n}. " * 40) | {"cache_control": MARK}],
            "tools": tools if n % 2 else tools[::-1],
        }
        told = pair(message(f"msg_{n}", usage(20, read=100 * n, w1h=2000, out=5), content=[call]), list(messages),
                    timestamp=at(60 * n), duration_ms=900, run_id="s1", task="job", agent="main", **asked)  # fmt: skip
        told["request"] |= {
            "tool_choice": {"type": "any"},
            "thinking": {"type": "enabled", "budget_tokens": 1024},
        }
        told["request"] |= {
            "output_config": {"effort": "low"},
            "temperature": 0.5,
            "betas": ["x"],
            "cache_control": MARK,
        }
        lines.append(told)
        messages += [
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [tool_result(f"t{n}", PARTS)]},
        ]
    events: list[Json] = [
        {"type": "message_start", "message": message("msg_8", usage(5, out=1), content=[])},
        {"type": "content_block_start", "index": 0, "content_block": tool_use("t8")},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": '{"a": 1}'},
        },
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}},
    ]
    streaming = {k: v for k, v in pair().items() if k != "response"} | {"response_sse": sse(*events)}
    wrapped = {"request": {"headers": {}, "body": pair()["request"]},
               "response": {"status": 200, "body": json.dumps(message("msg_9"))}}  # fmt: skip
    batch = {"custom_id": "x", "result": {"type": "succeeded", "message": message("msg_10", usage(5, out=1))}}
    return [*lines, streaming, wrapped, batch]


def encoded_lines(lines: list[Any]) -> list[bytes]:
    return [json.dumps(line).encode().replace(b'"s1"', b'"session-one"') for line in lines]


RARE: Final = {
    name: encoded_lines(made())
    for name, made in {"rare transcript": transcript, "rare stream": stream, "rare pairs": pairs}.items()
}
