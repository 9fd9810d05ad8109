"""A task of Cline: the messages of its window, and the conversation beside them."""

import json

from generator.blocks import Json, dump
from generator.formats.talk import Call, Sample, Scene, Step, play

SCENE = Scene(
    name="format-cline",
    model="claude-sonnet-5-5",
    start="2026-11-17T14:05:00Z",
    hidden=12_480,
    steps=(
        Step(
            "I read the form.",
            asked="<task>\nThe postcode field takes letters. It should take digits alone.\n</task>",
            tool="read_file",
            arguments={"path": "web/address.html"},
            result='<label>Postcode <input name="postcode" maxlength="8"></label>',
        ),
        Step(
            "A pattern does it.",
            tool="replace_in_file",
            arguments={
                "path": "web/address.html",
                "diff": 'name="postcode" inputmode="numeric" pattern="[0-9]*"',
            },
            result="The content was saved to web/address.html.",
        ),
        Step(
            "",
            tool="attempt_completion",
            arguments={"result": "The field takes digits alone, and phones show the keypad for it."},
        ),
    ),
)


def tell(scene: Scene = SCENE) -> Sample:
    """Return the files of a task."""
    calls = play(scene)
    began = calls[0].began - 150
    shown: list[Json] = [{"ts": began, "type": "say", "say": "task", "text": _asked(calls[0])}]
    kept: list[Json] = []
    for n, call in enumerate(calls):
        before = calls[n - 1] if n else None
        kept += [_sent(call, before), _answered(call)]
        shown += [_request(call, len(kept) - 2), _shown(call)]
    files: dict[str, str | bytes] = {
        f"tasks/{began}/ui_messages.json": _document(shown),
        f"tasks/{began}/api_conversation_history.json": _document(kept),
    }
    return Sample(files, calls)


def _document(values: list[Json]) -> str:
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"


def _asked(call: Call) -> str:
    return call.step.asked.removeprefix("<task>\n").removesuffix("\n</task>")


def _request(call: Call, index: int) -> Json:
    info = {
        "request": call.step.asked or f"[{call.step.tool}]",
        "tokensIn": call.fresh,
        "tokensOut": call.output,
        "cacheWrites": call.written,
        "cacheReads": call.read,
        "cost": float(call.usd),
    }
    return {
        "ts": call.began,
        "type": "say",
        "say": "api_req_started",
        "text": dump(info),
        "conversationHistoryIndex": index - 1,
        "modelInfo": {"providerId": "anthropic", "modelId": call.model, "mode": "act"},
    }


def _shown(call: Call) -> Json:
    if call.step.text:
        return {"ts": call.ended, "type": "say", "say": "text", "text": call.step.text}
    done = call.step.arguments["result"]
    return {"ts": call.ended, "type": "say", "say": "completion_result", "text": done}


def _sent(call: Call, before: Call | None) -> Json:
    if before is None:
        return {"role": "user", "content": [{"type": "text", "text": call.step.asked}], "ts": call.began}
    result = {
        "type": "tool_result",
        "tool_use_id": f"toolu_{before.tool_id}",
        "content": [{"type": "text", "text": before.step.result}],
    }
    return {"role": "user", "content": [result], "ts": call.began}


def _answered(call: Call) -> Json:
    content: list[Json] = [{"type": "text", "text": call.step.text}] if call.step.text else []
    used = {"id": f"toolu_{call.tool_id}", "name": call.step.tool, "input": call.step.arguments}
    return {"role": "assistant", "content": [*content, {"type": "tool_use", **used}], "ts": call.ended}
