"""Attachments of a transcript: reminders, files and notes that the client adds to the prompt.

A `prompt_snapshot` shows the system prompt and, since 2.1.267, the tool definitions: they become blocks of
their layers, in place of the hidden block that otherwise stands for both.
"""

from contextlib import suppress
from typing import Any, Final

from costscan.formats.claude import people
from costscan.reading.content.deferred_tools import is_deferred
from costscan.reading.content.measure import definition, text
from costscan.reading.conversation.thread import Thread
from costscan.reading.io import lenient_json

_SHOWN: Final = ("content", "prompt", "snippet", "addedLines", "addedBlocks", "stdout")
_NOT_SENT: Final = frozenset(
    {
        "command_permissions",
        "hook_success",
        "hook_system_message",
        "compact_file_reference",
    }
)


def read(thread: Thread, line: int, raw: bytes) -> str:
    """Add what an attachment puts into the prompt of the next call.

    Returns what a person asks for in it, who wrote while the agent was at work; "" where nobody did.
    """
    attachment = lenient_json.mapping(raw)
    if attachment is None:
        return ""
    with suppress(RecursionError):
        _add(thread, line, attachment)
        return _asked(attachment)
    return ""


def _asked(attachment: dict[str, Any]) -> str:
    if attachment.get("type") != "queued_command" or not people.by_person(attachment.get("origin")):
        return ""
    return next(filter(None, map(people.asked, _strings(attachment.get("prompt")))), "")


def _add(thread: Thread, line: int, attachment: dict[str, Any]) -> None:
    kind = str(attachment.get("type"))
    if kind == "prompt_snapshot":
        _snapshot(thread, line, attachment)
    elif kind not in _NOT_SENT:
        shown = "\n".join(s for key in _SHOWN for s in _strings(attachment.get(key)))
        if shown:
            thread.sent(line, text(shown))


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, list):
        return [s for item in value for s in _strings(item)]
    if isinstance(value, dict):
        return _strings(value.get("content") or value.get("text") or value.get("file"))
    return []


def _snapshot(thread: Thread, line: int, snapshot: dict[str, Any]) -> None:
    thread.forget(layers=("tools", "system"))
    tools = snapshot.get("tools") or snapshot.get("toolDefinitions")
    for tool in tools if isinstance(tools, list) else []:
        if is_deferred(tool):
            continue
        thread.sent(line, definition(tool), layer="tools", role="system")
    system = snapshot.get("systemPrompt") or snapshot.get("system") or snapshot.get("content")
    for part in system if isinstance(system, list) else [system]:
        for prompt_text in _strings(part):
            thread.sent(line, text(prompt_text, "system"), layer="system", role="system")
