"""A response of Chat Completions or the Responses API, streamed or not, out of what wraps it.

Sources: https://platform.openai.com/docs/api-reference/chat-streaming and /responses-streaming
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from costscan.formats.api.message import word
from costscan.formats.api.proxy_body import told_in
from costscan.formats.api.sse import events_of
from costscan.formats.openai import items
from costscan.reading.content.block import Block, text_block

_CHAT: Final = ("chat.completion", "text_completion")
_ENDS: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})
_NOT_BILLED: Final = frozenset({"queued", "in_progress", "failed", "cancelled"})
_OWN_CALLS: Final = frozenset({"function_call", "custom_tool_call", "local_shell_call", "computer_call"})
"""Calls of tools that the client runs."""
_WITH_FEES: Final = ("file_search_call", "code_interpreter_call", "image_generation_call", "computer_call")
"""What is billed by the call or by the session, beside its tokens."""


def answer_of(line: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the response of a line, put together where it was streamed; None where it holds none."""
    events = line.get("response_sse")
    told = events if isinstance(events, str) else told_in(line.get("response"))
    if isinstance(told, str):
        return _streamed(events_of(told)) if "data:" in told else None
    return told if told is not None else dict(line) if is_answer(line) else None


def is_chat(answer: Mapping[str, Any]) -> bool:
    """Whether a response is one of Chat Completions, or of the completions before it."""
    kind = answer.get("object")
    return (isinstance(kind, str) and kind.startswith(_CHAT)) or isinstance(answer.get("choices"), list)


def is_answer(answer: Mapping[str, Any]) -> bool:
    """Whether a response is one of these APIs."""
    return is_chat(answer) or (answer.get("object") == "response" and "output" in answer)


def is_free(answer: Mapping[str, Any]) -> bool:
    """Whether a response is not billed: an error, or the state of one that is not there yet."""
    if isinstance(answer.get("error"), dict) and not answer.get("usage"):
        return True
    return answer.get("usage") is None and word(answer.get("status")) in _NOT_BILLED


def written(answer: Mapping[str, Any]) -> list[Block]:
    """Return what the model wrote."""
    if not is_chat(answer):
        return [block for item in output(answer) for block in items.blocks_of(item)]
    found: list[Block] = []
    for choice in _objects(answer.get("choices")):
        message = choice.get("message")
        found += of_message(message) if isinstance(message, dict) else _text(choice.get("text"))
    return found


def of_message(message: Mapping[str, Any]) -> list[Block]:
    """Return the blocks of a message of an assistant: reasoning, what it says, what it calls."""
    thought = word(message.get("reasoning_content")) or word(message.get("reasoning"))
    blocks = [Block(type="thinking", thinking=thought)] if thought else []
    blocks += items.content_blocks(message.get("content")) or _text(message.get("refusal"))
    calls = _objects(message.get("tool_calls"))
    if isinstance(message.get("function_call"), dict):
        calls.append({"function": message["function_call"]})
    for call in calls:
        custom, function = call.get("custom"), call.get("function")
        told = function if isinstance(function, dict) else custom if isinstance(custom, dict) else {}
        arguments = told.get("arguments", told.get("input"))
        blocks.append(items.tool_use(call.get("id"), told.get("name"), arguments))
    return blocks


def output(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the items of a response of the Responses API."""
    return _objects(answer.get("output"))


def has_fees(answer: Mapping[str, Any]) -> bool:
    """Whether tools were used that are billed beside the tokens, at prices that are not known here."""
    return any(word(item.get("type")) in _WITH_FEES for item in output(answer))


def stop_reason(answer: Mapping[str, Any]) -> str | None:
    """Return why the model stopped; a response that calls tools is complete, and waits for their results."""
    choices, details = _objects(answer.get("choices")), answer.get("incomplete_details")
    if choices:
        return word(choices[0].get("finish_reason"))
    if any(word(item.get("type")) in _OWN_CALLS for item in output(answer)):
        return "tool_use"
    return (word(details.get("reason")) if isinstance(details, dict) else None) or word(answer.get("status"))


def _streamed(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the response that events amount to; without a usage where they end before it was told."""
    ended = next((event for event in reversed(events) if word(event.get("type")) in _ENDS), None)
    if ended is not None and isinstance(ended.get("response"), dict):
        done = [event["item"] for event in events if _is_done(event)]
        response: dict[str, Any] = ended["response"]
        return response if response.get("output") else {**response, "output": done}
    begun = next((e["response"] for e in events if isinstance(e.get("response"), dict)), None)
    if begun is not None:
        return {**begun, "status": None, "output": [event["item"] for event in events if _is_done(event)]}
    failed = next((event for event in events if isinstance(event.get("error"), dict)), None)
    return _chat([event for event in events if isinstance(event.get("choices"), list)]) or failed


def _is_done(event: Mapping[str, Any]) -> bool:
    return event.get("type") == "response.output_item.done" and isinstance(event.get("item"), dict)


def _chat(chunks: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the response that chunks amount to; its usage is the last that is told, not that of the last."""
    if not chunks:
        return None
    told = {key: value for chunk in chunks for key, value in chunk.items() if value is not None}
    by_index: dict[Any, dict[str, Any]] = {}
    for choice in (choice for chunk in chunks for choice in _objects(chunk.get("choices"))):
        one = by_index.setdefault(str(choice.get("index")), {"message": {"tool_calls": {}}})
        one["finish_reason"] = choice.get("finish_reason") or one.get("finish_reason")
        delta = choice.get("delta")
        _append(one["message"], delta if isinstance(delta, dict) else {"content": choice.get("text")})
    for one in by_index.values():
        one["message"]["tool_calls"] = list(one["message"]["tool_calls"].values())
    return {**told, "object": "chat.completion", "choices": list(by_index.values())}


def _append(message: dict[str, Any], delta: Mapping[str, Any]) -> None:
    for name in ("content", "refusal", "reasoning_content", "reasoning"):
        if isinstance(delta.get(name), str):
            message[name] = message.get(name, "") + delta[name]
    for call in _objects(delta.get("tool_calls")):
        one = message["tool_calls"].setdefault(str(call.get("index")), {"function": {"arguments": ""}})
        one["id"] = call.get("id") or one.get("id")
        function = call.get("function")
        if isinstance(function, dict):
            one["function"]["name"] = function.get("name") or one["function"].get("name")
            one["function"]["arguments"] += word(function.get("arguments")) or ""


def _text(value: object) -> list[Block]:
    return [text_block(value)] if isinstance(value, str) and value else []


def _objects(value: object) -> list[dict[str, Any]]:
    given: Iterable[Any] = value if isinstance(value, list) else ()
    return [one for one in given if isinstance(one, dict)]
