"""A streamed Messages API response, put together from its server-sent events.

`message_start` has the input side of the usage; the usage of `message_delta` is cumulative, so the last value
of each counter counts. Source: https://platform.claude.com/docs/en/build-with-claude/streaming
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from costscan.reading.io import lenient_json

_APPENDED: Final = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("_input", "partial_json"),
}

# Not `splitlines`: a JSON text may hold other line separators as they are.
_line_end = re.compile(r"\r\n|\n|\r")


def response_of(events: str) -> dict[str, Any] | None:
    """Return the response a text of server-sent events amounts to, or None when it holds no message."""
    return assembled(events_of(events))


def assembled(events: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the response that decoded events amount to, or None when they hold no message."""
    message: dict[str, Any] | None = None
    blocks: dict[int, dict[str, Any]] = {}
    for event in events:
        kind = event.get("type")
        if kind == "message_start" and isinstance(event.get("message"), dict):
            message = dict(event["message"])
        elif kind == "content_block_start" and isinstance(event.get("content_block"), dict):
            blocks[_index(event)] = dict(event["content_block"])
        elif kind == "content_block_delta" and isinstance(event.get("delta"), dict):
            _append(blocks.setdefault(_index(event), {"type": "text"}), event["delta"])
        elif kind == "message_delta" and message is not None:
            _finish(message, event)
    if message is not None:
        message["content"] = [_complete(blocks[i]) for i in sorted(blocks)]
    return message


def events_of(text: str) -> list[dict[str, Any]]:
    """Return the data of a text of server-sent events, those that are no JSON objects left out."""
    events = []
    for line in _line_end.split(text):
        if not line.startswith("data:"):
            continue
        event = lenient_json.mapping(line[5:].strip())
        if event is not None:
            events.append(event)
    return events


def _index(event: Mapping[str, Any]) -> int:
    index = event.get("index")
    return index if isinstance(index, int) else 0


def _append(block: dict[str, Any], delta: Mapping[str, Any]) -> None:
    names = _APPENDED.get(str(delta.get("type")))
    if names is not None:
        block[names[0]] = str(block.get(names[0]) or "") + str(delta.get(names[1]) or "")


def _finish(message: dict[str, Any], event: Mapping[str, Any]) -> None:
    usage = dict(message["usage"]) if isinstance(message.get("usage"), dict) else {}
    if isinstance(event.get("usage"), dict):
        usage.update({k: v for k, v in event["usage"].items() if v is not None})
    message["usage"] = usage
    if isinstance(event.get("delta"), dict):
        message["stop_reason"] = event["delta"].get("stop_reason") or message.get("stop_reason")
        if "stop_details" in event["delta"]:
            message["stop_details"] = event["delta"]["stop_details"]


def _complete(block: dict[str, Any]) -> dict[str, Any]:
    written = block.pop("_input", None)
    if written:
        try:
            block["input"] = json.loads(written)
        except (ValueError, RecursionError):
            block["input"] = {"partial_json": written}
    return block
