"""Content blocks: the API's JSON for each, with its size in tokens."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from generator import tokens
from generator.dice import Dice

Json = dict[str, Any]

_TEXT_FRAME = 3
_TOOL_USE_FRAME = 14
_TOOL_RESULT_FRAME = 11
_TOOL_DEFINITION_FRAME = 9


@dataclass(frozen=True)
class Block:
    """One position of a prompt."""

    wire: Json
    tokens: int
    thinking: int = 0

    @cached_property
    def digest(self) -> str:
        """Hash of the content."""
        return hashlib.sha256(dump(self.wire).encode()).hexdigest()


def dump(value: object) -> str:
    """Compact JSON, the same bytes every time."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def hidden(name: str, size: int) -> Block:
    """Content that is in the prompt and in no log: Claude Code's system prompt and tool definitions."""
    return Block({"hidden": name}, size)


def tool_definitions(lines: str) -> tuple[Block, ...]:
    """Tools of the Messages API, one JSON object per line."""
    wires = [json.loads(line) for line in lines.split("\n")]
    return tuple(Block(wire, tokens.count(dump(wire)) + _TOOL_DEFINITION_FRAME) for wire in wires)


def text(content: str) -> Block:
    """A text block: system prompt, user message or answer."""
    return Block({"type": "text", "text": content}, tokens.count(content) + _TEXT_FRAME)


def thinking(size: int, dice: Dice) -> Block:
    """Reasoning whose text the API leaves out; its tokens are billed and carried all the same."""
    return Block({"type": "thinking", "thinking": "", "signature": dice.signature()}, size, size)


def tool_use(call_id: str, name: str, arguments: Json) -> Block:
    """A tool call."""
    wire = {"type": "tool_use", "id": call_id, "name": name, "input": arguments, "caller": {"type": "direct"}}
    return Block(wire, tokens.count(name) + tokens.count(dump(arguments)) + _TOOL_USE_FRAME)


def tool_result(call_id: str, content: str | list[Json], *, is_error: bool | None) -> Block:
    """What a tool gave back."""
    wire: Json = {"tool_use_id": call_id, "type": "tool_result", "content": content}
    if is_error is not None:
        wire["is_error"] = is_error
    shown = content if isinstance(content, str) else "\n".join(str(part["text"]) for part in content)
    return Block(wire, tokens.count(shown) + _TOOL_RESULT_FRAME)
