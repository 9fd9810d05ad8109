"""What clients can be set to: for which runs together, and what not at all."""

from collections.abc import Mapping
from typing import Final

from costscan.actions import setting as kinds
from costscan.actions.setting import Setting

CLAUDE_CODE: Final = frozenset({"claude_code", "claude_stream"})
"""The log formats of a client whose settings hold for all its sessions, or for all its sub-agents."""
LEAST_WINDOW: Final = 100_000
"""`autoCompactWindow` is at least so many tokens: https://code.claude.com/docs/en/settings"""
_CHARS_PER_TOKEN: Final = 4
ENV: Final[Mapping[str, tuple[str, int]]] = {
    "mcp__": ("MAX_MCP_OUTPUT_TOKENS", 1),
    "Bash": ("BASH_MAX_OUTPUT_LENGTH", _CHARS_PER_TOKEN),
    "Read": ("CLAUDE_CODE_FILE_READ_MAX_OUTPUT_TOKENS", 1),
}
"""By how the name of a tool begins, the variable that limits its results, and what a token is in its unit.

Source: https://code.claude.com/docs/en/settings
"""
_CANNOT: Final = frozenset(
    {
        kinds.FIX_PREFIX,
        kinds.BREAKPOINTS,
        "trimming/drop-repeated-results",
        "trimming/resize-images",
        kinds.CLEAR,
        "trimming/prune-at-task-boundary",
        kinds.ASYNC,
        kinds.PACK,
    }
)
"""What no setting of Claude Code changes."""


_MODEL: Final = frozenset({kinds.ROUTE})
_CAN: Final[Mapping[str, frozenset[str]]] = {
    "cline": _MODEL,
    "codex": _MODEL | {kinds.COMPACT, kinds.CAP, kinds.DEFER},
    "copilot_cli": _MODEL,
    "gemini_cli": _MODEL,
    "opencode": _MODEL | {kinds.DEFER},
    "pi": _MODEL | {kinds.COMPACT},
}
"""By the log format of other ready-made agents, what they have a setting for.

Sources: https://developers.openai.com/codex/config-reference, https://opencode.ai/docs/config,
https://github.com/badlogic/pi-mono/blob/main/packages/coding-agent/docs/settings.md
"""


def is_settable(setting: Setting, client: str) -> bool:
    """Whether a client has a setting for it."""
    if client in _CAN:
        return setting.part in _CAN[client]
    if client not in CLAUDE_CODE:
        return True
    if setting.tool is not None:
        return limit_of(setting) is not None
    return setting.part not in _CANNOT


def limit_of(setting: Setting) -> tuple[str, int] | None:
    """Return the variable of Claude Code that limits the results of a tool, and its value."""
    for name, (variable, times) in ENV.items():
        if setting.tool and setting.tool.startswith(name):
            return variable, int(setting.value or 0) * times
    return None


__all__ = ["CLAUDE_CODE", "LEAST_WINDOW", "is_settable", "limit_of"]
