"""The CSV of OpenRouter's Activity page: three generations of one session, which tell no prompt."""

import csv
import io

from generator.clock import iso
from generator.formats.talk import Call, Sample, Scene, Step, play

SCENE = Scene(
    name="format-openrouter",
    model="gpt-5.5",
    start="2026-11-24T19:05:00Z",
    hidden=3_350,
    steps=(
        Step("The ferry at 7:40 has a place left.", asked="Is there a place on a ferry before eight?"),
        Step("Booked for two, with bicycles.", asked="Book two with bicycles.", reasoning=64),
        Step("You get back by the one at 18:10.", asked="And back?"),
    ),
)


def tell(scene: Scene = SCENE) -> Sample:
    """Return the table, the newest generation first."""
    calls = play(scene)
    table = io.StringIO()
    rows = csv.DictWriter(table, list(_row(scene, calls[0])), lineterminator="\n")
    rows.writeheader()
    rows.writerows(_row(scene, call) for call in reversed(calls))
    return Sample({"openrouter_activity_2026-11-24.csv": table.getvalue()}, calls)


def _row(scene: Scene, call: Call) -> dict[str, object]:
    return {
        "generation_id": f"gen-{call.began // 1000}-{call.message_id}",
        "created_at": iso(call.began).replace("T", " ").removesuffix("Z"),
        "cost_total": f"{call.usd:f}",
        "cost_web_search": "",
        "cost_cache": "",
        "tokens_prompt": call.prompt,
        "tokens_completion": call.output,
        "tokens_reasoning": call.step.reasoning,
        "tokens_cached": call.read,
        "model_permaslug": f"openai/{call.model}-20260423",
        "provider_name": "OpenAI",
        "variant": "standard",
        "cancelled": "false",
        "streamed": "true",
        "finish_reason_raw": "stop",
        "finish_reason_normalized": "stop",
        "generation_time_ms": call.ended - call.began,
        "api_key_name": "ferries",
        "app_name": "ferry-desk",
        "session_id": scene.name,
    }
