"""Parts of Gemini's contents as content blocks.

Source: https://ai.google.dev/api/caching#Part
"""

from collections.abc import Mapping
from typing import Any, Final

from costscan.formats.api.message import word
from costscan.reading.content.block import Block, encode, raw_json, text_block

_CALLS: Final = ("functionCall", "executableCode", "toolCall")
_RESULTS: Final = ("functionResponse", "codeExecutionResult", "toolResponse")


def blocks_of(content: object) -> list[Block]:
    """Return the blocks of a content: a message, or an instruction; a text stands for one part."""
    if isinstance(content, str):
        return [text_block(content)]
    told = content.get("parts") if isinstance(content, dict) else content
    given = told if isinstance(told, list) else [told]
    return [block for part in given if isinstance(part, dict) and (block := _block(part)) is not None]


def tool_of(block: Block) -> str | None:
    """Return the tool whose result a block is: results are told apart by its name, often by that alone."""
    return word(block.name) if block.type == "tool_result" else None


def _block(part: Mapping[str, Any]) -> Block | None:
    signature = word(part.get("thoughtSignature"))
    text = part.get("text")
    if isinstance(text, str):
        if part.get("thought") is True:
            return Block(type="thinking", thinking=text, signature=signature)
        return text_block(text)
    call, told = _first(part, _CALLS)
    if told is not None:
        given = told.get("args", told) if call == "functionCall" else told
        return Block(type="tool_use", id=word(told.get("id")), name=_name(told, call), input=raw_json(given))
    result, told = _first(part, _RESULTS)
    if told is not None:
        output = encode(told.get("response", told)).decode()
        name, call_id = _name(told, result), word(told.get("id"))
        return Block(type="tool_result", tool_use_id=call_id, name=name, content=output)
    return _attached(part)


def _first(part: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, dict[str, Any] | None]:
    return next(((name, part[name]) for name in names if isinstance(part.get(name), dict)), ("", None))


def _name(told: Mapping[str, Any], kind: str) -> str:
    return word(told.get("name")) or word(told.get("toolType")) or kind


def _attached(part: Mapping[str, Any]) -> Block | None:
    inline, linked = part.get("inlineData"), part.get("fileData")
    told = inline if isinstance(inline, dict) else linked
    if not isinstance(told, dict):
        return None
    media = word(told.get("mimeType")) or ""
    source = (
        {"type": "base64", "media_type": media, "data": told.get("data")}
        if isinstance(inline, dict)
        else {"type": "url", "url": told.get("fileUri")}
    )
    return Block(type="image" if media.startswith("image/") else "document", source=raw_json(source))
