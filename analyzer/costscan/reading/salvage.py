"""The billed call on a line that is no JSON: its ids, model and usage, found in what is left of the line.

A redaction or a torn write may break the text of a message and leave its usage whole. Quotes inside a JSON
string are escaped, so an unescaped `"usage":` can only be a key.
"""

import re
from typing import Any, Final

from costscan.reading import loose

_usage_key = re.compile(r'(?<!\\)"usage"\s*:\s*(?=\{)')
# Not the uuid: taken from a stray piece of another line, it would pass that line off as a repeat.
_TOP: Final = (
    "parentUuid",
    "sessionId",
    "session_id",
    "requestId",
    "timestamp",
    "version",
    "agentId",
    "run_id",
    "parent_tool_use_id",
)


def salvage(text: str) -> dict[str, Any] | None:
    """Give an assistant line with no content for a broken line whose usage can be read, else None."""
    usage = _usage(text)
    model = _word(text, "model")
    if usage is None or model is None:
        return None
    line: dict[str, Any] = {key: found for key in _TOP if (found := _word(text, key)) is not None}
    message = {"id": _message_id(text), "model": model, "usage": usage, "role": "assistant"}
    if (stop := _word(text, "stop_reason")) is not None:
        message["stop_reason"] = stop
    sidechain = re.search(r'(?<!\\)"isSidechain"\s*:\s*true', text) is not None
    return {"type": "assistant", "isSidechain": sidechain, "message": message, **line}


def _usage(text: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = None
    for match in _usage_key.finditer(text):
        try:
            value, _ = loose.decoder.raw_decode(text, match.end())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and "output_tokens" in value:
            found = value
    return found


def _word(text: str, key: str) -> str | None:
    match = re.search(rf'(?<!\\)"{key}"\s*:\s*"([^"\\]{{1,200}})"', text)
    return match.group(1) if match else None


def _message_id(text: str) -> str | None:
    match = re.search(r'(?<!\\)"id"\s*:\s*"(msg_[^"\\]{1,100})"', text)
    return match.group(1) if match else _word(text, "id")
