"""Measures of a content block: its kind, hash, length and the tool call it belongs to."""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from costscan.sources.content import Block, content_hash, hash_of, image_tokens, text_chars

_KINDS: Final = {
    "text": "text", "thinking": "thinking", "redacted_thinking": "thinking", "tool_use": "tool_use",
    "server_tool_use": "tool_use", "mcp_tool_use": "tool_use", "tool_result": "tool_result",
    "image": "image", "document": "document",
}
_BASE64_CHARS_PER_BYTE: Final = 4 / 3


class Measured(Struct, gc=False):
    """What is kept of a block; `fixed_tokens` is the size of images, which have no characters."""

    kind: str
    tool: str | None
    call_id: str | None
    content_hash: int | None
    args_hash: int | None
    chars: int
    fixed_tokens: int
    is_error: bool


class _Image(Struct, gc=False):
    type: object = None
    source: object = None


_parts = msgspec.json.Decoder(list[_Image]).decode
_any = msgspec.json.Decoder().decode


def measure(block: Block) -> Measured | None:
    """Give the measures of `block`; None for a marker that takes no tokens (a fallback notice)."""
    raw_kind = block.type if isinstance(block.type, str) else "text"
    kind = _KINDS.get(raw_kind) or ("tool_result" if raw_kind.endswith("_tool_result") else "text")
    if kind == "text":
        return None if raw_kind == "fallback" else _text(block)
    if kind == "tool_use":
        return _tool_use(block)
    if kind == "tool_result":
        return _tool_result(block)
    if kind == "thinking":
        return _thinking(block)
    return _attached(kind, block)


def text(raw: bytes) -> Measured:
    """Give the measures of a raw JSON string of prompt text."""
    return Measured("text", None, None, hash_of(raw), None, text_chars(raw), 0, False)


def _text(block: Block) -> Measured:
    return text(bytes(block.text or block.content or Raw(b'""')))


def _tool_use(block: Block) -> Measured:
    raw = bytes(block.input)
    name = block.name if isinstance(block.name, str) else None
    call_id = block.id if isinstance(block.id, str) else None
    args = hash_of(raw) if raw else None
    chars = len(raw) + len(name or "")
    # The id is left out of the content hash: the same call made again is the same content.
    return Measured("tool_use", name, call_id, content_hash((name or "").encode(), raw), args, chars, 0,
                    is_error=False)


def _tool_result(block: Block) -> Measured:
    raw = bytes(block.content)
    call_id = block.tool_use_id if isinstance(block.tool_use_id, str) else None
    found = hash_of(raw) if raw else None
    fixed = _images(raw) if raw[:1] == b"[" and b'"image"' in raw else 0
    chars = text_chars(raw) if raw else 0
    return Measured("tool_result", None, call_id, found, None, chars, fixed, block.is_error is True)


def _thinking(block: Block) -> Measured:
    raw = bytes(block.thinking or block.data)
    chars = text_chars(raw) if raw else 0
    if chars == 0 and block.signature:
        # Newer logs leave the thinking out and keep its signature, whose length grows with it.
        chars = int(len(block.signature) / _BASE64_CHARS_PER_BYTE)
    found = hash_of(raw) if chars else None
    return Measured("thinking", None, None, found, None, chars, 0, False)


def _attached(kind: str, block: Block) -> Measured:
    raw = bytes(block.source)
    try:
        source = _any(raw) if raw else None
    except msgspec.MsgspecError:
        source = None
    found = hash_of(raw) if raw else None
    if kind == "image":
        return Measured("image", None, None, found, None, 0, image_tokens(source), False)
    data = source.get("data") if isinstance(source, dict) else None
    chars = len(data) if isinstance(data, str) else 0
    return Measured("document", None, None, found, None, chars, 0, False)


def _images(raw: bytes) -> int:
    try:
        return sum(image_tokens(part.source) for part in _parts(raw) if part.type == "image")
    except msgspec.MsgspecError:
        return 0
