"""A trajectory of mini-swe-agent: a comparison that leaves the last minute out."""

import json

from generator.blocks import Json
from generator.formats import chat
from generator.formats.talk import Call, Sample, Scene, Step, play
from generator.props import Props

_PROPS = Props.load("format-mini-swe-agent")
SCENE = Scene(
    name="format-mini-swe-agent",
    model="claude-sonnet-5-5",
    start="2026-11-10T13:00:00Z",
    system=_PROPS["system"],
    steps=(
        Step(
            "I look for the comparison.\n```bash\ngrep -n 'closes' lantern/hours.py\n```",
            asked=_PROPS["issue"],
            result="14:    return self.opens <= at.replace(second=0) < self.closes - MINUTE",
        ),
        Step(
            "A minute too few.\n```bash\nsed -i '14s/ - MINUTE//' lantern/hours.py && pytest -q\n```",
            result="9 passed in 0.31s",
        ),
        Step(
            "Done.\n```bash\necho COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && git diff\n```",
            result="COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\n-... < self.closes - MINUTE\n+... < self.closes",
        ),
    ),
)


def tell(scene: Scene = SCENE) -> Sample:
    """Return one trajectory."""
    calls = play(scene)
    messages: list[Json] = [{"role": "system", "content": scene.system}]
    for call in calls:
        if call.step.asked:
            messages.append({"role": "user", "content": call.step.asked})
        messages.append(_answer(call))
        messages.append({"role": "user", "content": f"<output>\n{call.step.result}\n</output>"})
    info: Json = {
        "config": {"model": {"model_name": f"anthropic/{scene.model}"}},
        "model_stats": {"instance_cost": float(sum(call.usd for call in calls)), "api_calls": len(calls)},
        "exit_status": "Submitted",
        "mini_version": "2.0.0",
    }
    told = {
        "info": info,
        "messages": messages,
        "instance_id": "lantern__lantern-7",
        "trajectory_format": "mini-swe-agent-1.1",
    }
    content = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    return Sample({"lantern__lantern-7/lantern__lantern-7.traj.json": content}, calls)


def _answer(call: Call) -> Json:
    extra: Json = {
        "response": chat.completion(call),
        "cost": float(call.usd),
        "timestamp": call.ended / 1000,
    }
    return {"role": "assistant", "content": call.step.text, "extra": extra}
