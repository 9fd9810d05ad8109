"""Spans of an agent by the GenAI conventions: three calls under one `invoke_agent`, an export a line."""

from generator.blocks import Json, dump
from generator.dice import Dice
from generator.formats import houses
from generator.formats.talk import Call, Sample, Scene, Step, lines, play

SCENE = Scene(
    name="format-otel",
    model="claude-sonnet-5-5",
    start="2026-11-09T10:12:00Z",
    system=houses.parcels(),
    steps=(
        Step(
            "I look at the events.",
            asked="HP-4481-560-02 was promised for today. Is it on a round?",
            tool="carrier_events",
            arguments={"parcel": "HP-4481-560-02"},
            result="COL Osterhus 6 Nov 14:02; DEP Osterhus 6 Nov 18:30; DEP Sundvik 9 Nov 03:55",
        ),
        Step(
            "No round yet; I ask the depot.",
            tool="depot_status",
            arguments={"place": "Sundvik depot"},
            result="Rounds leave from 10:30, two lorries late from Osterhus",
        ),
        Step("It is at the Sundvik depot and leaves on a round this morning.\n\nParcel desk, Halden"),
    ),
)


def tell(scene: Scene = SCENE) -> Sample:
    """Return one file of exports."""
    calls, dice = play(scene), Dice(f"{scene.name} ids")
    trace, agent = dice.hex(32), dice.hex(16)
    spans = [
        _span(_chat(scene.system, calls, n), (call.began, call.ended), (trace, dice.hex(16), agent))
        for n, call in enumerate(calls)
    ]
    whole: Json = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "parcel-desk",
        "gen_ai.usage.input_tokens": sum(call.prompt for call in calls),
        "gen_ai.usage.output_tokens": sum(call.output for call in calls),
    }
    spans.append(_span(whole, (calls[0].began, calls[-1].ended), (trace, agent, None)))
    return Sample({"traces.jsonl": lines([_export(span) for span in spans])}, calls)


def _chat(system: str, calls: list[Call], n: int) -> Json:
    call = calls[n]
    sent: list[Json] = []
    for place, before in enumerate(calls[: n + 1]):
        if before.step.asked:
            sent.append({"role": "user", "parts": [{"type": "text", "content": before.step.asked}]})
        if place < n:
            sent += [_answer(before), _result(before)]
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.conversation.id": "parcel-4481",
        "gen_ai.request.model": call.model,
        "gen_ai.response.model": call.model,
        "gen_ai.response.id": f"msg_{call.message_id}",
        "gen_ai.usage.input_tokens": call.prompt,
        "gen_ai.usage.output_tokens": call.output,
        "gen_ai.usage.cache_read.input_tokens": call.read,
        "gen_ai.usage.cache_creation.input_tokens": call.written,
        "gen_ai.system_instructions": dump([{"type": "text", "content": system}]),
        "gen_ai.input.messages": dump(sent),
        "gen_ai.output.messages": dump([_answer(call)]),
    }


def _answer(call: Call) -> Json:
    parts: list[Json] = [{"type": "text", "content": call.step.text}]
    if call.step.tool:
        used = {"id": f"toolu_{call.tool_id}", "name": call.step.tool, "arguments": call.step.arguments}
        parts.append({"type": "tool_call", **used})
    return {"role": "assistant", "parts": parts}


def _result(call: Call) -> Json:
    part = {"type": "tool_call_response", "id": f"toolu_{call.tool_id}", "response": call.step.result}
    return {"role": "tool", "parts": [part]}


def _span(attributes: Json, times: tuple[int, int], ids: tuple[str, str, str | None]) -> Json:
    (began, ended), (trace, own, above) = times, ids
    span: Json = {
        "traceId": trace,
        "spanId": own,
        "name": attributes["gen_ai.operation.name"],
        "kind": 3,
        "startTimeUnixNano": f"{began}000000",
        "endTimeUnixNano": f"{ended}000000",
        "attributes": [{"key": key, "value": _value(value)} for key, value in attributes.items()],
        "status": {},
    }
    return span if above is None else {**span, "parentSpanId": above}


def _value(value: str | int) -> Json:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


def _export(span: Json) -> Json:
    service = [{"key": "service.name", "value": {"stringValue": "parcel-desk"}}]
    scope = {"scope": {"name": "halden.agent", "version": "3.2.0"}, "spans": [span]}
    return {"resourceSpans": [{"resource": {"attributes": service}, "scopeSpans": [scope]}]}
