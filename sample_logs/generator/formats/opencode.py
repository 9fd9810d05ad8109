"""The store of OpenCode with one session: a changelog entry is written."""

from generator.blocks import Json, dump
from generator.formats.store import sqlite_file
from generator.formats.talk import Call, Sample, Scene, Step, play

SCENE = Scene(
    name="format-opencode",
    model="claude-sonnet-5-5",
    start="2026-11-11T15:40:00Z",
    hidden=9_870,
    steps=(
        Step(
            "I see what changed since the last entry.",
            asked="Write the changelog entry for what is on this branch.",
            tool="bash",
            arguments={"command": "git log --oneline main..", "description": "Commits of the branch"},
            result="4c1d0e2 Kites are weighed with their line\n9ab7731 Wind is read in knots everywhere",
        ),
        Step(
            "Two entries.",
            tool="edit",
            arguments={
                "filePath": "CHANGELOG.md",
                "oldString": "# Next\n",
                "newString": "# Next\n- Kites are weighed with their line.\n- Wind is given in knots.\n",
            },
            result="Edit applied successfully.",
        ),
        Step("The two changes stand under Next, in the words of the commits.", reasoning=36),
    ),
)
_SESSION = "ses_5a1f7c20effeKiteChangelog01"


def tell(scene: Scene = SCENE) -> Sample:
    """Return the store."""
    calls = play(scene)
    messages: list[tuple[str, str, int, str]] = []
    parts: list[tuple[str, str, str, int, str]] = []
    for n, call in enumerate(calls):
        for info, said in _messages(call, n):
            name = f"msg_5a1f7c2{len(messages):02}"
            messages.append((name, _SESSION, info["time"]["created"], dump(info)))
            parts += [
                (f"prt_5a1f7c2{len(messages):02}{p}", name, _SESSION, info["time"]["created"], dump(part))
                for p, part in enumerate(said)
            ]
    session = (_SESSION, "global", None, "calm-kite", "/home/ines/src/kite", "Changelog", calls[0].began)
    tables = {
        "session": (_typed("id", "project_id", "parent_id", "slug", "directory", "title"), [session]),
        "message": (_typed("id", "session_id"), messages),
        "part": (_typed("id", "message_id", "session_id"), parts),
    }
    for name in ("message", "part"):
        tables[name][0].append("data text")
    return Sample({"opencode.db": sqlite_file(tables)}, calls)


def _typed(*names: str) -> list[str]:
    typed = [f"{name} text" for name in names]
    return [f"{typed[0]} primary key", *typed[1:], "time_created integer"]


def _messages(call: Call, n: int) -> list[tuple[Json, list[Json]]]:
    told: list[tuple[Json, list[Json]]] = []
    if call.step.asked:
        own = {"role": "user", "time": {"created": call.began - 20}, "agent": "build"}
        told.append((own, [{"type": "text", "text": call.step.asked}]))
    return [*told, (_info(call, n), _parts(call))]


def _info(call: Call, n: int) -> Json:
    tokens = {
        "total": call.prompt + call.output,
        "input": call.fresh,
        "output": call.output - call.step.reasoning,
        "reasoning": call.step.reasoning,
        "cache": {"read": call.read, "write": call.written},
    }
    return {
        "role": "assistant",
        "time": {"created": call.began, "completed": call.ended},
        "parentID": "msg_5a1f7c200",
        "modelID": call.model,
        "providerID": "anthropic",
        "mode": "build",
        "cost": float(call.usd),
        "tokens": tokens,
        "finish": "tool-calls" if call.step.tool else "stop",
        "path": {"cwd": "/home/ines/src/kite", "root": "/home/ines/src/kite"},
        "step": n,
    }


def _parts(call: Call) -> list[Json]:
    parts: list[Json] = [{"type": "step-start"}, {"type": "text", "text": call.step.text}]
    if call.step.tool:
        state = {"status": "completed", "input": call.step.arguments, "output": call.step.result}
        parts.append(
            {"type": "tool", "tool": call.step.tool, "callID": f"toolu_{call.tool_id}", "state": state}
        )
    return parts
