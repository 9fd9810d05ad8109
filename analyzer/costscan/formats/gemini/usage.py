"""`usageMetadata` of the Gemini API, as counters that are told.

The prompt counter holds what was cached and leaves out the prompt of tools; the candidates counter leaves out
what was thought. A counter that is zero is left out of the message.
Source: https://ai.google.dev/api/generate-content#UsageMetadata
"""

from collections.abc import Mapping
from typing import Any, Final

from costscan.reading.conversation.token_classes import GEMINI, Told, classes_of
from costscan.reading.conversation.usage import Counters, nothing_known, number

_OF_PROMPT: Final = ("promptTokensDetails", "toolUsePromptTokensDetails", "cacheTokensDetails")
_OF_ANSWER: Final = ("candidatesTokensDetails", "responseTokensDetails")
_TIERS: Final = {"ON_DEMAND": None, "ON_DEMAND_FLEX": "flex", "ON_DEMAND_PRIORITY": "priority"}


def counters(usage: object, *, searches: int = 0) -> Counters:
    """Return the billable counters of a `usageMetadata`, all of them unknown where it is none."""
    if not isinstance(usage, dict) or "promptTokenCount" not in usage:
        return nothing_known()
    told = Told(
        input_tokens=number(usage.get("promptTokenCount")),
        output_tokens=_left_out(usage, "candidatesTokenCount"),
        cache_read_tokens=_left_out(usage, "cachedContentTokenCount"),
        reasoning_tokens=_left_out(usage, "thoughtsTokenCount"),
        total_tokens=number(usage.get("totalTokenCount")),
        tool_prompt_tokens=_left_out(usage, "toolUsePromptTokenCount"),
        web_searches=searches,
    )
    return classes_of(told, GEMINI)


def _left_out(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return 0 if value is None else number(value)


def is_beside_text(usage: object) -> bool:
    """Whether sound went in, or sound or pictures came out: their tokens have other prices than text."""
    if not isinstance(usage, dict):
        return False
    heard = any(kind == "AUDIO" for kind in _modalities(usage, _OF_PROMPT))
    return heard or any(kind in ("AUDIO", "IMAGE", "VIDEO") for kind in _modalities(usage, _OF_ANSWER))


def tier(usage: object) -> str | None:
    """Return the tier that served a call; throughput that was bought beforehand has no price by the token."""
    if not isinstance(usage, dict):
        return None
    told = usage.get("serviceTier")
    if isinstance(told, str):
        return told.lower()
    traffic = usage.get("trafficType")
    return _TIERS.get(traffic, traffic.lower()) if isinstance(traffic, str) else None


def _modalities(usage: Mapping[str, Any], names: tuple[str, ...]) -> list[object]:
    given = (usage.get(name) for name in names)
    details = [one for some in given if isinstance(some, list) for one in some if isinstance(one, dict)]
    return [one.get("modality") for one in details if number(one.get("tokenCount")) != 0]
