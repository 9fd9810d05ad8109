"""A request to Chat Completions or the Responses API as the blocks of its prompt: tools, system, messages."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from costscan.formats.api.message import word
from costscan.formats.api.request import in_message
from costscan.formats.openai import items
from costscan.formats.openai.answer import of_message
from costscan.reading.content.block import Block, encode
from costscan.reading.content.measure import definition, text
from costscan.reading.prompt_diff.prompt import Sent

_SYSTEM: Final = ("system", "developer")


def blocks_of(request: Mapping[str, Any]) -> list[Sent]:
    """Return the blocks of a request in the order of the prompt, as far as they stand in it."""
    tools = [*items.definitions(request.get("tools")), *items.definitions(request.get("functions"))]
    sent = [Sent("tools", "system", _named(tool), None, -1, n, encode(tool)) for n, tool in enumerate(tools)]
    instructions = request.get("instructions")
    if isinstance(instructions, str) and instructions:
        sent.append(Sent("system", "system", text(instructions, "system"), None, -1, -1))
    is_first = True
    for number, message in enumerate(_messages(request)):
        role, blocks = _role(message), _blocks(message)
        is_first = is_first and role == "system"
        placed = [part for nth, block in enumerate(blocks) for part in in_message(block, role, number, nth)]
        sent += [_as_system(part) for part in placed] if is_first else placed
    return sent


def _messages(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = request.get("messages", request.get("input", request.get("prompt")))
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _named(tool: Mapping[str, Any]) -> Any:
    """Return the measures of a definition: Chat Completions has its name inside `function`."""
    inside = tool.get("function")
    measured = definition(tool)
    name = inside.get("name") if isinstance(inside, dict) else tool.get("name") or tool.get("type")
    return replace(measured, tool=name if isinstance(name, str) else None)


def _role(message: Mapping[str, Any]) -> str:
    role = message.get("role")
    if role in _SYSTEM:
        return "system"
    return "assistant" if role == "assistant" or items.is_written(message) else "user"


def _blocks(message: Mapping[str, Any]) -> list[Block]:
    role = word(message.get("role"))
    if role in {"tool", "function"}:
        return [items.tool_result(message.get("tool_call_id"), message.get("content"))]
    if role == "assistant" and message.get("type") is None:
        return of_message(message)
    return items.blocks_of(message)


def _as_system(part: Sent) -> Sent:
    return part._replace(layer="system", message=-1, measured=replace(part.measured, kind="system"))


def first_asked(request: Mapping[str, Any]) -> str:
    """Return the first text of a user, "" where there is none."""
    users = (message for message in _messages(request) if message.get("role") == "user")
    texts = (block.text for message in users for block in _blocks(message) if block.type == "text")
    return next((said for said in texts if said), "")
