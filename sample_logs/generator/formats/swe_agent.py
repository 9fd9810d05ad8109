"""A trajectory of SWE-agent: what each step did, and what all of them cost."""

import json

from generator.blocks import Json
from generator.formats.talk import Call, Sample, Scene, Step, play

SCENE = Scene(
    name="format-swe-agent",
    model="gpt-5.5",
    start="2026-11-12T10:30:00Z",
    system="You are a helpful assistant that can interact with a computer to solve tasks.",
    hidden=640,
    steps=(
        Step(
            "I find where the gauge is read.",
            asked="The gauge shows the level of yesterday. It should show that of today.",
            tool="bash",
            arguments={"command": "grep -n day gauge/level.py"},
            result="21:    return levels[day - 1]",
        ),
        Step(
            "One day too early.",
            tool="bash",
            arguments={"command": "sed -i '21s/day - 1/day/' gauge/level.py && pytest -q"},
            result="14 passed in 0.52s",
        ),
        Step("Done.", tool="submit", arguments={}, result="+    return levels[day]"),
    ),
)


def tell(scene: Scene = SCENE) -> Sample:
    """Return one trajectory."""
    calls = play(scene)
    history: list[Json] = [
        {"role": "system", "content": scene.system, "agent": "main", "message_type": "system_prompt"},
        {"role": "user", "content": scene.steps[0].asked, "agent": "main", "message_type": "observation"},
    ]
    for call in calls:
        history += [
            {"role": "assistant", "content": call.step.text, "agent": "main", "message_type": "action"},
            {"role": "tool", "content": call.step.result, "agent": "main", "message_type": "observation"},
        ]
    told: Json = {
        "trajectory": [_step(call) for call in calls],
        "history": history,
        "info": {"exit_status": "submitted", "model_stats": _stats(calls), "swe_agent_version": "1.1.0"},
        "replay_config": json.dumps({"agent": {"model": {"name": scene.model}}}),
        "environment": "main",
    }
    name = "gauge__gauge-12"
    return Sample({f"{name}/{name}.traj": json.dumps(told, indent=2) + "\n"}, calls)


def _step(call: Call) -> Json:
    command = call.step.arguments.get("command", call.step.tool)
    return {
        "action": command,
        "observation": call.step.result,
        "response": call.step.text,
        "thought": call.step.text,
        "execution_time": 0.25,
        "state": {"working_dir": "/gauge"},
    }


def _stats(calls: list[Call]) -> Json:
    """Return the sums: dollars of all calls, and tokens as the client counts them, which is less."""
    return {
        "instance_cost": float(sum(call.usd for call in calls)),
        "tokens_sent": sum(call.prompt for call in calls) - 640 * len(calls),
        "tokens_received": sum(call.output for call in calls) - 20,
        "api_calls": len(calls),
    }
