"""Content blocks: what is kept of a text once its line has been read (hash, length, shape), never the text.

Blocks are decoded with their texts still raw JSON, which is three times faster than decoding them; the
functions here measure raw JSON strings without decoding where that is exact.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any, Final

import msgspec
import xxhash
from msgspec import Raw, Struct


class Block(Struct, gc=False):
    """One content block of a message; texts, inputs and results stay raw JSON."""

    type: Any = None
    name: Any = None
    id: Any = None
    tool_use_id: Any = None
    is_error: Any = None
    cache_control: Any = None
    text: Raw = Raw()
    thinking: Raw = Raw()
    signature: Raw = Raw()
    input: Raw = Raw()
    content: Raw = Raw()
    source: Raw = Raw()
    data: Raw = Raw()


class _Source(Struct, gc=False):
    type: Any = None
    media_type: Any = None
    data: Any = None


class _Part(Struct, gc=False):
    type: Any = None
    text: Raw = Raw()
    source: Any = None


_RAW_FIELDS: Final = ("text", "thinking", "signature", "input", "content", "source", "data")
_decode_str = msgspec.json.Decoder(str).decode
_decode_parts = msgspec.json.Decoder(list[_Part]).decode
_MAX_HASH: Final = 1 << 63


def content_hash(*raws: bytes | Raw) -> int:
    """Give a 64-bit hash of raw JSON values, as a signed integer."""
    hasher = xxhash.xxh3_64()
    for raw in raws:
        hasher.update(memoryview(raw))
    found = hasher.intdigest()
    return found - 2 * _MAX_HASH if found >= _MAX_HASH else found


def hash_of(raw: bytes) -> int:
    """Give the 64-bit hash of one value, as a signed integer."""
    found = xxhash.xxh3_64_intdigest(raw)
    return found - 2 * _MAX_HASH if found >= _MAX_HASH else found


def string_chars(raw: bytes | Raw) -> int:
    """Count the characters of a raw JSON string. Decoding it is faster than counting its escapes."""
    try:
        return len(_decode_str(raw))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return max(len(memoryview(raw)) - 2, 0)


def text_chars(raw: bytes) -> int:
    """Count the characters of text in a raw JSON string or a raw list of content parts."""
    head = raw[:1]
    if head == b'"':
        return string_chars(raw)
    if head != b"[":
        return len(raw)
    try:
        return sum(string_chars(bytes(part.text)) for part in _decode_parts(raw) if part.text)
    except msgspec.MsgspecError:
        return len(raw)


def from_dict(value: dict[str, Any]) -> Block:
    """Give a `Block` of a decoded content block, for lines that need lenient reading."""
    plain = {k: value.get(k) for k in Block.__struct_fields__ if k not in _RAW_FIELDS}
    raws = {k: Raw(encode(value[k])) for k in _RAW_FIELDS if value.get(k) is not None}
    return Block(**plain, **raws)


def encode(value: object) -> bytes:
    """Give `value` as JSON; lone surrogates, which no UTF-8 can hold, become question marks."""
    try:
        return msgspec.json.encode(value)
    except (UnicodeEncodeError, RecursionError):
        return msgspec.json.encode(str(value).encode("utf-8", "replace").decode())


PIXELS_PER_TOKEN_SIDE: Final = 28
UNKNOWN_IMAGE_TOKENS: Final = 1500


def image_tokens(source: object) -> int:
    """Estimate the tokens of an image: one a 28 x 28 patch, capped; a middling figure for unknown sizes.

    Source: https://platform.claude.com/docs/en/build-with-claude/vision
    """
    data = source.get("data") if isinstance(source, dict) else getattr(source, "data", None)
    size = _png_size(data) if isinstance(data, str) else None
    if size is None:
        return UNKNOWN_IMAGE_TOKENS
    width, height = size
    return min(-(-width // PIXELS_PER_TOKEN_SIDE) * -(-height // PIXELS_PER_TOKEN_SIDE), 4784)


def _png_size(data: str) -> tuple[int, int] | None:
    try:
        head = b64decode(data[:44] + "=" * (-len(data[:44]) % 4))
    except (Base64Error, ValueError):
        return None
    if head[:8] != b"\x89PNG\r\n\x1a\n" or len(head) < 24:  # noqa: PLR2004 - the PNG header
        return None
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
