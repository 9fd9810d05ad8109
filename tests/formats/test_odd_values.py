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
from test_usage_export import CONSOLE, bucket, completions, cost, page, result

import codex_lines as codex
import gemini_pairs as gemini
import openai_pairs as oai
from costscan import formats
from costscan.formats.interface import LogFile
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
MORE: Final[dict[str, list[Any]]] = {
    "codex": [
        *STORY,
        spawned(),
        codex.settings("priority"),
        codex.item("web_search_call", action={"type": "search"}),
        codex.line("compacted", {"replacement_history": [{"role": "user", "content": [PICTURE]}]}),
        codex.counted(codex.used(5, 0, 1), codex.used(9, 0, 1)),
    ],
    "openai_api": [
        oai.chat_pair() | {"request": {"model": "m", "tools": [TOOL], "messages": ASKED, "user": "u"}},
        oai.pair(oai.response("r9", None, THOUGHT, CALLED, SEARCHED), asked={"input": [CALLED, GIVEN]}),
    ],
    "managed_agents": [session(usage=usage(1, 2, list_cost={"amount": "1", "currency": "USD"})), *MANAGED],
    "usage_export": [page(result(), cost("1.5")), bucket(completions()), CONSOLE],
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
