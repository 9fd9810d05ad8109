"""A log of Inspect AI, a zip: two samples of a task about tides, with a tool."""

import io
import json
import zipfile

from generator.blocks import Json
from generator.clock import iso
from generator.dice import Dice
from generator.formats import chat
from generator.formats.talk import Call, Sample, Scene, Step, play

_SYSTEM = "Answer with a number in centimetres, nothing else. Use the calculator for every sum."


def _scene(number: int, start: str, sum_: str, answer: str) -> Scene:
    step = Step(
        "I work it out.",
        asked=f"High water is {sum_.partition('-')[0]} cm, low water {sum_.partition('-')[2]} cm. The range?",
        tool="calculator",
        arguments={"sum": sum_},
        result=answer,
    )
    steps = (step, Step(answer))
    return Scene(f"format-inspect-{number}", "claude-haiku-5-5", start, steps, _SYSTEM, hidden=640)


_SCENES = (
    _scene(1, "2026-11-14T20:00:00Z", "655-71", "584"),
    _scene(2, "2026-11-14T20:00:09Z", "671-64", "607"),
)


def tell(*scenes: Scene) -> Sample:
    """Return the log of some samples, of two where none are given."""
    scenes = scenes or _SCENES
    dice = Dice(f"{scenes[0].name} ids")
    header: Json = {
        "version": 2,
        "status": "success",
        "eval": {
            "run_id": dice.name("", 22),
            "task": "tidal-range",
            "model": f"anthropic/{scenes[0].model}",
            "created": "2026-11-14T20:00:00+00:00",
        },
        "plan": {"steps": [{"solver": "generate"}]},
        "stats": {"started_at": "2026-11-14T20:00:00+00:00"},
    }
    members: dict[str, Json] = {"header.json": header}
    told: list[Call] = []
    for number, scene in enumerate(scenes, 1):
        calls = play(scene)
        told += calls
        events = [_event(calls, n, dice.name("", 22)) for n in range(len(calls))]
        members[f"samples/{number}_epoch_1.json"] = {"id": number, "epoch": 1, "events": events}
    return Sample({"2026-11-14T20-00-00+00-00_tidal-range.eval": _zip(members)}, told)


def _zip(members: dict[str, Json]) -> bytes:
    """Return a zip that is the same to the byte each time: nothing deflated, no clock, no system."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, value in members.items():
            info = zipfile.ZipInfo(name, (2026, 11, 14, 20, 0, 0))
            info.create_system = 3
            archive.writestr(info, json.dumps(value, ensure_ascii=False))
    return content.getvalue()


def _event(calls: list[Call], n: int, own: str) -> Json:
    call = calls[n]
    message: Json = {"role": "assistant", "content": call.step.text}
    if call.step.tool:
        used = {"id": f"toolu_{call.tool_id}", "function": call.step.tool, "arguments": call.step.arguments}
        message["tool_calls"] = [used]
    usage = {
        "input_tokens": call.fresh,
        "output_tokens": call.output,
        "input_tokens_cache_read": call.read,
        "input_tokens_cache_write": call.written,
        "total_tokens": call.prompt + call.output,
    }
    choice = {"message": message, "stop_reason": "tool_calls" if call.step.tool else "stop"}
    return {
        "uuid": own,
        "event": "model",
        "timestamp": iso(call.began),
        "completed": iso(call.ended),
        "model": f"anthropic/{call.model}",
        "input": chat.prompt(_SYSTEM, calls, n),
        "output": {"model": call.model, "choices": [choice], "usage": usage},
    }
