"""A task of Cline, the messages of its window and the conversation beside them, and a session of Cline 4."""

import json

from generator.blocks import Json, dump
from generator.clock import iso
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
SESSION = Scene(
    name="format-cline-4",
    model="claude-sonnet-5-5",
    start="2026-11-19T09:20:00Z",
    system="You are Cline, a coding agent. Work in small steps and say what you did.",
    hidden=9_310,
    steps=(
        Step(
            "I look where the unit is set.",
            asked="The tide table shows feet. Show metres.",
            tool="search_codebase",
            arguments={"queries": ["feet"]},
            result="web/tides.js:12: const UNIT = 'feet'",
        ),
        Step("", tool="editor", arguments={"path": "web/tides.js", "new_text": "const UNIT = 'metres'"}),
        Step("The table shows metres now."),
    ),
)


def tell(scene: Scene = SCENE, session: Scene = SESSION) -> Sample:
    """Return the files of a task and of a session."""
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
    told = play(session)
    return Sample({**files, **_session(session, told)}, [*calls, *told])


def _session(scene: Scene, calls: list[Call]) -> dict[str, str | bytes]:
    """Return the messages of a session of Cline 4, and its manifest."""
    name = f"{calls[0].began - 120}_k7WzQ"
    messages: list[Json] = []
    for n, call in enumerate(calls):
        messages += [_said(call, calls[n - 1] if n else None), _answer(call)]
    head: Json = {"version": 1, "updated_at": iso(calls[-1].ended), "agent": "lead", "sessionId": name}
    manifest: Json = {
        "version": 1,
        "session_id": name,
        "source": "cli",
        "pid": 4711,
        "started_at": iso(calls[0].began),
        "status": "completed",
        "interactive": True,
        "provider": "anthropic",
        "model": scene.model,
        "cwd": "/home/ines/src/tides",
        "workspace_root": "/home/ines/src/tides",
        "prompt": calls[0].step.asked,
    }
    return {
        f"sessions/{name}/{name}.messages.json": json.dumps(
            {**head, "messages": messages, "system_prompt": scene.system}, indent=2
        )
        + "\n",
        f"sessions/{name}/{name}.json": json.dumps(manifest, indent=2) + "\n",
    }


def _said(call: Call, before: Call | None) -> Json:
    text = f'<user_input mode="act">{call.step.asked}</user_input>'
    content: Json = {"type": "text", "text": text}
    if before is not None:
        used = {"tool_use_id": f"toolu_{before.tool_id}", "name": before.step.tool}
        content = {"type": "tool_result", **used, "content": before.step.result}
    return {"id": f"u{call.message_id}", "role": "user", "content": [content], "ts": call.began}


def _answer(call: Call) -> Json:
    metrics = {
        "inputTokens": call.prompt,
        "outputTokens": call.output,
        "cacheReadTokens": call.read,
        "cacheWriteTokens": call.written,
        "cost": float(call.usd),
    }
    return {
        "id": call.message_id,
        "role": "assistant",
        "content": _content(call),
        "ts": call.ended,
        "modelInfo": {"id": call.model, "provider": "anthropic"},
        "metrics": metrics,
    }


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
    return {"role": "assistant", "content": _content(call), "ts": call.ended}


def _content(call: Call) -> list[Json]:
    content: list[Json] = [{"type": "text", "text": call.step.text}] if call.step.text else []
    used = {"id": f"toolu_{call.tool_id}", "name": call.step.tool, "input": call.step.arguments}
    return [*content, {"type": "tool_use", **used}] if call.step.tool else content
