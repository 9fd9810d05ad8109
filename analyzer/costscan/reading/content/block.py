"""Content blocks as logs hold them, decoded no further than is needed to measure them."""

import json
from typing import Any, Final

import msgspec
import xxhash
from msgspec import UNSET, Raw, Struct

from costscan.reading.io import lenient_json


class Part(Struct, gc=False):
    """One part of a tool result that is a list."""

    type: Any = None
    text: str = ""
    source: Any = None
    tool_name: Any = None


class Block(Struct, gc=False):
    """One content block of a message; inputs and attached data stay raw JSON."""

    type: Any = None
    text: str | None = None
    thinking: str | None = None
    signature: Any = None
    id: Any = None
    name: Any = None
    input: Raw = Raw()
    tool_use_id: Any = None
    content: str | list[Part] | None = None
    is_error: Any = None
    cache_control: Any = None
    source: Raw = Raw()
    data: Any = None
    to: Any = None
    trigger: Any = UNSET
    tool: Any = None
    citations: Raw = Raw()


_PLAIN: Final = (
    *("type", "signature", "id", "name", "tool_use_id", "is_error", "cache_control", "data", "to", "tool"),
)


def hash_of(raw: bytes | Raw) -> int:
    """Return a 63-bit hash."""
    return xxhash.xxh3_64_intdigest(raw) >> 1


def hash_text(text: str) -> int:
    """Return a 63-bit hash of a text, which may hold lone surrogates.

    Text beyond ASCII is hashed as UTF-32, which Python encodes twice as fast as UTF-8.
    """
    if text.isascii():
        return xxhash.xxh3_64_intdigest(text.encode()) >> 1
    return xxhash.xxh3_64_intdigest(text.encode("utf-32-le", "surrogatepass")) >> 1


def encode(value: object) -> bytes:
    """Return `value` as JSON: lone surrogates, which no UTF-8 holds, as escapes, what is too deep as null."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return bytes(raw_json(value)) or b"null"
    except RecursionError:
        return b"null"


def raw_json(value: object) -> Raw:
    """Return a decoded value as raw JSON, NaN and all: what cannot be counted must be seen.

    Nothing where it is null, or too deep.
    """
    try:
        return Raw() if value is None else Raw(json.dumps(value).encode())
    except RecursionError:
        return Raw()


def text_block(text: str) -> Block:
    """Return a text block."""
    return Block(type="text", text=text)


_decode_content = msgspec.json.Decoder(list[Block] | str | None).decode


def content_of(raw: bytes) -> list[Block] | str | None:
    """Return the content of a message from raw JSON, whatever types its blocks have."""
    try:
        return _decode_content(raw) if raw else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return lenient_content(lenient_json.value(raw))


def is_content(raw: bytes) -> bool:
    """Whether raw JSON is content as it should be: then no text in it is longer than itself."""
    try:
        _decode_content(raw or b"null")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def lenient_content(value: object) -> list[Block] | str | None:
    """Return the content of a message from a decoded value."""
    if isinstance(value, list):
        return [_lenient_block(item) for item in value]
    return value if isinstance(value, str) else None


def _lenient_block(item: object) -> Block:
    if isinstance(item, dict):
        return from_dict(item)
    return text_block(item if isinstance(item, str) else str(item))


def from_dict(value: dict[str, Any]) -> Block:
    """Return a `Block` of a decoded content block, whatever types its fields have."""
    return Block(
        **{name: value.get(name) for name in _PLAIN},
        text=_string(value.get("text")),
        thinking=_string(value.get("thinking")),
        content=_parts(value.get("content")),
        input=_raw(value.get("input")),
        source=_raw(value.get("source")),
        citations=_raw(value.get("citations")),
        trigger=value.get("trigger", UNSET),
    )


def _string(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def _raw(value: object) -> Raw:
    return Raw() if value is None else Raw(encode(value))


def _parts(value: object) -> str | list[Part] | None:
    if isinstance(value, dict) and isinstance(value.get("tool_references"), list):
        # The result of a tool search by the API.
        value = value["tool_references"]
    if not isinstance(value, list):
        return _string(value)
    return [
        Part(item.get("type"), _string(item.get("text")) or "", item.get("source"), item.get("tool_name"))
        if isinstance(item, dict)
        else Part("text", str(item))
        for item in value
    ]
