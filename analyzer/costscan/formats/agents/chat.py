"""Messages as chat interfaces have them (OpenAI's and Anthropic's shapes), as the parts of a prompt."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from costscan.formats.agents import blocks
from costscan.reading.content.block import Block, from_dict

_SYSTEM: Final = frozenset({"system", "developer"})
_OWN: Final = frozenset({"tool_use", "tool_result", "thinking", "redacted_thinking", "document"})


class Message(NamedTuple):
    """A message of a prompt: who says it, and its blocks."""

    role: str
    blocks: Sequence[Block]


class Prompt(NamedTuple):
    """A whole prompt: the definitions of its tools, the texts of its system prompt, its messages."""

    tools: Sequence[object] = ()
    system: Sequence[str] = ()
    messages: Sequence[Message] = ()


def prompt_of(messages: object, tools: object = None, system: object = None) -> Prompt:
    """Return the prompt of a request; what is no list has no messages in it."""
    listed = [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
    texts = [text for block in content_of(system) if (text := block.text)]
    texts += [b.text for m in listed if _is_system(m) for b in content_of(m.get("content")) if b.text]
    said = [message_of(m) for m in listed if not _is_system(m)]
    return Prompt([_definition(t) for t in tools] if isinstance(tools, list) else [], texts, said)


def _is_system(message: Mapping[str, Any]) -> bool:
    return blocks.word(message.get("role")) in _SYSTEM


def message_of(message: Mapping[str, Any]) -> Message:
    """Return a message of a conversation."""
    if message.get("role") == "tool" or message.get("type") == "function_call_output":
        call_id = message.get("tool_call_id") or message.get("call_id")
        content = message.get("content", message.get("output"))
        return Message("user", [blocks.tool_result(call_id, joined(content))])
    wrote = [blocks.thinking(thought)] if (thought := message.get("reasoning_content")) else []
    wrote += content_of(message.get("content"))
    wrote += [_tool_call(call) for call in blocks.list_in(message, "tool_calls") if isinstance(call, dict)]
    return Message("assistant" if message.get("role") == "assistant" else "user", wrote)


def answer_of(response: Mapping[str, Any]) -> list[Block]:
    """Return what a response of OpenAI's Chat interface says."""
    return [
        block
        for choice in blocks.list_in(response, "choices")
        for block in message_of({**blocks.mapping_in(choice, "message"), "role": "assistant"}).blocks
    ]


def stop_of(response: Mapping[str, Any]) -> str | None:
    """Return why a response of OpenAI's Chat interface ended."""
    choices = blocks.list_in(response, "choices")
    reason = choices[0].get("finish_reason") if choices and isinstance(choices[0], dict) else None
    return blocks.word(reason)


def content_of(content: object) -> list[Block]:
    """Return the content of a message as blocks."""
    if isinstance(content, str):
        return [blocks.text_block(content)] if content else []
    parts = content if isinstance(content, list) else []
    return [_part(part) for part in parts if isinstance(part, dict)]


def _part(part: Mapping[str, Any]) -> Block:
    if blocks.word(part.get("type")) in _OWN:
        return from_dict(dict(part))
    url = blocks.mapping_in(part, "image_url").get("url")
    if isinstance(url, str) and url.startswith("data:"):
        head, _, data = url.partition(",")
        return blocks.image(data, head.removeprefix("data:").partition(";")[0])
    if part.get("type") == "image":
        return from_dict(dict(part))
    return blocks.text_block(blocks.text_of(part.get("text")))


def joined(content: object) -> str:
    """Return the texts of a content as one."""
    if isinstance(content, list):
        return "\n".join(block.text or "" for block in content_of(content))
    return blocks.text_of(content)


def _tool_call(call: Mapping[str, Any]) -> Block:
    if isinstance(call.get("function"), str):
        return blocks.tool_use(call["function"], call.get("id"), call.get("arguments"))
    function = blocks.mapping_in(call, "function")
    return blocks.tool_use(function.get("name"), call.get("id"), function.get("arguments"))


def _definition(tool: object) -> object:
    return tool["function"] if isinstance(tool, dict) and isinstance(tool.get("function"), dict) else tool
