"""The body of a request or response in what a proxy logged around it: headers, a status, the body as text."""

import json
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from costscan.reading.content.block import raw_json
from costscan.reading.io import lenient_json

_HEAD_BYTES: Final = 100_000


class _Wrapped(Struct, gc=False):
    body: Raw = Raw()


_decode = msgspec.json.Decoder(_Wrapped).decode


def body_of(raw: Raw) -> bytes:
    """Return the body alone: JSON, or the text of a stream's events."""
    text = _unquoted(bytes(raw))
    if b'"body"' not in text[:_HEAD_BYTES]:
        return text
    try:
        body = bytes(_decode(text).body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        body = _loose_body(text)
    return _unquoted(body) or text


def told_in(value: object) -> dict[str, Any] | str | None:
    """Return the body of a decoded request or response: an object, or a text of events."""
    if value is None:
        return None
    if isinstance(value, dict) and "body" not in value:
        return value
    raw = body_of(raw_json(value))
    return lenient_json.mapping(raw) or raw.decode("utf-8", "replace")


def _loose_body(text: bytes) -> bytes:
    fields = lenient_json.mapping(text) or {}
    try:
        return json.dumps(fields["body"]).encode() if "body" in fields else b""
    except RecursionError:
        return b""


def _unquoted(raw: bytes) -> bytes:
    """Return what a JSON string says; anything else as it is."""
    text = lenient_json.value(raw) if raw[:1] == b'"' else None
    return text.encode("utf-8", "replace") if isinstance(text, str) else raw
