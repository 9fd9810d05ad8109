"""What events of Managed Agents put into prompts and take out of them."""

from collections.abc import Mapping
from typing import Any, Final

from costscan.formats.agents import blocks, chat
from costscan.formats.agents.runs import Run
from costscan.reading.content.block import Block
from costscan.reading.content.measure import definition

TOOLS: Final = frozenset({"agent.tool_use", "agent.custom_tool_use", "agent.mcp_tool_use"})
_RESULTS: Final = {
    "agent.tool_result": "tool_use_id",
    "user.tool_result": "tool_use_id",
    "agent.mcp_tool_result": "mcp_tool_use_id",
    "user.custom_tool_result": "custom_tool_use_id",
}
_SAID: Final = frozenset({"user.message", "system.message", "agent.thread_message_received"})
_BEGINNINGS: Final = ("span.", "agent.", "user.", "session.status_", "session.thread_")
_OTHERS: Final = frozenset(
    {"session.usage", "session.updated", "session.error", "session.deleted", "system.message"}
)


def is_event(line: Mapping[str, Any]) -> bool:
    """Whether a line is an event of a session.

    Copilot's events have names like these, and all that they say under `data`.
    """
    kind = line.get("type")
    return isinstance(kind, str) and (kind in _OTHERS or kind.startswith(_BEGINNINGS)) and "data" not in line


def written(line: Mapping[str, Any]) -> list[Block]:
    """Return what the model wrote in an event, none where it is of another kind."""
    kind = line.get("type")
    if kind == "agent.message":
        return chat.content_of(line.get("content"))
    if kind in TOOLS:
        return [blocks.tool_use(line.get("name"), line.get("id"), line.get("input"))]
    return []


def send(run: Run, at: int, line: Mapping[str, Any]) -> None:
    """Add what the next request sends: what was said, what tools answered; after a compaction, anew."""
    kind = str(line.get("type"))
    if kind in _SAID:
        run.asks(at, chat.content_of(line.get("content")), by_person=kind == "user.message")
    elif kind == "user.define_outcome":
        run.asks(at, chat.content_of(line.get("description")))
    elif kind in _RESULTS:
        parts = chat.content_of(line.get("content"))
        text = "\n".join(part.text or "" for part in parts if part.type == "text")
        result = blocks.tool_result(line.get(_RESULTS[kind]), text, is_error=line.get("is_error") is True)
        run.asks(at, [result, *(part for part in parts if part.type != "text")], by_person=False)
    elif kind == "agent.thread_context_compacted":
        run.thread.forget()


def send_fixed(run: Run, at: int, agent: Mapping[str, Any]) -> None:
    """Add the system prompt of an agent and the definitions of its own tools."""
    for tool in blocks.list_in(agent, "tools"):
        if isinstance(tool, dict) and tool.get("type") == "custom":
            run.thread.sent(at, definition(tool), layer="tools", role="system")
    system = blocks.word(agent.get("system"))
    if system is not None:
        run.system(at, system)
