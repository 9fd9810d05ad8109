"""What Cline and its kin write of the usage of a request, as token classes."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from costscan.formats.agents.blocks import word
from costscan.reading.conversation.token_classes import ANTHROPIC, OPENAI, Told, classes_of
from costscan.reading.conversation.usage import Counters, number

_INCLUSIVE: Final = frozenset({"openai", "litellm", "requesty", "together", "fireworks", "qwen"})
"""Providers of Cline whose `prompt_tokens` it takes as they are."""


def is_answered(info: Mapping[str, Any]) -> bool:
    """Whether a request was answered: it tells what came out or what it cost, and not that it was nothing."""
    told = (info.get("tokensOut"), info.get("cost"))
    return told != (None, None) and any(
        info.get(name) for name in ("tokensIn", "tokensOut", "cacheReads", "cacheWrites", "cost")
    )


def counters_of(info: Mapping[str, Any], provider: object, model: object) -> Counters:
    """Return the counters of a request; `contradictory` where they are the least that it can have been.

    DeepSeek's writes are what its cache missed, at the price of input. Thoughts of Gemini are not counted.
    """
    name = str(model).lower()
    written, plain = _cached(info.get("cacheWrites")), number(info.get("tokensIn"))
    inclusive, is_sure = _way(info, provider, name)
    if "deepseek" in name and written is not None:
        plain = plain if plain is None or inclusive else plain + written
        written = 0
    told = Told(
        input_tokens=plain,
        output_tokens=number(info.get("tokensOut")),
        cache_read_tokens=_cached(info.get("cacheReads")),
        cache_write_5m_tokens=written,
    )
    counted = classes_of(told, OPENAI if inclusive else ANTHROPIC)
    is_least = (not is_sure and bool(told.cached_tokens)) or "gemini" in name
    counted = replace(counted, thinking_tokens=None)
    return replace(counted, contradictory=True) if is_least else counted


def _way(info: Mapping[str, Any], provider: object, model: str) -> tuple[bool, bool]:
    """Return whether the input counter holds what was cached, and whether that is sure."""
    if "apiProtocol" in info:
        return True, True
    if word(provider) is not None:
        return provider in _INCLUSIVE, True
    return "claude" not in model, "claude" in model


def _cached(value: object) -> int | None:
    """Return a counter of the cache; versions that did not know of it leave it out."""
    return 0 if value is None else number(value)
