"""What `opencode run --format json` prints: events of the parts of messages, a `step_finish` a call.

No event tells which model was asked.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from costscan.formats.agents import blocks

_END: Final = "step_finish"
_KINDS: Final = frozenset({"step_start", "text", "reasoning", "tool_use", _END, "error"})


class Step(NamedTuple):
    """A call: its session, its message as the store would have it, and the parts that it wrote."""

    session: str
    message: Mapping[str, Any]
    parts: list[Mapping[str, Any]]


def is_event(line: Mapping[str, Any]) -> bool:
    """Whether a line is such an event."""
    has_part = isinstance(line.get("part"), dict) or line.get("type") == "error"
    return blocks.word(line.get("type")) in _KINDS and isinstance(line.get("sessionID"), str) and has_part


class Steps:
    """The steps that run, by session."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Mapping[str, Any]]] = {}
        self._began: dict[str, object] = {}
        self._ended: dict[str, int] = {}

    def take(self, line: Mapping[str, Any]) -> Step | None:
        """Add an event; return the call that it ends, if it ends one."""
        session, part = line["sessionID"], blocks.mapping_in(line, "part")
        if line["type"] == "step_start":
            self._began[session] = line.get("timestamp")
        if line["type"] != _END:
            self._parts.setdefault(session, []).append(part)
            return None
        name = blocks.word(part.get("messageID")) or blocks.word(part.get("id")) or f"{session} step"
        before = self._ended.get(name, 0)
        self._ended[name] = before + 1
        message = {
            # Of several calls that one message holds, the first is known by its name alone.
            "id": f"{name} {before}" if before else name,
            "modelID": part.get("modelID"),
            "tokens": part.get("tokens"),
            "cost": part.get("cost"),
            "finish": part.get("reason"),
            "time": {"created": self._began.pop(session, None), "completed": line.get("timestamp")},
        }
        return Step(session, message, self._parts.pop(session, []))
