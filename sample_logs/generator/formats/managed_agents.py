"""A session of Claude Managed Agents with its events: a list of berths is checked."""

from collections.abc import Iterator

from generator.blocks import Json
from generator.clock import iso
from generator.dice import Dice
from generator.formats.talk import Call, Sample, Scene, Step, lines, play

SCENE = Scene(
    name="format-managed-agents",
    model="claude-sonnet-5-5",
    start="2026-11-23T11:30:00Z",
    system="You check lists of berths. Report what does not fit, and change nothing.",
    hidden=4_620,
    steps=(
        Step(
            "I read the list.",
            asked="Are there two berths with the same code in berths.csv?",
            tool="bash",
            arguments={"command": "cut -d, -f1 berths.csv | sort | uniq -d"},
            result="N-14",
        ),
        Step(
            "One code occurs twice.",
            tool="bash",
            arguments={"command": "grep -n ^N-14, berths.csv"},
            result="31:N-14,north pier,62\n58:N-14,north pier,66",
        ),
        Step("N-14 stands in lines 31 and 58, with lengths of 62 and 66 metres."),
    ),
)


def tell(scene: Scene = SCENE) -> Sample:
    """Return the session and its events, an object a line."""
    calls, dice = play(scene), Dice(f"{scene.name} ids")
    session = dice.name("sesn_01")
    return Sample({f"{session}.jsonl": lines([_head(scene, calls, session), *_events(calls, dice)])}, calls)


def _head(scene: Scene, calls: list[Call], session: str) -> Json:
    written = sum(call.written for call in calls)
    return {
        "id": session,
        "type": "session",
        "environment_id": "env_01berths",
        "title": "berths",
        "status": "idle",
        "created_at": iso(calls[0].began),
        "updated_at": iso(calls[-1].ended),
        "agent": {
            "id": "agent_01berths",
            "name": "berth-checker",
            "model": {"id": scene.model},
            "system": scene.system,
            "tools": [{"type": "agent_toolset_20260401"}],
        },
        "usage": {
            "input_tokens": sum(call.fresh for call in calls),
            "cache_read_input_tokens": sum(call.read for call in calls),
            "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
            "output_tokens": sum(call.output for call in calls),
        },
    }


def _events(calls: list[Call], dice: Dice) -> Iterator[Json]:
    def event(kind: str, at: int, **more: object) -> Json:
        return {"id": dice.name("sevt_01"), "type": kind, "processed_at": iso(at), **more}

    for call in calls:
        step = call.step
        if step.asked:
            yield event("user.message", call.began, content=[{"type": "text", "text": step.asked}])
        start = event("span.model_request_start", call.began)
        yield start
        yield event("agent.message", call.ended, content=[{"type": "text", "text": step.text}])
        used = event("agent.tool_use", call.ended, name=step.tool, input=step.arguments)
        if step.tool:
            yield used
        usage = {"model_request_start_id": start["id"], "is_error": False, "model_usage": _usage(call)}
        yield event("span.model_request_end", call.ended, **usage)
        if step.tool:
            content = [{"type": "text", "text": step.result}]
            yield event("agent.tool_result", call.ended + 240, tool_use_id=used["id"], content=content)


def _usage(call: Call) -> Json:
    return {
        "input_tokens": call.fresh,
        "cache_read_input_tokens": call.read,
        "cache_creation_input_tokens": call.written,
        "output_tokens": call.output,
    }
