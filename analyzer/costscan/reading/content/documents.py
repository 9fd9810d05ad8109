"""Tokens of a document, from what it holds: its text, its pages, or its parts.

A page of a PDF is sent as a picture and as the text on it; `tokenizers.toml` says what that comes to.
"""

import re
import zlib
from base64 import b64decode
from binascii import Error as Base64Error
from typing import Final

from costscan.reading.content.images import image_tokens
from costscan.reading.content.token_estimate import NOTHING, Weights, weigh
from costscan.tokenizers import FIRST, SECOND

SCANNED_PAGE: Final[Weights] = (FIRST.scanned_page_tokens, SECOND.scanned_page_tokens)
TEXT_PAGE: Final[Weights] = (FIRST.text_page_tokens, SECOND.text_page_tokens)
UNKNOWN: Final[Weights] = TEXT_PAGE
"""Of a document behind a file id or an address: a page; the bill of its turn tells more."""
_MOST_PAGES: Final = 1000
_MOST_UNPACKED: Final = 1 << 20
_PAGE: Final = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_PACKED: Final = re.compile(rb"/Type\s*/ObjStm\b.{0,400}?\bstream\r?\n", re.DOTALL)
_FONT: Final = re.compile(rb"/Font\b")
_SIZES: Final[dict[int, tuple[Weights, bool]]] = {}
_MOST_SIZES: Final = 1024


def document_tokens(source: object, content_hash: int | None) -> tuple[Weights, int, bool]:
    """Return the tokens of a document for each tokenizer family, its characters, whether that is its size."""
    fields = source if isinstance(source, dict) else {}
    data, parts = fields.get("data"), fields.get("content")
    if isinstance(parts, str | list):
        return _of_parts(parts)
    if not isinstance(data, str):
        return UNKNOWN, 0, False
    if fields.get("type") != "base64":
        return weigh(data), len(data), True
    size = _SIZES.get(content_hash) if content_hash is not None else None
    if size is None:
        size = _of_pdf(data)
        if len(_SIZES) >= _MOST_SIZES:
            _SIZES.clear()
        if content_hash is not None:
            # A prompt that grows sends the document with each request.
            _SIZES[content_hash] = size
    return size[0], 0, size[1]


def _of_parts(parts: object) -> tuple[Weights, int, bool]:
    if isinstance(parts, str):
        return weigh(parts), len(parts), True
    weights, chars, all_known = NOTHING, 0, True
    for part in parts if isinstance(parts, list) else ():
        if not isinstance(part, dict):
            continue
        if part.get("type") == "image":
            more, is_known = image_tokens(part.get("source"))
            all_known = all_known and is_known
        else:
            text = part.get("text")
            text = text if isinstance(text, str) else ""
            more, chars = weigh(text), chars + len(text)
        weights = weights[0] + more[0], weights[1] + more[1]
    return weights, chars, all_known


def _of_pdf(data: str) -> tuple[Weights, bool]:
    try:
        raw = b64decode(data + "=" * (-len(data) % 4))
    except (Base64Error, ValueError):
        return UNKNOWN, False
    objects = raw
    pages = len(_PAGE.findall(raw))
    if not pages:
        objects = b"\n".join(_unpacked(raw))
        pages = len(_PAGE.findall(objects))
    if not pages:
        return UNKNOWN, False
    first, second = TEXT_PAGE if _FONT.search(objects) else SCANNED_PAGE
    pages = min(pages, _MOST_PAGES)
    return (first * pages, second * pages), True


def _unpacked(raw: bytes) -> list[bytes]:
    """Return the objects of a PDF that stand in compressed streams."""
    out = []
    for match in _PACKED.finditer(raw):
        try:
            out.append(zlib.decompressobj().decompress(memoryview(raw)[match.end() :], _MOST_UNPACKED))
        except zlib.error:
            continue
    return out


__all__ = ["document_tokens"]
