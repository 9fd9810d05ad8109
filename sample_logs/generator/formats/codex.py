"""A Codex thread of version 0.171: a failing test is found and mended."""

from collections.abc import Iterator

from generator.blocks import Json, dump
from generator.clock import iso
from generator.dice import Dice
from generator.formats.talk import Call, Sample, Scene, Step, lines, play

SCENE = Scene(
    name="format-codex",
    model="gpt-5.5",
    start="2026-11-03T08:15:02Z",
    system="You are a coding agent in a terminal. Read before you write; run the tests at the end.",
    hidden=8_940,
    steps=(
        Step(
            "I run the one test first.",
            asked="test_lamp_order fails every other run. Find out why and mend it.",
            tool="shell",
            arguments={"command": ["pytest", "-q", "tests/test_lamps.py::test_lamp_order"]},
            result="F\n>   assert names == ['bow', 'mast', 'stern']\nE   'stern' != 'bow'\n1 failed in 0.21s",
            reasoning=128,
        ),
        Step(
            "The names come out of a set, I suppose.",
            tool="shell",
            arguments={"command": ["sed", "-n", "1,40p", "harbour/lamps.py"]},
            result=(
                '"""Lamps of a hull."""\n\nfrom harbour.hull import Hull\n\n\n'
                "def lamp_names(hull: Hull) -> list[str]:\n"
                '    """Names of the lamps that a hull must show, in order."""\n'
                "    wanted = {rule.lamp for rule in hull.rules if rule.at_night}\n    return list(wanted)\n"
            ),
        ),
        Step(
            "Yes: a set has no order that one could rely on. I sort it.",
            tool="apply_patch",
            arguments={
                "input": "*** Update File: harbour/lamps.py\n-return list(wanted)\n+return sorted(wanted)"
            },
            result="Done!",
            reasoning=64,
        ),
        Step(
            "`lamp_names` gave the names of a set; it sorts them now. The test passed twenty times in a row."
        ),
    ),
)


def tell(scene: Scene = SCENE) -> Sample:
    """Return the rollout."""
    calls, dice = play(scene), Dice(f"{scene.name} ids")
    thread = f"019f4b0c-{dice.hex(4)}-7{dice.hex(3)}-a{dice.hex(3)}-{dice.hex(12)}"
    name = f"sessions/2026/11/03/rollout-2026-11-03T08-15-02-{thread}.jsonl"
    return Sample({name: lines([*_opening(scene.system, calls[0], thread), *_rest(calls, thread)])}, calls)


def _line(at: int, kind: str, payload: Json) -> Json:
    return {"timestamp": iso(at), "type": kind, "payload": payload}


def _opening(system: str, first: Call, thread: str) -> Iterator[Json]:
    at = first.began
    meta = {
        "id": thread,
        "timestamp": iso(at),
        "cwd": "/home/ines/src/harbour",
        "originator": "codex_cli_rs",
        "cli_version": "0.171.0",
        "source": "cli",
        "base_instructions": {"text": system},
        "git": {"branch": "lamp-order"},
    }
    yield _line(at, "session_meta", meta)
    yield _line(at, "turn_context", {"turn_id": thread[:-2] + "a1", "model": first.model, "effort": "medium"})


def _rest(calls: list[Call], thread: str) -> Iterator[Json]:
    total: Json = {}
    for call in calls:
        if call.step.asked:
            yield _line(call.began, "response_item", _message("user", "input_text", call.step.asked))
        yield _line(call.ended, "response_item", _message("assistant", "output_text", call.step.text))
        if call.step.tool:
            yield _line(call.ended, "response_item", _tool_call(call))
        used = _usage(call)
        total = {name: total.get(name, 0) + count for name, count in used.items()}
        record = {"response_id": f"resp_{call.message_id}", "turn_id": thread[:-2] + "a1"}
        yield _line(call.ended, "token_usage_record", {**record, "usage": used, "thread_token_usage": total})
        info = {"last_token_usage": used, "total_token_usage": total, "model_context_window": 272_000}
        yield _line(call.ended, "event_msg", {"type": "token_count", "info": info, "rate_limits": None})
        if call.step.tool:
            output = {"call_id": f"call_{call.tool_id}", "output": call.step.result}
            yield _line(call.ended + 180, "response_item", {"type": "function_call_output", **output})


def _message(role: str, kind: str, text: str) -> Json:
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def _tool_call(call: Call) -> Json:
    step = call.step
    return {
        "type": "function_call",
        "name": step.tool,
        "arguments": dump(step.arguments),
        "call_id": f"call_{call.tool_id}",
    }


def _usage(call: Call) -> Json:
    return {
        "input_tokens": call.prompt,
        "cached_input_tokens": call.read,
        "cache_write_input_tokens": call.written,
        "output_tokens": call.output,
        "reasoning_output_tokens": call.step.reasoning,
        "total_tokens": call.prompt + call.output,
    }
