"""A request of the Messages API with its response, as clients and proxies record them, taken apart."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from costscan.formats.api import sse
from costscan.formats.api.message import Message, lenient_message, word
from costscan.formats.api.proxy_body import body_of
from costscan.formats.api.request import Request, lenient_request
from costscan.reading.io import lenient_json


class Pair(Struct, gc=False):
    """A line: what was asked and what came back."""

    run_id: Any = None
    task: Any = None
    agent: Any = None
    parent_run_id: Any = None
    timestamp: Any = None
    duration_ms: Any = None
    ttft_ms: Any = None
    request: Raw = Raw()
    response: Raw = Raw()
    response_sse: Any = None
    custom_id: Any = None
    result: Raw = Raw()


_decode_request = msgspec.json.Decoder(Request).decode
_decode_response = msgspec.json.Decoder(Message).decode
_NOT_RUN: Final = frozenset({"errored", "canceled", "expired"})
"""What a batch says of an item that it did not run, and bills nothing for."""


def request_of(pair: Pair) -> Request:
    """Return the body of the request, an empty one where it cannot be read."""
    raw = body_of(pair.request)
    if not raw:
        return Request()
    try:
        return _decode_request(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        value = lenient_json.mapping(raw)
        return lenient_request(value) if value is not None else Request()


def response_of(pair: Pair) -> Message | None:
    """Return the response, streamed or not, out of what wraps it; None where there is none."""
    if isinstance(pair.response_sse, str):
        return lenient_message(sse.response_of(pair.response_sse))
    raw = body_of(pair.response)
    if pair.result and not raw:
        parsed = lenient_json.mapping(bytes(pair.result)) or {}
        return lenient_message(parsed.get("message"))
    if not raw:
        return None
    try:
        return _decode_response(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        value = lenient_json.mapping(raw)
        if value is None and b"data:" in raw:
            return lenient_message(sse.response_of(raw.decode("utf-8", "replace")))
        return lenient_message(value)


def is_answered(pair: Pair) -> bool:
    """Whether a pair has an answer of the Messages API, billed or not."""
    answer = response_of(pair)
    return (answer is not None and is_message(answer)) or is_free(pair, answer)


def is_message(answer: Message) -> bool:
    """Whether a response has the shape of a message; that of another API says which `object` it is."""
    if answer.type == "message":
        return True
    if answer.type == "error" or answer.object is not None:
        return False
    if (word(answer.id) or "").startswith("msg_") or b'"input_tokens"' in bytes(answer.usage):
        return True
    return answer.role == "assistant" and answer.content is not None


def is_free(pair: Pair, answer: Message | None) -> bool:
    """Whether this is an answer that is not billed: an error, or an item of a batch that was not run."""
    if answer is not None:
        return bool(answer.type == "error")
    if isinstance(pair.response_sse, str):
        return '"type":"error"' in pair.response_sse.replace(" ", "")
    result = lenient_json.mapping(bytes(pair.result)) or {}
    return word(result.get("type")) in _NOT_RUN
