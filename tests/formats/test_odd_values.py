"""A log may hold anything anywhere: each value of each line is replaced in turn, and no reader breaks."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from test_codex import STORY, spawned
from test_confusion import SAMPLES
from test_managed_agents import STORY as MANAGED
from test_managed_agents import session, usage
from test_openrouter import row, statistics
from test_openrouter_activity import activity
from test_usage_export import CONSOLE, bucket, completions, cost, page, result

import codex_lines as codex
import gemini_pairs as gemini
import openai_pairs as oai
from costscan import formats
from costscan.formats.interface import Format, LogFile
from costscan.reading.io.rows import Rows
from logs import write

ODD: Final[list[Any]] = [None, True, -1, 1.5, "x", "", [], {}, [None], {"a": [1]}, "\ud800", 10**30, ["x"]]
TOOL = {"type": "function", "function": {"name": "find"}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"a":1}'}}
PICTURE = {"type": "input_image", "image_url": "data:image/png;base64,aa"}
ASKED = [
    {"role": "assistant", "tool_calls": [CALL], "content": None},
    {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "x"}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x"}}]},
]
CALLED = oai.item("function_call", call_id="a", name="b", arguments="{}")
GIVEN = oai.item("function_call_output", call_id="a", output=[{"type": "input_text", "text": "x"}, PICTURE])
THOUGHT = oai.item("reasoning", summary=[{"type": "summary_text", "text": "x"}], encrypted_content="x")
SEARCHED = oai.item("web_search_call", action={"type": "search"})
FOUND = gemini.content(
    "user",
    {"functionResponse": {"name": "x", "response": {}}},
    {"inlineData": {"mimeType": "image/png", "data": "aa"}},
    {"fileData": {"mimeType": "text/plain", "fileUri": "x"}},
)
HEARD = gemini.usage(10, 2, promptTokensDetails=[{"modality": "AUDIO", "tokenCount": 3}], trafficType="X")
TASK: Final = {"ts": 1, "type": "say", "modelInfo": {"modelId": "m", "providerId": "p"}}
PARTS: Final = [
    {"text": "x"},
    {"toolUse": {"toolUseId": "a", "name": "b", "input": {}}},
    {"toolResult": {"toolUseId": "a", "content": [{"json": {}}, {"text": "x"}], "status": "error"}},
    {"reasoningContent": {"reasoningText": {"text": "x", "signature": "x"}}},
    {"image": {"format": "png", "source": {"bytes": "aa"}}},
    {"cachePoint": {"type": "default", "ttl": "1h"}},
]
CONVERSE: Final = {
    "schemaType": "ModelInvocationLog",
    "timestamp": "2026-11-02T10:00:00Z",
    "identity": {"arn": "x"},
    "requestId": "c",
    "modelId": "m",
    "operation": "Converse",
    "requestMetadata": {"run_id": "x", "task": "x"},
    "input": {
        "inputBodyJson": {
            "messages": [{"role": "user", "content": PARTS}],
            "toolConfig": {"tools": [{"toolSpec": {"name": "b", "inputSchema": {"json": {}}}}]},
        },
        "inputTokenCount": 5,
    },
    "output": {
        "outputBodyJson": {
            "output": {"message": {"content": PARTS[:2]}},
            "stopReason": "end_turn",
            "metrics": {"latencyMs": 5},
            "usage": {"inputTokens": 5, "outputTokens": 2, "cacheDetails": [{"ttl": "1h", "inputTokens": 1}]},
        },
        "outputTokenCount": 2,
    },
}
INVOKED: Final = {
    "schemaType": "ModelInvocationLog",
    "requestId": "i",
    "modelId": "anthropic.claude-haiku-4-5-20251001-v1:0",
    "input": {"inputBodyJson": {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}},
    "output": {
        "outputBodyJson": [
            {
                "type": "message_start",
                "message": {"id": "a", "usage": {"input_tokens": 3, "output_tokens": 1}},
            },
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
        ]
    },
}
SAID: Final[dict[str, Any]] = {
    "type": "constructor",
    "id": ["AIMessage"],
    "kwargs": {
        "content": [{"type": "text", "text": "x"}],
        "tool_calls": [{"id": "a", "name": "b", "args": {}}],
        "response_metadata": {"model_name": "m", "stop_reason": "x"},
        "usage_metadata": {
            "input_tokens": 9,
            "output_tokens": 2,
            "input_token_details": {"cache_read": 1, "ephemeral_1h_input_tokens": 2},
            "output_token_details": {"reasoning": 1},
        },
    },
}
RUN: Final = {
    "id": "r",
    "run_type": "llm",
    "trace_id": "t",
    "parent_run_id": "p",
    "start_time": "2026-11-02T10:00:00",
    "total_cost": "0.1",
    "inputs": {"messages": [[SAID, {"role": "user", "content": "x"}]]},
    "extra": {"metadata": {"ls_model_name": "m", "user_id": "u"}, "invocation_params": {"tools": [TOOL]}},
}
STEP: Final = {
    "step_id": 2,
    "source": "agent",
    "message": "x",
    "reasoning_content": "x",
    "tool_calls": [{"tool_call_id": "a", "function_name": "b", "arguments": {}}],
    "observation": {"results": [{"source_call_id": "a", "content": [{"type": "text", "text": "x"}]}]},
    "metrics": {
        "prompt_tokens": 9,
        "cached_tokens": 1,
        "completion_tokens": 2,
        "cost_usd": 0.1,
        "extra": {"cache_creation_input_tokens": 3, "cache_creation": {"ephemeral_1h_input_tokens": 1}},
    },
}
SHORT: Final = {
    "schema_version": "ATIF-v1.7",
    "trajectory_id": "b",
    "agent": {"model_name": "m"},
    "steps": [STEP],
}
MORE: Final[dict[str, list[Any]]] = {
    "atif": [
        SHORT
        | {
            "trajectory_id": "a",
            "agent": {"name": "x", "model_name": "m", "tool_definitions": [TOOL]},
            "steps": [{"source": "system", "message": [{"type": "text", "text": "x"}]}, STEP],
            "subagent_trajectories": [SHORT],
            "final_metrics": {"total_prompt_tokens": 99, "total_completion_tokens": 9, "total_cost_usd": 1},
        }
    ],
    "bedrock": [CONVERSE, INVOKED],
    "cline": [
        TASK | {"say": "api_req_started", "text": '{"tokensOut":1}', "conversationHistoryIndex": 1},
        TASK | {"say": "condense_context", "contextCondense": {"cost": 0.1}},
        TASK | {"say": "subagent_usage", "text": '{"tokensIn":5,"tokensOut":1}'},
    ],
    "codex": [
        *STORY,
        spawned(),
        codex.settings("priority"),
        codex.item("web_search_call", action={"type": "search"}),
        codex.line("compacted", {"replacement_history": [{"role": "user", "content": [PICTURE]}]}),
        codex.counted(codex.used(5, 0, 1), codex.used(9, 0, 1)),
    ],
    "langsmith": [
        RUN | {"outputs": {"generations": [[{"message": SAID}]]}},
        RUN | {"outputs": SAID["kwargs"] | {"choices": [{"message": {"content": "x"}}]}},
        RUN | {"outputs": {"llm_output": {"token_usage": {"prompt_tokens": 3, "completion_tokens": 1}}}},
        RUN | {"prompt_tokens": 3, "prompt_token_details": {"cache_read": 1}, "child_runs": [RUN]},
    ],
    "openai_api": [
        oai.chat_pair() | {"request": {"model": "m", "tools": [TOOL], "messages": ASKED, "user": "u"}},
        oai.pair(oai.response("r9", None, THOUGHT, CALLED, SEARCHED), asked={"input": [CALLED, GIVEN]}),
    ],
    "managed_agents": [session(usage=usage(1, 2, list_cost={"amount": "1", "currency": "USD"})), *MANAGED],
    "usage_export": [page(result(), cost("1.5")), bucket(completions()), CONSOLE, activity()],
    "openrouter": [row(), statistics()],
    "gemini_api": [
        gemini.pair(
            gemini.answer(HEARD, "r5", {"functionCall": {"name": "x", "args": {}}}, groundingMetadata={}),
            tools=[{"functionDeclarations": [{"name": "x"}]}],
            systemInstruction={"parts": [{"text": "x"}]},
            contents=[FOUND],
        )
    ],
}


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if place:
        yield place
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from places(one, (*place, key))


def changed(line: Any, place: tuple[Any, ...], odd: Any) -> Any:
    line = copy.deepcopy(line)
    inner = line
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = odd
    return line


def defects(log_format: Format, line: Any, path: Path, *after: Any) -> list[str]:
    """Return the defects in reading a file of a line, and of those `after` it, each value of it replaced in turn."""
    rest = "".join(f"\n{json.dumps(other)}" for other in after)
    rows = Rows()
    for place in places(line):
        for odd in ODD:
            path.write_text(json.dumps(changed(line, place, odd)) + rest)
            log_format.read(LogFile(str(path)), rows)
    return [row.reason for row in rows.skipped if "defect" in row.reason]


def variants_of(line: Any) -> Iterator[Any]:
    """Yield a line with each value of its first events replaced, or each of its own where none are streamed."""
    told = line.get("response_sse")
    if not isinstance(told, str):
        yield from (changed(line, place, odd) for place in places(line) for odd in ODD)
        return
    event = json.loads(told.partition("data: ")[2].partition("\n")[0])
    for place in places(event):
        for odd in ODD:
            yield line | {"response_sse": f"data: {json.dumps(changed(event, place, odd))}\n\n"}


@pytest.mark.parametrize("name", MORE)
def test_no_value_breaks_a_reader(tmp_path: Path, name: str) -> None:
    log_format, rows = formats.named(name), Rows()
    for number, line in enumerate([*SAMPLES[name], *MORE[name]]):
        variants = list(variants_of(line))
        for variant in variants:
            log_format.sniff([variant])
        before = MORE[name][:number] if name == "codex" else []
        path = write(tmp_path / f"{number}.jsonl", *map(json.dumps, [*before, *variants]))
        log_format.read(LogFile(str(path)), rows)
    assert [row for row in rows.skipped if "defect" in row.reason] == []
    assert rows.calls or rows.recorded
