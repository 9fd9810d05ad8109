"""A request to the Gemini API as the blocks of its prompt: tools, system, messages."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from costscan.formats.api.message import word
from costscan.formats.api.request import in_message
from costscan.formats.gemini.parts import blocks_of as blocks_of_content
from costscan.formats.gemini.parts import tool_of
from costscan.reading.content.block import encode
from costscan.reading.content.measure import definition
from costscan.reading.prompt_diff.prompt import Sent


def blocks_of(request: Mapping[str, Any]) -> list[Sent]:
    """Return the blocks of a request in the order of the prompt, as far as they stand in it."""
    sent = [
        Sent("tools", "system", replace(definition(tool), tool=name), None, -1, n, encode(tool))
        for n, (name, tool) in enumerate(_tools(request.get("tools")))
    ]
    for nth, block in enumerate(blocks_of_content(request.get("systemInstruction"))):
        for part in in_message(block, "system", -1, nth):
            measured = replace(part.measured, kind="system")
            sent.append(part._replace(layer="system", measured=measured))
    for number, content in enumerate(_contents(request)):
        role = "assistant" if content.get("role") == "model" else "user"
        for nth, block in enumerate(blocks_of_content(content)):
            for part in in_message(block, role, number, nth):
                part.measured.tool = tool_of(block) or part.measured.tool
                sent.append(part)
    return sent


def first_asked(request: Mapping[str, Any]) -> str:
    """Return the first text of a user, "" where there is none."""
    users = (content for content in _contents(request) if content.get("role") != "model")
    texts = (block.text for content in users for block in blocks_of_content(content) if block.type == "text")
    return next((said for said in texts if said), "")


def _contents(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = request.get("contents")
    if isinstance(given, str):
        return [{"role": "user", "parts": [{"text": given}]}]
    contents = given if isinstance(given, list) else [given]
    return [one for one in contents if isinstance(one, dict)]


def _tools(tools: object) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    """Yield the functions that are declared one by one, and what the provider runs by its name."""
    given = tools if isinstance(tools, list) else [tools]
    for tool in (one for one in given if isinstance(one, dict)):
        for kind, told in tool.items():
            if kind == "functionDeclarations" and isinstance(told, list):
                yield from ((word(one.get("name")), one) for one in told if isinstance(one, dict))
            else:
                yield kind, {kind: told}
