"""Tokens of a picture, from the size that its header says.

One token a patch of 28 x 28 pixels, after it was shrunk to what the tokenizer family takes at most.
Source: https://platform.claude.com/docs/en/build-with-claude/vision
"""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Final

from costscan.reading.content.token_estimate import Weights
from costscan.tokenizers import FIRST, SECOND, TokenizerFamily

PATCH: Final = 28
UNKNOWN: Final[Weights] = (FIRST.unknown_image_tokens, SECOND.unknown_image_tokens)
_HEADER_CHARS: Final = 64
_SEARCHED_CHARS: Final = 1 << 18
"""Of a JPEG, whose size stands behind what its camera wrote, and maybe behind a small picture."""
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers of a JPEG that are followed by its size."""
_BARE: Final = frozenset({0x01, *range(0xD0, 0xDA)})
"""Markers without anything behind them."""
_FILL: Final = 0xFF
"""Begins a marker, and may be repeated before it."""


def image_tokens(source: object) -> tuple[Weights, bool]:
    """Return the tokens of a picture for each tokenizer family, and whether its size is known."""
    data = source.get("data") if isinstance(source, dict) else None
    size = _size(data) if isinstance(data, str) else None
    if size is None:
        return UNKNOWN, False
    return (_patches(*size, FIRST), _patches(*size, SECOND)), True


def _patches(width: int, height: int, family: TokenizerFamily) -> int:
    side, longest = family.image_side_px, max(width, height)
    if longest > side:
        width, height = (max(1, round(n * side / longest)) for n in (width, height))
    return min(-(-width // PATCH) * -(-height // PATCH), family.image_tokens)


def _size(data: str) -> tuple[int, int] | None:
    head = _decoded(data, _HEADER_CHARS)
    if head[:3] == b"\xff\xd8\xff":
        size = _of_jpeg(_decoded(data, _SEARCHED_CHARS))
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        size = _of_webp(head)
    elif head[:8] == b"\x89PNG\r\n\x1a\n":
        size = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    elif head[:4] == b"GIF8":
        size = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    else:
        size = None
    return size if size is not None and min(size) > 0 else None


def _decoded(data: str, chars: int) -> bytes:
    part = data[:chars]
    try:
        return b64decode(part + "=" * (-len(part) % 4))
    except (Base64Error, ValueError):
        return b""


def _of_jpeg(raw: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(raw) and raw[at] == _FILL:
        marker = raw[at + 1]
        if marker in _FRAMES:
            return int.from_bytes(raw[at + 7 : at + 9]), int.from_bytes(raw[at + 5 : at + 7])
        if marker == _FILL:
            at += 1
        else:
            at += 2 if marker in _BARE else 2 + int.from_bytes(raw[at + 2 : at + 4])
    return None


def _of_webp(raw: bytes) -> tuple[int, int] | None:
    kind = raw[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(raw[24:27], "little"), 1 + int.from_bytes(raw[27:30], "little")
    if kind == b"VP8 ":
        return int.from_bytes(raw[26:28], "little") & 0x3FFF, int.from_bytes(raw[28:30], "little") & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(raw[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None
