"""Pairs of `generateContent`, the last one streamed: the parcel desk looks a parcel up."""

from generator.blocks import Json, dump
from generator.clock import iso
from generator.formats import houses
from generator.formats.talk import Call, Sample, Scene, Step, lines, play

SCENE = Scene(
    name="format-gemini-api",
    model="gemini-2.5-flash",
    start="2026-11-05T11:04:10Z",
    system=houses.parcels(),
    hidden=190,  # the two functions
    steps=(
        Step(
            "",
            asked="Where is HP-4480-113-27? It was due on Tuesday.",
            tool="carrier_events",
            arguments={"parcel": "HP-4480-113-27"},
            result="COL Osterhus 2 Nov 15:10; DEP Osterhus 2 Nov 18:44; HUB Osterhus 3 Nov 19:20",
            reasoning=83,
        ),
        Step(
            "",
            tool="depot_status",
            arguments={"place": "Osterhus hub", "days": 3},
            result="Sorting line 2 down since 3 Nov 18:00, backlog 2,140 parcels, expected clear 5 Nov 22:00",
            reasoning=41,
        ),
        Step(
            "It is at the Osterhus hub, where a sorting line has stood still since Tuesday evening. You can "
            "expect it on Monday 9 November.\n\nParcel desk, Halden",
            reasoning=57,
        ),
    ),
)
_URL = f"https://generativelanguage.googleapis.com/v1beta/models/{SCENE.model}:generateContent"


def tell(scene: Scene = SCENE) -> Sample:
    """Return one file of pairs."""
    calls = play(scene)
    return Sample({"pairs.jsonl": lines([_pair(scene.system, calls, n) for n in range(len(calls))])}, calls)


def _pair(system: str, calls: list[Call], n: int) -> Json:
    call = calls[n]
    pair: Json = {
        "run_id": "parcel-4480",
        "task": "parcel-desk",
        "timestamp": iso(call.began),
        "url": _URL,
        "duration_ms": call.ended - call.began,
        "request": _request(system, calls, n),
    }
    if n < len(calls) - 1:
        return {**pair, "response": _response(call, _parts(call), _usage(call))}
    half = len(call.step.text) // 2
    chunks = [
        _response(call, [{"text": call.step.text[:half]}], {**_usage(call), "candidatesTokenCount": 9}),
        _response(call, [{"text": call.step.text[half:]}], _usage(call)),
    ]
    return {**pair, "response_sse": "".join(f"data: {dump(chunk)}\r\n\r\n" for chunk in chunks)}


def _request(system: str, calls: list[Call], n: int) -> Json:
    tools = houses.parcel_tools("carrier_events", "depot_status")
    declared = [
        {"name": t["name"], "description": t["description"], "parameters": t["input_schema"]} for t in tools
    ]
    contents: list[Json] = []
    for place, call in enumerate(calls[: n + 1]):
        if call.step.asked:
            contents.append({"role": "user", "parts": [{"text": call.step.asked}]})
        if place < n:
            given = {"name": call.step.tool, "response": {"output": call.step.result}}
            contents.append({"role": "model", "parts": _parts(call)})
            contents.append({"role": "user", "parts": [{"functionResponse": given}]})
    return {
        "systemInstruction": {"parts": [{"text": system}]},
        "tools": [{"functionDeclarations": declared}],
        "contents": contents,
    }


def _parts(call: Call) -> list[Json]:
    step = call.step
    if step.tool:
        return [{"functionCall": {"name": step.tool, "args": step.arguments}}]
    return [{"text": step.text}]


def _response(call: Call, parts: list[Json], usage: Json) -> Json:
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": usage,
        "modelVersion": call.model,
        "responseId": call.message_id,
    }


def _usage(call: Call) -> Json:
    counts = {
        "promptTokenCount": call.prompt,
        "candidatesTokenCount": call.output - call.step.reasoning,
        "totalTokenCount": call.prompt + call.output,
        "cachedContentTokenCount": call.read,
        "thoughtsTokenCount": call.step.reasoning,
    }
    return {name: count for name, count in counts.items() if count}
