"""What LiteLLM logs of calls that its proxy passed on: texts of a garden shop."""

from generator.blocks import Json
from generator.formats import chat, houses
from generator.formats.talk import Call, Sample, Scene, Step, lines, play

SCENE = Scene(
    name="format-litellm",
    model="gpt-5.5",
    start="2026-11-07T07:45:00Z",
    system=houses.garden(),
    steps=(
        Step(
            '{"title":"Cloche, glass, 30 cm across","doubts":[]}',
            asked="Title only: glass cloche with a knob, 30 cm across.",
        ),
        Step(
            '{"title":"Cane, bamboo, 120 cm, ten pieces","doubts":[]}',
            asked="Title only: bamboo canes, 1.2 m, bundle of ten.",
        ),
        Step(
            '{"title":"Twine, jute, 100 m","doubts":["The entry says both 100 m and 120 yards."]}',
            asked="Title only: jute twine, 100 m (120 yd), green.",
        ),
    ),
)


def tell(scene: Scene = SCENE) -> Sample:
    """Return one file of calls."""
    calls = play(scene)
    return Sample({"calls.jsonl": lines([_logged(scene.system, calls, n) for n in range(len(calls))])}, calls)


def _logged(system: str, calls: list[Call], n: int) -> Json:
    call = calls[n]
    return {
        "id": f"chatcmpl-{call.message_id}",
        "call_type": "acompletion",
        "status": "success",
        "cache_hit": False,
        "custom_llm_provider": "openai",
        "model": call.model,
        "model_group": "texts",
        "session_id": "garden-titles-1107",
        "trace_id": f"trace-{n + 1}",
        "startTime": call.began / 1000,
        "endTime": call.ended / 1000,
        "prompt_tokens": call.prompt,
        "completion_tokens": call.output,
        "total_tokens": call.prompt + call.output,
        "response_cost": float(call.usd),
        "metadata": {"usage_object": chat.usage(call)},
        "messages": chat.prompt(system, calls, n),
        "response": chat.completion(call),
        "model_parameters": {"max_tokens": 400},
    }
