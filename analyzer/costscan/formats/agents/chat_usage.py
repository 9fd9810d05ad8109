"""Usage as OpenAI's Chat interface and LiteLLM tell it, as token classes."""

from collections.abc import Mapping
from typing import Any, Final

from costscan.formats.agents.blocks import mapping_in
from costscan.formats.openai.usage import by_modality
from costscan.reading.conversation.token_classes import OPENAI, Told, classes_of
from costscan.reading.conversation.usage import UNKNOWN_TTL, Counters, number

_WRITTEN: Final = ("cache_creation_tokens", "cache_write_tokens", "cache_creation_input_tokens")
_LIFETIME: Final = "ephemeral_{}_input_tokens"
_CACHE: Final = frozenset({"prompt_tokens_details", "cache_read_input_tokens", "cached_tokens"})
"""Keys that say whether something was cached; null means that nothing was."""


def counters_of(usage: Mapping[str, Any]) -> Counters:
    """Return the counters of a `usage` with `prompt_tokens`, in which the cached ones are.

    One that leaves the details out does not tell what was cached: only the output is known then.
    """
    prompt, reply = (mapping_in(usage, f"{name}_tokens_details") for name in ("prompt", "completion"))
    split = mapping_in(prompt, "cache_creation_token_details")
    hour, half_hour, half_day = (_or_none(split.get(_LIFETIME.format(ttl))) for ttl in ("1h", "30m", "12h"))
    written = _first(
        prompt, usage, "cache_creation_tokens", "cache_write_tokens", "cache_creation_input_tokens"
    )
    told = Told(
        input_tokens=number(usage.get("prompt_tokens")),
        output_tokens=number(usage.get("completion_tokens")),
        cache_read_tokens=_first(prompt, usage, "cached_tokens", "cache_read_input_tokens"),
        cache_write_5m_tokens=None if written is None or hour is None else max(written - hour, 0),
        # Twelve hours cost more than the price of a write that is known.
        cache_write_1h_tokens=hour if half_day == 0 else None,
        reasoning_tokens=_or_none(reply.get("reasoning_tokens")),
        total_tokens=number(usage.get("total_tokens")),
        cache_write_ttl="12h"
        if half_day
        else "30m"
        if half_hour
        else None
        if _LIFETIME.format("5m") in split or hour
        else UNKNOWN_TTL,
    )
    told = told if prompt or _tells_cache(usage) else told._replace(cache_read_tokens=None)
    return by_modality(classes_of(told, OPENAI), usage)


def _tells_cache(usage: Mapping[str, Any]) -> bool:
    return "cache_read_input_tokens" in usage or "cached_tokens" in usage


def _or_none(value: object) -> int | None:
    """Return a counter of details: one that is not told counted nothing."""
    return 0 if value is None else number(value)


def _first(prompt: Mapping[str, Any], usage: Mapping[str, Any], *names: str) -> int | None:
    """Return the first counter of these names that counted something, 0 where none did."""
    told = [found for inner in (prompt, usage) for name in names if (found := inner.get(name))]
    return number(told[0]) if told else 0
