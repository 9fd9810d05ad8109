"""A line of the log: what was asked and what came back, as it went over the wire, in JSON without keys."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Raw

Line: TypeAlias = dict[str, Any]
"""The fields of a line; `request`, `response` and `result` as raw JSON."""

FIELDS: Final[Mapping[str, str]] = {
    "run_id": "the run",
    "task": "what runs are compared by",
    "agent": "for a run inside a run: what it was called",
    "parent_run_id": "for a run inside a run: the outer one",
    "timestamp": "when the attempt that was answered began (UTC); of a batch, when it was made",
    "attempts": "attempts before it: their `timestamp`, `duration_ms`, `status`, `request_id`, `error`",
    "request": "the body that was sent, with the model where a platform has that in the address",
    "duration_ms": "from its beginning to the end of its answer",
    "status": "of HTTP",
    "request_id": "what the API calls the request, for its support",
    "ttft_ms": "of a stream: from its beginning to the first token",
    "error": "what broke the answer off; `ClosedByProgram` where the program did not read it to its end",
    "response": "the body that came back; an error costs nothing",
    "response_sse": "of a stream: its events, as they came",
    "custom_id": "of a result of a batch: which",
    "result": "of a result of a batch: what came back",
}
"""What a line can have; what is not known of a call is left out."""
_SECRET_HEADERS: Final = ("x-api-key", "authorization", "x-goog-api-key", "x-amz-security-token", "cookie")
_SHORTEST_KEY: Final = 8
_BEGIN_OF_KEY: Final = b"sk-ant-"
_KEY: Final = re.compile(_BEGIN_OF_KEY + rb"[-_A-Za-z0-9]{12,}")
_TOKEN_OF_A_SERVER: Final = re.compile(rb'("authorization_token"\s*:\s*)"(?:[^"\\]|\\.)*"')
"""What a request hands on to an MCP server."""
_REDACTED: Final = b"[key]"


class _Skipped(msgspec.Struct):
    """A JSON object that is only looked through."""


_encode_line = msgspec.json.Encoder().encode_lines
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


def without_tokens(body: bytes) -> bytes:
    """Return a request body without the tokens that it hands on to MCP servers."""
    return _TOKEN_OF_A_SERVER.sub(rb'\1"' + _REDACTED + b'"', body)


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
    text = _encode_line([{name: value for name, value in line.items() if value is not None}])
    # Every look through a prompt of a megabyte takes half a millisecond: most often one does.
    has_known_key = _BEGIN_OF_KEY in text
    for key in keys:
        if has_known_key or not key.startswith(_BEGIN_OF_KEY):
            text = text.replace(key, _REDACTED)
    return _KEY.sub(_REDACTED, text) if has_known_key else text


def _decoded(line: Line) -> Line:
    """Return a line with its JSON decoded, and with a `response` in place of the events of a stream."""
    from costscan.formats.api import sse  # noqa: PLC0415 - most programs redact nothing
    from costscan.formats.openai import answer  # noqa: PLC0415

    plain = {n: msgspec.json.decode(v) if isinstance(v, Raw) else v for n, v in line.items() if v is not None}
    events = plain.pop("response_sse", None)
    if isinstance(events, str):
        told = sse.events_of(events)
        failed = (event for event in told if event.get("type") == "error")
        plain["response"] = sse.assembled(told) or answer.answer_of(line) or next(failed, None)
    return plain
