"""Content of other agents' logs as the blocks that all formats are measured by."""

from collections.abc import Mapping
from typing import Any

from msgspec import Raw

from costscan.reading.content.block import Block, encode, text_block
from costscan.reading.io import lenient_json


def mapping_in(value: object, *path: str) -> Mapping[str, Any]:
    """Return the object under a path of keys, an empty one where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def list_in(value: object, key: str) -> list[Any]:
    """Return the list under a key, an empty one where there is none."""
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, list) else []


def word(value: object) -> str | None:
    """Return a text that says something, None for everything else."""
    return value if isinstance(value, str) and value else None


def text_of(value: object) -> str:
    """Return a value as the text in which it stands in a prompt."""
    if isinstance(value, str):
        return value
    return "" if value is None else encode(value).decode("utf-8", "replace")


def tool_use(name: object, call_id: object, arguments: object) -> Block:
    """Return a call of a tool; arguments may be an object or its JSON text."""
    if isinstance(arguments, str):
        parsed = lenient_json.value(arguments)
        arguments = arguments if parsed is None else parsed
    raw = Raw(encode({} if arguments is None else arguments))
    return Block(type="tool_use", id=word(call_id), name=word(name) or "unknown", input=raw)


def tool_result(call_id: object, content: object, *, is_error: bool = False) -> Block:
    """Return the result of a tool."""
    return Block(
        type="tool_result", tool_use_id=word(call_id), content=text_of(content), is_error=is_error or None
    )


def thinking(thought: object, signature: object = None) -> Block:
    """Return what a model thought."""
    return Block(type="thinking", thinking=text_of(thought), signature=word(signature))


def image(data: object, media_type: object) -> Block:
    """Return a picture given as base64."""
    source = {"type": "base64", "media_type": word(media_type) or "", "data": word(data) or ""}
    return Block(type="image", source=Raw(encode(source)))


__all__ = [
    "image",
    "list_in",
    "mapping_in",
    "text_block",
    "text_of",
    "thinking",
    "tool_result",
    "tool_use",
    "word",
]
