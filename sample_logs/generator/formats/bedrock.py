"""Records of Bedrock's invocation log: the parcel desk, behind a global inference profile.

The bodies of the last one are in objects of their own, as Bedrock puts those of more than 100 KB.
"""

import gzip

from generator.blocks import Json, dump
from generator.clock import iso
from generator.dice import Dice
from generator.formats import houses
from generator.formats.talk import Call, Sample, Scene, Step, lines, play

SCENE = Scene(
    name="format-bedrock",
    model="claude-sonnet-5-5",
    start="2026-11-19T08:20:00Z",
    system=houses.parcels(),
    hidden=205,  # the two tools
    steps=(
        Step(
            "I look at the events.",
            asked="The page says my parcel HP-4485-009-71 is held. By whom?",
            tool="carrier_events",
            arguments={"parcel": "HP-4485-009-71"},
            result="COL Granvik 16 Nov 10:05; HLD Granvik depot 17 Nov 07:30 (sender, until 20 Nov)",
        ),
        Step(
            "I leave a note.",
            tool="add_note",
            arguments={"parcel": "HP-4485-009-71", "note": "Asked who holds it: the sender, until 20 Nov."},
            result="ok",
        ),
        Step("The sender asked us to hold it until Friday 20 November.\n\nParcel desk, Halden"),
    ),
)
_EPHEMERAL = {"cache_control": {"type": "ephemeral"}}


def tell(scene: Scene = SCENE) -> Sample:
    """Return one file of records."""
    calls, dice = play(scene), Dice(f"{scene.name} ids")
    records = [_record(_request(scene.system, calls, n), calls[n], dice.uuid()) for n in range(len(calls))]
    apart = _put_apart(records[-1])
    return Sample({"invocations.jsonl": lines(records), **apart}, calls)


def _put_apart(record: Json) -> dict[str, str | bytes]:
    """Take the bodies out of a record, and return the objects that they are in."""
    objects: dict[str, str | bytes] = {}
    for side in ("input", "output"):
        name = f"data/{record['requestId']}_{side}.json.gz"
        objects[name] = gzip.compress(dump(record[side].pop(f"{side}BodyJson")).encode(), mtime=0)
        record[side][f"{side}BodyS3Path"] = f"s3://parcel-desk-logs/{name}"
    return objects


def _record(request: Json, call: Call, own: str) -> Json:
    asked: Json = {
        "inputContentType": "application/json",
        "inputBodyJson": request,
        "inputTokenCount": call.fresh,
        "cacheReadInputTokenCount": call.read,
        "cacheWriteInputTokenCount": call.written,
    }
    answered = {
        "outputContentType": "application/json",
        "outputBodyJson": _message(call),
        "outputTokenCount": call.output,
    }
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": iso(call.began, precise=False),
        "accountId": "111122223333",
        "identity": {"arn": "arn:aws:sts::111122223333:assumed-role/parcel-desk/worker"},
        "region": "eu-north-1",
        "requestId": own,
        "operation": "InvokeModel",
        "modelId": f"global.anthropic.{call.model}",
        "requestMetadata": {"run_id": "parcel-4485", "task": "parcel-desk"},
        "input": asked,
        "output": answered,
    }


def _request(system: str, calls: list[Call], n: int) -> Json:
    messages: list[Json] = []
    for place, call in enumerate(calls[: n + 1]):
        if call.step.asked:
            messages.append({"role": "user", "content": [{"type": "text", "text": call.step.asked}]})
        if place < n:
            result = {"tool_use_id": f"toolu_bdrk_{call.tool_id}", "content": call.step.result}
            messages.append({"role": "assistant", "content": _content(call)})
            messages.append({"role": "user", "content": [{"type": "tool_result", **result}]})
    messages[-1]["content"][-1].update(_EPHEMERAL)
    return {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 1024,
        "tools": houses.parcel_tools("carrier_events", "add_note"),
        "system": [{"type": "text", "text": system, **_EPHEMERAL}],
        "messages": messages,
    }


def _content(call: Call) -> list[Json]:
    content: list[Json] = [{"type": "text", "text": call.step.text}]
    if call.step.tool:
        used = {"id": f"toolu_bdrk_{call.tool_id}", "name": call.step.tool, "input": call.step.arguments}
        content.append({"type": "tool_use", **used})
    return content


def _message(call: Call) -> Json:
    split = {"ephemeral_5m_input_tokens": call.written, "ephemeral_1h_input_tokens": 0}
    return {
        "id": f"msg_bdrk_{call.message_id}",
        "type": "message",
        "role": "assistant",
        "model": call.model,
        "content": _content(call),
        "stop_reason": "tool_use" if call.step.tool else "end_turn",
        "usage": {
            "input_tokens": call.fresh,
            "cache_read_input_tokens": call.read,
            "cache_creation_input_tokens": call.written,
            "cache_creation": split,
            "output_tokens": call.output,
        },
    }
