"""The kinds of lines that Claude Code writes into a transcript beside what was said.

Collected from transcripts of versions up to 2.1.287 and from what other readers of them list.
"""

from collections.abc import Mapping
from typing import Any, Final

from costscan.formats.api.message import word
from costscan.formats.claude.lines import Line

STATE: Final = frozenset(
    {
        "agent-color",
        "agent-name",
        "agent-setting",
        "ai-title",
        "artifact-autoreact-ledger",
        "artifact-comment-monitor",
        "atis-latch",
        "attachment",
        "attribution-snapshot",
        "bridge-session",
        "content-replacement",
        "continued-in",
        "cost-state",
        "custom-title",
        "ended-by-model",
        "file-history-delta",
        "file-history-snapshot",
        "fork-context-ref",
        "frame-link",
        "history-suppression",
        "isolation-latch",
        "last-prompt",
        "marble-origami-commit",
        "marble-origami-reset",
        "marble-origami-snapshot",
        "mode",
        "permission-mode",
        "pr-link",
        "progress",
        "queue-operation",
        "relocated",
        "speculation-accept",
        "summary",
        "tag",
        "task-summary",
        "worktree-state",
    }
)
"""Kinds that no other format has, as far as is known."""
NO_CALL: Final = STATE | {"user", "system"}
_OF_JOURNAL: Final = frozenset({"launched", "started", "result"})


def is_journal(line: Mapping[str, Any]) -> bool:
    """Whether this is of the journal of a workflow (`workflows/wf_<id>/journal.jsonl`): no call is in it."""
    return word(line.get("type")) in _OF_JOURNAL and isinstance(line.get("key"), str) and "agentId" in line


def has_no_call(line: Line) -> bool:
    """Whether a line of a transcript, or of such a journal, is of a kind that bills nothing itself."""
    kind = word(line.type)
    return kind in NO_CALL or (kind in _OF_JOURNAL and line.message is None and line.session_id is None)
