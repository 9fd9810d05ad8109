"""Measures of a content block: its kind, hash, length and the tool call it belongs to."""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from costscan.reading.content import Block, Part, encode, hash_of, hash_text, image_tokens

_BASE64_CHARS_PER_BYTE: Final = 4 / 3


class Measured(Struct, gc=False):
    """What is kept of a block; `fixed_tokens` is the size of images, which have no characters.

    `said` is its text, or the raw input of a tool, for the thread that takes the block; it is not kept.
    """

    kind: str
    tool: str | None
    call_id: str | None
    content_hash: int | None
    args_hash: int | None
    chars: int
    fixed_tokens: int
    is_error: bool
    said: str | bytes | None = None


_any = msgspec.json.Decoder().decode


def measure(block: Block) -> Measured | None:
    """Give the measures of `block`; None for a marker that takes no tokens (a fallback notice)."""
    kind = block.type
    found = _BY_TYPE.get(kind) if type(kind) is str else None
    if found is not None:
        return found(block)
    if kind == "fallback":
        return None
    if isinstance(kind, str) and kind.endswith("_tool_result"):
        return _tool_result(block)
    return _text(block)


def text(said: str, kind: str = "text") -> Measured:
    """Give the measures of prompt text."""
    return Measured(kind, None, None, hash_text(said), None, len(said), 0, False, said)


def _text(block: Block) -> Measured:
    said = block.text
    if said is None:
        said = block.content if isinstance(block.content, str) else ""
    return text(said)


def _tool_use(block: Block) -> Measured:
    name = block.name if type(block.name) is str else ""
    call_id = block.id if type(block.id) is str else None
    raw = bytes(block.input)
    args = hash_of(raw)
    # The id is left out of the content hash: the same call made again is the same content.
    content = hash_of(name.encode() + raw) if name.isascii() else hash_text(name) ^ args
    return Measured("tool_use", name or None, call_id, content, args, len(raw) + len(name), 0, False, raw)


def _tool_result(block: Block) -> Measured:
    call_id = block.tool_use_id if type(block.tool_use_id) is str else None
    said, failed = block.content, block.is_error is True
    if type(said) is str:
        return Measured("tool_result", None, call_id, hash_text(said), None, len(said), 0, failed, said)
    if not said or isinstance(said, str):
        return Measured("tool_result", None, call_id, None, None, 0, 0, failed)
    texts = [part.text for part in said]
    chars = sum(map(len, texts))
    fixed = sum(image_tokens(part.source) for part in said if part.type == "image")
    shown = texts[0] if len(texts) == 1 else "\n".join(texts)
    return Measured("tool_result", None, call_id, _parts_hash(said), None, chars, fixed, failed, shown)


def _parts_hash(parts: list[Part]) -> int:
    if len(parts) == 1 and parts[0].text:
        return hash_text(parts[0].text)
    return hash_of(encode([[str(p.type), p.text, p.source] for p in parts]))


def _thinking(block: Block) -> Measured:
    said = block.thinking or (block.data if isinstance(block.data, str) else "")
    chars = len(said)
    if chars == 0 and isinstance(block.signature, str):
        # Newer logs leave the thinking out and keep its signature, whose length grows with it.
        chars = int(len(block.signature) / _BASE64_CHARS_PER_BYTE)
    return Measured(
        "thinking",
        None,
        None,
        hash_text(said or block.signature or "") if chars else None,
        None,
        chars,
        0,
        False,
        said,
    )


def _attached(block: Block) -> Measured:
    raw = bytes(block.source)
    try:
        source = _any(raw) if raw else None
    except msgspec.MsgspecError:
        source = None
    found = hash_of(raw) if raw else None
    if block.type == "image":
        return Measured("image", None, None, found, None, 0, image_tokens(source), False)
    data = source.get("data") if isinstance(source, dict) else None
    chars = len(data) if isinstance(data, str) else 0
    return Measured("document", None, None, found, None, chars, 0, False)


def definition(tool: object) -> Measured:
    """Give the measures of a tool definition; its name is in `tool`."""
    name = tool.get("name") if isinstance(tool, dict) else None
    raw = encode(tool)
    return Measured(
        "tool_def", name if isinstance(name, str) else None, None, hash_of(raw), None, len(raw), 0, False
    )


_BY_TYPE: Final[dict[str, Callable[[Block], Measured]]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _thinking,
    "tool_use": _tool_use,
    "server_tool_use": _tool_use,
    "mcp_tool_use": _tool_use,
    "tool_result": _tool_result,
    "image": _attached,
    "document": _attached,
}
