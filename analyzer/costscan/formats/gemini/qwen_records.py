"""Records of Qwen Code's chats, a fork of Gemini CLI: `~/.qwen/projects/<project>/chats/<session>.jsonl`.

A record of type `assistant` is one model call with the provider's `usageMetadata`; of type `system` are its
events, of which `ui_telemetry` tells the same calls again.
"""

from collections.abc import Mapping
from typing import Any, Final

from costscan.formats.agents import blocks
from costscan.formats.agents.runs import Run, Runs, ToldCall
from costscan.formats.gemini.parts import blocks_of
from costscan.formats.gemini.usage import counters

_SAID: Final = frozenset({"user", "assistant", "tool_result"})
_SUMMED_UP: Final = "chat_compression"


def is_record(line: Mapping[str, Any]) -> bool:
    """Whether a line is such a record."""
    if blocks.word(line.get("sessionId")) is None:
        return False
    if line.get("type") == "system":
        return "subtype" in line and "systemPayload" in line
    return blocks.word(line.get("type")) in _SAID and "parts" in blocks.mapping_in(line, "message")


def add(runs: Runs, at: int, line: Mapping[str, Any]) -> None:
    """Add a record."""
    run = runs.of(line["sessionId"])
    run.project = blocks.word(line.get("cwd")) or run.project
    run.branch = blocks.word(line.get("gitBranch")) or run.branch
    if line["type"] == "assistant":
        _call(run, at, line)
    elif line["type"] == "system":
        _sum_up(run, at, line)
    else:
        run.asks(at, blocks_of(line["message"]), by_person=line["type"] == "user")


def _call(run: Run, at: int, line: Mapping[str, Any]) -> None:
    wrote = blocks_of(line["message"])
    told = ToldCall(
        line=at,
        model=line.get("model"),
        counters=counters(line.get("usageMetadata")),
        ended=blocks.word(line.get("timestamp")),
        message_id=blocks.word(line.get("uuid")),
        stop_reason="tool_use" if any(block.type == "tool_use" for block in wrote) else "end_turn",
    )
    run.called(told, wrote)


def _sum_up(run: Run, at: int, line: Mapping[str, Any]) -> None:
    """Begin anew with what is left of a conversation that was summed up."""
    if line.get("subtype") != _SUMMED_UP:
        return
    run.thread.forget()
    for content in blocks.list_in(line["systemPayload"], "compressedHistory"):
        run.asks(at, blocks_of(content), by_person=False)
