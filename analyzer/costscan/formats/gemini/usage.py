"""`usageMetadata` of the Gemini API, as counters that are told.

The prompt counter holds what was cached and leaves out the prompt of tools; the candidates counter leaves out
what was thought. A counter that is zero is left out of the message.
Source: https://ai.google.dev/api/generate-content#UsageMetadata
"""

from collections.abc import Mapping
from typing import Any, Final

from costscan.reading.conversation.modalities import Share, count_of, with_modalities
from costscan.reading.conversation.token_classes import GEMINI, Told, at_least, classes_of
from costscan.reading.conversation.usage import Counters, nothing_known, number

_OF_PROMPT: Final = ("promptTokensDetails", "toolUsePromptTokensDetails")
_OF_CACHE: Final = ("cacheTokensDetails",)
_OF_ANSWER: Final = ("candidatesTokensDetails", "responseTokensDetails")
_TIERS: Final = {"ON_DEMAND": None, "ON_DEMAND_FLEX": "flex", "ON_DEMAND_PRIORITY": "priority"}


def counters(usage: object, *, searches: int = 0) -> Counters:
    """Return the billable counters of a `usageMetadata`, all of them unknown where it is none.

    Where video came out, they are a lower bound: its tokens have another price than text.
    """
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
    counted = with_modalities(classes_of(told, GEMINI), _share(usage, "AUDIO"), _share(usage, "IMAGE"))
    return at_least(counted, costs_more=bool(_of(usage, "VIDEO", _OF_ANSWER)))


def of_client(tokens: Mapping[str, Any], went_in: str, came_out: str) -> Counters:
    """Return the counters that Gemini CLI tells, which names input and output in several ways."""
    told = Told(
        input_tokens=number(tokens.get(went_in)),
        output_tokens=number(tokens.get(came_out)),
        cache_read_tokens=number(tokens.get("cached")),
        reasoning_tokens=number(tokens.get("thoughts", 0)),
        tool_prompt_tokens=number(tokens.get("tool", 0)),
        total_tokens=number(tokens.get("total")),
    )
    return classes_of(told, GEMINI)


def _left_out(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return 0 if value is None else number(value)


def _share(usage: Mapping[str, Any], modality: str) -> Share:
    return Share(*(_of(usage, modality, names) for names in (_OF_PROMPT, _OF_CACHE, _OF_ANSWER)))


def tier(usage: object) -> str | None:
    """Return the tier that served a call; throughput that was bought beforehand has no price by the token."""
    if not isinstance(usage, dict):
        return None
    told = usage.get("serviceTier")
    if isinstance(told, str):
        return told.lower()
    traffic = usage.get("trafficType")
    return _TIERS.get(traffic, traffic.lower()) if isinstance(traffic, str) else None


def _of(usage: Mapping[str, Any], modality: str, names: tuple[str, ...]) -> int | None:
    """Return the tokens of a modality in lists of details, None where there is no list."""
    lists = [details for name in names if isinstance(details := usage.get(name), list)]
    counts = [
        count_of(one.get("tokenCount")) or 0
        for details in lists
        for one in details
        if isinstance(one, dict) and one.get("modality") == modality
    ]
    return sum(counts) if lists else None
