"""Events of Copilot CLI with a record of each call: a typo is corrected."""

from collections.abc import Iterator

from generator.blocks import Json
from generator.clock import iso
from generator.dice import Dice
from generator.formats.talk import Call, Sample, Scene, Step, lines, play

SCENE = Scene(
    name="format-copilot-cli",
    model="claude-sonnet-5-5",
    start="2026-11-16T09:50:00Z",
    hidden=11_260,
    steps=(
        Step(
            "I search for it.",
            asked="Somewhere in the docs it says 'harbor' where we write 'harbour'. Correct it.",
            tool="bash",
            arguments={"command": "grep -rn harbor docs"},
            result="docs/berths.md:12:A berth belongs to one harbor.\n<exited with exit code 0>",
        ),
        Step(
            "One place.",
            tool="edit",
            arguments={"path": "docs/berths.md", "old_str": "one harbor", "new_str": "one harbour"},
            result="File docs/berths.md updated with changes.",
        ),
        Step("Corrected in docs/berths.md, line 12; there was no other place.", reasoning=31),
    ),
)


def tell(scene: Scene = SCENE) -> Sample:
    """Return the events of a session."""
    calls, dice = play(scene), Dice(f"{scene.name} ids")
    session = dice.uuid()
    told, above = [], None
    for at, kind, data in _events(calls, session):
        own = dice.uuid()
        told.append({"type": kind, "data": data, "id": own, "timestamp": iso(at), "parentId": above})
        above = own
    return Sample({f"session-state/{session}/events.jsonl": lines(told)}, calls)


def _events(calls: list[Call], session: str) -> Iterator[tuple[int, str, Json]]:
    context = {"cwd": "/home/ines/src/harbour", "branch": "main"}
    start = {"sessionId": session, "version": 1, "producer": "copilot-agent", "copilotVersion": "1.0.104"}
    yield calls[0].began - 900, "session.start", {**start, "context": context}
    for call in calls:
        if call.step.asked:
            yield call.began - 30, "user.message", {"content": call.step.asked, "attachments": []}
        yield call.ended, "session.usage_record", {"usage": _usage(call)}
        yield call.ended, "assistant.message", _answer(call)
        if call.step.tool:
            result = {"toolCallId": f"toolu_{call.tool_id}", "result": {"content": call.step.result}}
            yield call.ended + 90, "tool.execution_complete", {**result, "success": True}
    whole = {
        "inputTokens": sum(call.prompt for call in calls),
        "outputTokens": sum(call.output for call in calls),
        "cacheReadTokens": sum(call.read for call in calls),
        "cacheWriteTokens": sum(call.written for call in calls),
    }
    metrics = {calls[0].model: {"requests": {"count": len(calls), "cost": 1}, "usage": whole}}
    yield calls[-1].ended + 4000, "session.shutdown", {"modelMetrics": metrics, "totalPremiumRequests": 1}


def _usage(call: Call) -> Json:
    return {
        "model": call.model,
        "inputTokens": call.prompt,
        "outputTokens": call.output,
        "cacheReadTokens": call.read,
        "cacheWriteTokens": call.written,
        "reasoningTokens": call.step.reasoning,
        "cost": 1,
        "duration": call.ended - call.began,
        "apiCallId": f"msg_{call.message_id}",
        "finishReason": "tool_calls" if call.step.tool else "stop",
    }


def _answer(call: Call) -> Json:
    wanted = {"toolCallId": f"toolu_{call.tool_id}", "name": call.step.tool, "arguments": call.step.arguments}
    return {
        "messageId": f"m-{call.message_id}",
        "model": call.model,
        "content": call.step.text,
        "toolRequests": [wanted] if call.step.tool else [],
        "outputTokens": call.output,
        "apiCallId": f"msg_{call.message_id}",
    }
