"""A trajectory of Harbor in ATIF: a file is renamed in a container."""

import json

from generator.blocks import Json
from generator.clock import iso
from generator.formats.talk import Call, Sample, Scene, Step, play

SCENE = Scene(
    name="format-atif",
    model="claude-haiku-5-5",
    start="2026-11-18T18:00:00Z",
    hidden=2_310,
    steps=(
        Step(
            "I list the folder.",
            asked="Rename every .jpeg in /photos to .jpg and write the number of them to /photos/count.txt.",
            tool="bash",
            arguments={"command": "ls /photos"},
            result="gull.jpeg\nmast.jpeg\nnotes.txt\nquay.jpeg",
        ),
        Step(
            "Three of them.",
            tool="bash",
            arguments={"command": "cd /photos && rename .jpeg .jpg *.jpeg && ls *.jpg | wc -l > count.txt"},
            result="(no output)",
        ),
        Step(
            "I look at the result.", tool="bash", arguments={"command": "cat /photos/count.txt"}, result="3"
        ),
        Step("Three pictures were renamed, and count.txt says 3."),
    ),
)


def tell(scene: Scene = SCENE) -> Sample:
    """Return one trajectory."""
    calls = play(scene)
    asked = {"step_id": 1, "source": "user", "message": calls[0].step.asked, "timestamp": iso(calls[0].began)}
    told = {
        "schema_version": "ATIF-v1.6",
        "session_id": "photos-rename__k3Fq",
        "agent": {"name": "terminus-2", "version": "2.1.0", "model_name": f"anthropic/{scene.model}"},
        "steps": [asked, *(_step(call, n) for n, call in enumerate(calls, 2))],
        "final_metrics": {
            "total_prompt_tokens": sum(call.prompt for call in calls),
            "total_completion_tokens": sum(call.output for call in calls),
            "total_cached_tokens": sum(call.read for call in calls),
            "total_cost_usd": float(sum(call.usd for call in calls)),
            "total_steps": len(calls) + 1,
        },
    }
    content = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    return Sample({"photos-rename__k3Fq/agent/trajectory.json": content}, calls)


def _step(call: Call, n: int) -> Json:
    step: Json = {
        "step_id": n,
        "timestamp": iso(call.ended),
        "source": "agent",
        "model_name": f"anthropic/{call.model}",
        "message": call.step.text,
        "metrics": {
            "prompt_tokens": call.prompt,
            "completion_tokens": call.output,
            "cached_tokens": call.read,
            "cost_usd": float(call.usd),
            "extra": {"cache_creation_input_tokens": call.written},
        },
    }
    if call.step.tool:
        name = f"call_{call.tool_id}"
        used = {"tool_call_id": name, "function_name": call.step.tool, "arguments": call.step.arguments}
        step["tool_calls"] = [used]
        step["observation"] = {"results": [{"source_call_id": name, "content": call.step.result}]}
    return step
