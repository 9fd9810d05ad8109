"""Log records with which command-line agents tell their calls: Claude Code, Gemini CLI and its forks.

Claude Code's counters stand side by side. Those of Gemini CLI are the provider's (`formats/gemini/usage.py`),
and it tells each call again as an event of the GenAI conventions, without the cache and without what was
thought.
"""

from collections.abc import Mapping
from typing import Any, Final

from costscan.formats.agents.blocks import word
from costscan.formats.agents.otlp import Record
from costscan.reading.conversation.token_classes import GEMINI, Told, classes_of
from costscan.reading.conversation.usage import UNKNOWN_TTL, Counters, number

_GEMINI_INPUT: Final = "input_token_count"
_MAIN: Final = ("sdk", "main", "repl_main_thread", "cli")
"""How the words begin that clients have for calls of the main loop."""


def counters_of(log: Record) -> Counters | None:
    """Return the counters that an event of a client tells, None where a log record is none."""
    names = (log.name, word(log.attributes.get("event.name")) or "")
    if "input_tokens" in log.attributes and any(name.endswith("api_request") for name in names):
        return _claude(log.attributes)
    if _GEMINI_INPUT in log.attributes and any(name.endswith(".api_response") for name in names):
        return _gemini(log.attributes)
    return None


def restated_as(event: Record) -> tuple[str, ...] | None:
    """Return what an event of Gemini CLI and its restatement share: session, model, input and output."""
    names = ("session.id", "model", _GEMINI_INPUT, "output_token_count")
    own = event.attributes
    return tuple(str(own.get(name)) for name in names) if _GEMINI_INPUT in own else None


def side_call(attributes: Mapping[str, Any]) -> str | None:
    """Return what a call beside the main loop is for, None for one of the main loop."""
    told = word(attributes.get("query_source"))
    if told is None and _GEMINI_INPUT in attributes:
        told = word(attributes.get("role"))
    return None if told is None or told.startswith(_MAIN) else told


def _claude(attributes: Mapping[str, Any]) -> Counters:
    plain, output, cache_read, written = (
        number(attributes.get(f"{name}_tokens"))
        for name in ("input", "output", "cache_read", "cache_creation")
    )
    hour = number(attributes.get("cache_creation_1h_tokens", 0))
    short = None if written is None or hour is None else max(written - hour, 0)
    ttl = UNKNOWN_TTL if short and "cache_creation_1h_tokens" not in attributes else None
    return Counters(plain, cache_read, short, hour, output, None, 0, contradictory=False, cache_write_ttl=ttl)


def _gemini(attributes: Mapping[str, Any]) -> Counters:
    def count(name: str) -> int | None:
        return number(attributes.get(f"{name}_token_count", 0))

    told = Told(
        input_tokens=count("input"),
        output_tokens=count("output"),
        cache_read_tokens=count("cached_content"),
        reasoning_tokens=count("thoughts"),
        # A total of nothing is none.
        total_tokens=count("total") or None,
        tool_prompt_tokens=count("tool"),
    )
    return classes_of(told, GEMINI)
