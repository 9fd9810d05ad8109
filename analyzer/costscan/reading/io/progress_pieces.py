"""What is left of a broken `progress` line: lines of a sub-agent, which do not say so themselves.

A client wrote each line of a sub-agent, and for a time all lines before it too, into a `progress` line of its
session. Where that is broken, the lines inside are read apart; what they belong to is said outside of them.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

_OUTER: Final = ("parentUuid", "sessionId")
_is_progress = re.compile(r'(?<!\\)"type"\s*:\s*"(?:agent_)?progress"')
_agent_id = re.compile(r'(?<!\\)"agentId"\s*:\s*"([^"\\]{1,200})"')


def is_progress(text: str) -> bool:
    """Whether a broken line, or a piece of it, is of a `progress` line."""
    return _is_progress.search(text) is not None


def of_sub_agent(text: str, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines from inside a broken line, those of a sub-agent named as such.

    Of what a sub-agent was sent only the first line is kept: those behind it repeat what was told before.
    Without its id, it is known by the line that the outer one hangs on.

    Args:
        text: the broken line.
        lines: what could be read of it, in its order.
    """
    if not is_progress(text):
        return list(lines)
    mark: dict[str, Any] = {"isSidechain": True}
    mark |= {key: found.group(1) for key in _OUTER if (found := _outer(text, key)) is not None}
    if ids := _agent_id.findall(text):
        mark["agentId"] = ids[-1]
    kept = [
        line for n, line in enumerate(lines) if n == 0 or not _is_inner(line) or line.get("type") != "user"
    ]
    return [line | mark if _is_inner(line) else line for line in kept]


def _outer(text: str, key: str) -> re.Match[str] | None:
    return re.search(rf'(?<!\\)"{key}"\s*:\s*"([^"\\]{{1,200}})"', text)


def _is_inner(line: dict[str, Any]) -> bool:
    """Whether a line does not say which session it is of, as whole lines of a transcript do."""
    return "message" in line and line.keys().isdisjoint({"sessionId", "session_id"})


__all__ = ["is_progress", "of_sub_agent"]
