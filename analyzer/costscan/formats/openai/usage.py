"""The usage objects of OpenAI's APIs and of Codex, as counters that are told.

The input counter holds what the cache read and wrote, the output counter what was reasoned. The APIs leave
details out where there are none; a detail that is there and no count is unknown.
"""

from collections.abc import Mapping
from typing import Any, Final

from costscan.reading.conversation.modalities import AUDIO, IMAGE, share_of, with_modalities
from costscan.reading.conversation.token_classes import OPENAI, Told, classes_of
from costscan.reading.conversation.usage import Counters, nothing_known, number

_INPUT: Final = ("input_tokens", "prompt_tokens")
_OUTPUT: Final = ("output_tokens", "completion_tokens")


def told(usage: Mapping[str, Any], *, searches: int = 0) -> Told:
    """Return what a `usage` of the Responses API, of Chat Completions or of Codex tells."""
    inside = {**usage, **_details(usage, _INPUT), **_details(usage, _OUTPUT)}
    return Told(
        input_tokens=number(_first(usage, *_INPUT)),
        output_tokens=number(_first(usage, *_OUTPUT)),
        cache_read_tokens=_detail(_first(inside, "cached_tokens", "cached_input_tokens")),
        cache_write_5m_tokens=_detail(_first(inside, "cache_write_tokens", "cache_write_input_tokens")),
        reasoning_tokens=_detail(_first(inside, "reasoning_tokens", "reasoning_output_tokens")),
        total_tokens=number(usage.get("total_tokens")),
        web_searches=searches,
    )


def counters(usage: object, *, searches: int = 0) -> Counters:
    """Return the billable counters of a `usage`, all of them unknown where it is none."""
    if not isinstance(usage, dict) or not {*_INPUT, *_OUTPUT} & usage.keys():
        return nothing_known()
    return by_modality(classes_of(told(usage, searches=searches), OPENAI), usage)


def by_modality(counted: Counters, usage: Mapping[str, Any]) -> Counters:
    """Return the counters of a `usage` with what of them it tells to be audio and images."""
    sent, written = (_details(usage, names) for names in (_INPUT, _OUTPUT))
    audio, image = (share_of(modality, sent, written) for modality in (AUDIO, IMAGE))
    return with_modalities(counted, audio, image)


def _details(usage: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Any]:
    details = _first(usage, *(f"{name}_details" for name in names))
    return details if isinstance(details, dict) else {}


def _detail(value: object) -> int | None:
    """Return a counter of details: none told is none."""
    return 0 if value is None else number(value)


def _first(values: Mapping[str, Any], *names: str) -> Any:
    return next((value for name in names if (value := values.get(name)) is not None), None)
