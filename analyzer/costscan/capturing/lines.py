"""A line of the log: what was asked and what came back, as it went over the wire, in JSON without keys."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Raw

Line: TypeAlias = dict[str, Any]
"""The fields of a line; `request`, `response` and `result` as raw JSON."""

_SECRET_HEADERS: Final = ("x-api-key", "authorization", "x-goog-api-key", "x-amz-security-token", "cookie")
_SHORTEST_KEY: Final = 8
_KEY: Final = re.compile(rb"\bsk-(?:ant-)?[A-Za-z0-9][-_A-Za-z0-9]{18,}")
_TOKEN_OF_A_SERVER: Final = re.compile(rb'("authorization_token"\s*:\s*)"(?:[^"\\]|\\.)*"')
"""What a request hands on to an MCP server."""
_REDACTED: Final = b"[key]"


class _Skipped(msgspec.Struct):
    """A JSON object that is only looked through."""


_check = msgspec.json.Decoder(_Skipped).decode


def raw_object(body: bytes) -> Raw | None:
    """Return the JSON object that a body is, on one line; None where it is none."""
    try:
        _check(body)
        return Raw(body) if b"\n" not in body and b"\r" not in body else Raw(_on_one_line(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _on_one_line(body: bytes) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(body))


def with_model(body: bytes, model: object) -> bytes:
    """Return a request body with its model, which some platforms have in the address instead."""
    if not isinstance(model, str) or not body.startswith(b"{"):
        return body
    rest = body[1:].lstrip()
    return b'{"model":' + msgspec.json.encode(model) + (b"" if rest.startswith(b"}") else b",") + rest


def keys_in(headers: Mapping[str, str]) -> list[bytes]:
    """Return the keys that headers have."""
    values = (headers.get(name, "").removeprefix("Bearer ").strip() for name in _SECRET_HEADERS)
    return [value.encode() for value in values if len(value) >= _SHORTEST_KEY]


def encoded(line: Line, keys: Iterable[bytes], redact: Callable[[Line], Line | None] | None) -> bytes | None:
    """Return a line as it is written, with its line feed; None where `redact` wants none.

    Args:
        line: its fields; those that are None are left out.
        keys: what must not be in it.
        redact: what gets the line decoded, a stream put together, and returns what is written.
    """
    if redact is not None:
        shown = redact(_decoded(line))
        if shown is None:
            return None
        line = shown
    text = msgspec.json.encode({name: value for name, value in line.items() if value is not None})
    for key in keys:
        text = text.replace(key, _REDACTED)
    text = _KEY.sub(_REDACTED, text)
    return _TOKEN_OF_A_SERVER.sub(rb'\1"' + _REDACTED + b'"', text) + b"\n"


def _decoded(line: Line) -> Line:
    """Return a line with its JSON decoded, and with a `response` in place of the events of a stream."""
    from costscan.formats.api import sse  # noqa: PLC0415 - most programs redact nothing

    plain = {n: msgspec.json.decode(v) if isinstance(v, Raw) else v for n, v in line.items() if v is not None}
    events = plain.pop("response_sse", None)
    if isinstance(events, str):
        told = sse.events_of(events)
        failed = (event for event in told if event.get("type") == "error")
        plain["response"] = sse.assembled(told) or next(failed, None)
    return plain
