"""Who speaks in a Codex rollout: what a person asked for, and which thread started another."""

import re
from collections.abc import Mapping
from typing import Any, Final

from costscan.formats.api.message import word
from costscan.reading.content.redaction import label

_MADE: Final = re.compile(r"\s*(?:<[A-Za-z_]+[\s>]|# AGENTS\.md instructions)")
"""How a text begins that the client wrote: its instructions and its notes are tagged."""
_AROUND: Final = re.compile(r"\s*# Context from my IDE setup:.*?## My request for Codex:\s*", re.DOTALL)
"""What an editor adds to the text of a person, in front of it."""


def asked(item: Mapping[str, Any]) -> str:
    """Return what a person asks for in an item; "" where it is none of a person."""
    if item.get("type") != "message" or item.get("role") != "user":
        return ""
    content = item.get("content")
    texts = (
        [word(part.get("text")) for part in content if isinstance(part, dict)]
        if isinstance(content, list)
        else []
    )
    return next((said for text in texts if text and (said := _said(text))), "")


def _said(text: str) -> str:
    around = _AROUND.match(text)
    said = text[around.end() :] if around else text
    return "" if _MADE.match(said) else said.strip()


def parent_of(meta: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the thread that started this one and what it is called there; None where nothing did."""
    source = meta.get("source")
    spawn = source.get("subagent") if isinstance(source, dict) else None
    told = spawn.get("thread_spawn") if isinstance(spawn, dict) else None
    if not isinstance(told, dict):
        return None, None
    role = word(told.get("agent_role")) or word(meta.get("agent_role"))
    return word(told.get("parent_thread_id")), label(role) if role else None
