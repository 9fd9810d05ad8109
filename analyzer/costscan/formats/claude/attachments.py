"""Attachments of a transcript: reminders, files and notes that the client adds to the prompt.

A `prompt_snapshot` shows the system prompt and, since 2.1.267, the tool definitions: they become blocks of
their layers, in place of the hidden block that otherwise stands for both.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from msgspec import Raw

from costscan.formats.api.message import word
from costscan.formats.claude import people
from costscan.formats.claude.lines import Line
from costscan.reading.content.block import from_dict
from costscan.reading.content.deferred_tools import is_deferred
from costscan.reading.content.measure import definition, measure, text
from costscan.reading.conversation.thread import Thread
from costscan.reading.io import lenient_json

_SHOWN: Final = ("content", "prompt", "text", "snippet", "addedLines", "addedBlocks", "stdout")
_NOT_SENT: Final = frozenset(
    {
        "command_permissions",
        "hook_success",
        "hook_system_message",
        "compact_file_reference",
    }
)


def read(thread: Thread, line: int, told: Line) -> str:
    """Add what an attachment puts into the prompt of the next call: as `rendered` has it, where that is told.

    Returns what a person asks for in it, who wrote while the agent was at work; "" where nobody did.
    """
    attachment = lenient_json.mapping(bytes(told.attachment))
    if attachment is None:
        return ""
    with suppress(RecursionError):
        if attachment.get("type") == "prompt_snapshot":
            _snapshot(thread, line, attachment)
        elif shown := "\n".join(_rendered(told.rendered) or _shown(attachment)):
            thread.sent(line, text(shown))
        return _asked(attachment)
    return ""


def _asked(attachment: dict[str, Any]) -> str:
    if attachment.get("type") != "queued_command" or not people.by_person(attachment.get("origin")):
        return ""
    return next(filter(None, map(people.asked, _strings(attachment.get("prompt")))), "")


def _rendered(raw: Raw) -> list[str]:
    """Return the texts that were sent for an attachment, as versions since 2.1.267 keep them."""
    return _strings(lenient_json.value(bytes(raw)))


def _shown(attachment: Mapping[str, Any]) -> list[str]:
    """Return the texts of an attachment of which the log does not say how it was sent."""
    kind = word(attachment.get("type"))
    if kind in _NOT_SENT:
        return []
    if kind == "async_hook_response":
        response = _object(attachment.get("response"))
        context = _object(response.get("hookSpecificOutput")).get("additionalContext")
        return [*_strings(response.get("systemMessage")), *_strings(context)]
    return [s for key in _SHOWN for s in _strings(attachment.get(key))]


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, list):
        return [s for item in value for s in _strings(item)]
    if isinstance(value, dict):
        return _strings(value.get("content") or value.get("text") or value.get("file"))
    return []


def _snapshot(thread: Thread, line: int, snapshot: Mapping[str, Any]) -> None:
    tools = snapshot.get("tools") or snapshot.get("toolDefinitions")
    shown = [definition(tool) for tool in tools if not is_deferred(tool)] if isinstance(tools, list) else []
    system = snapshot.get("systemPrompt") or snapshot.get("system") or snapshot.get("content")
    parts = system if isinstance(system, list) else [system]
    thread.shows(line, shown, [text(told, "system") for part in parts for told in _strings(part)])


def replace_results(thread: Thread, raw: bytes) -> None:
    """Take what was sent in place of large results: the exact texts, which a line tells after them."""
    with suppress(RecursionError):
        told = lenient_json.value(raw)
        for one in map(_object, told if isinstance(told, list) else []):
            call_id, sent = one.get("toolUseId"), one.get("replacement")
            if isinstance(call_id, str) and isinstance(sent, str):
                result = {"type": "tool_result", "tool_use_id": call_id, "content": sent}
                if (measured := measure(from_dict(result))) is not None:
                    thread.replace_result(call_id, measured)
