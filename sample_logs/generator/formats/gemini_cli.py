"""A chat of Gemini CLI: a table of tides is read."""

from collections.abc import Iterator

from generator.blocks import Json
from generator.clock import iso
from generator.dice import Dice
from generator.formats.talk import Call, Sample, Scene, Step, lines, play

SCENE = Scene(
    name="format-gemini-cli",
    model="gemini-2.5-flash",
    start="2026-11-12T06:30:00Z",
    hidden=7_310,
    steps=(
        Step(
            "I will read the table.",
            asked="Which day in tides.csv has the highest water?",
            tool="read_file",
            arguments={"file_path": "tides.csv"},
            result="day,low_cm,high_cm\n2026-11-10,88,612\n2026-11-11,71,655\n2026-11-12,64,671\n2026-11-13,69,660\n",
            reasoning=62,
        ),
        Step("The 12th, with 671 cm.", reasoning=18),
        Step("The 12th as well: 671 less 64 is 607 cm.", asked="And the greatest range?", reasoning=95),
    ),
)


def tell(scene: Scene = SCENE) -> Sample:
    """Return the chat."""
    calls, dice = play(scene), Dice(f"{scene.name} ids")
    session = dice.uuid()
    head: Json = {
        "sessionId": session,
        "projectHash": dice.hex(64),
        "startTime": iso(calls[0].began),
        "lastUpdated": iso(calls[-1].ended),
        "kind": "main",
    }
    name = f"tides/chats/session-2026-11-12T06-30-{session[:8]}.jsonl"
    return Sample({name: lines([head, *_messages(calls, dice)])}, calls)


def _messages(calls: list[Call], dice: Dice) -> Iterator[Json]:
    for call in calls:
        if call.step.asked:
            asked = [{"text": call.step.asked}]
            yield {"id": dice.uuid(), "timestamp": iso(call.began), "type": "user", "content": asked}
        answer = {
            "id": dice.uuid(),
            "timestamp": iso(call.ended),
            "type": "gemini",
            "content": call.step.text,
            "thoughts": [],
            "tokens": _tokens(call),
            "model": call.model,
        }
        yield answer
        if call.step.tool:
            yield {**answer, "toolCalls": [_tool_call(call)]}


def _tokens(call: Call) -> Json:
    return {
        "input": call.prompt,
        "output": call.output - call.step.reasoning,
        "cached": call.read,
        "thoughts": call.step.reasoning,
        "tool": 0,
        "total": call.prompt + call.output,
    }


def _tool_call(call: Call) -> Json:
    name = f"{call.step.tool}-{call.tool_id}"
    given = {"id": name, "name": call.step.tool, "response": {"output": call.step.result}}
    return {
        "id": name,
        "name": call.step.tool,
        "args": call.step.arguments,
        "result": [{"functionResponse": given}],
        "status": "success",
        "timestamp": iso(call.ended + 40),
    }
