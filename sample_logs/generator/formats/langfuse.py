"""An export of Langfuse: one trace with three generations of a garden shop's helper."""

import json

from generator.blocks import Json
from generator.clock import iso
from generator.dice import Dice
from generator.formats import chat, houses
from generator.formats.talk import Call, Sample, Scene, Step, play

SCENE = Scene(
    name="format-langfuse",
    model="gpt-5.5",
    start="2026-11-13T12:00:00Z",
    system=houses.garden(),
    steps=(
        Step(
            "I check the stock first.",
            asked="Write the title of article KG-20417, if we have any left.",
            tool="stock",
            arguments={"article": "KG-20417"},
            result='{"article":"KG-20417","name":"Water butt, oak, 120 l","left":3}',
        ),
        Step('{"title":"Water butt, oak, 120 l","doubts":[]}', reasoning=64),
        Step('{"title":"Water butt, oak, 120 l, with lid","doubts":[]}', asked="It comes with a lid."),
    ),
)


def tell(scene: Scene = SCENE) -> Sample:
    """Return one export."""
    calls, dice = play(scene), Dice(f"{scene.name} ids")
    trace = dice.hex(32)
    observed = [
        _generation(chat.prompt(scene.system, calls, n), calls[n], (trace, dice.hex(16)))
        for n in range(len(calls))
    ]
    about = {"id": trace, "name": "garden-helper", "timestamp": iso(calls[0].began), "userId": "desk-2"}
    told = {"trace": about, "observations": observed}
    return Sample({"trace.json": json.dumps(told, indent=1, ensure_ascii=False) + "\n"}, calls)


def _generation(asked: list[Json], call: Call, ids: tuple[str, str]) -> Json:
    trace, own = ids
    usage = {
        "input": call.fresh,
        "input_cached_tokens": call.read,
        "output": call.output - call.step.reasoning,
        "output_reasoning_tokens": call.step.reasoning,
        "total": call.prompt + call.output,
    }
    return {
        "id": own,
        "traceId": trace,
        "parentObservationId": None,
        "type": "GENERATION",
        "name": "OpenAI-generation",
        "startTime": iso(call.began),
        "endTime": iso(call.ended),
        "model": call.model,
        "input": asked,
        "output": chat.answer(call),
        "usageDetails": usage,
        "totalCost": float(call.usd),
    }
