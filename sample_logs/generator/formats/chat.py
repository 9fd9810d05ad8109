"""Messages, answers and usage in the words of OpenAI's Chat interface, which many tools keep."""

from collections.abc import Sequence

from generator.blocks import Json, dump
from generator.formats.talk import Call


def prompt(system: str, calls: Sequence[Call], n: int) -> list[Json]:
    """Return the messages that the n-th call sends."""
    sent: list[Json] = [{"role": "system", "content": system}] if system else []
    for place, call in enumerate(calls[: n + 1]):
        if call.step.asked:
            sent.append({"role": "user", "content": call.step.asked})
        if place < n:
            sent.append(answer(call))
            sent += results(call)
    return sent


def answer(call: Call) -> Json:
    """Return what a call answers."""
    said: Json = {"role": "assistant", "content": call.step.text}
    if call.step.tool:
        function = {"name": call.step.tool, "arguments": dump(call.step.arguments)}
        said["tool_calls"] = [{"id": f"call_{call.tool_id}", "type": "function", "function": function}]
    return said


def results(call: Call) -> list[Json]:
    """Return what the tool gave that a call used."""
    if not call.step.tool:
        return []
    return [{"role": "tool", "tool_call_id": f"call_{call.tool_id}", "content": call.step.result}]


def completion(call: Call) -> Json:
    """Return a whole response."""
    reason = "tool_calls" if call.step.tool else "stop"
    return {
        "id": f"chatcmpl-{call.message_id}",
        "object": "chat.completion",
        "created": call.began // 1000,
        "model": call.model,
        "choices": [{"index": 0, "message": answer(call), "finish_reason": reason}],
        "usage": usage(call),
    }


def usage(call: Call) -> Json:
    """Return the counters of a call: the prompt holds what was cached, the output what was reasoned."""
    details: Json = {"cached_tokens": call.read}
    if call.written:
        details["cache_creation_tokens"] = call.written
    return {
        "prompt_tokens": call.prompt,
        "completion_tokens": call.output,
        "total_tokens": call.prompt + call.output,
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": call.step.reasoning},
    }
