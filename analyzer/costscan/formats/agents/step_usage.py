"""The metrics of steps of an ATIF trajectory, as token classes."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from costscan.formats.agents.blocks import mapping_in
from costscan.reading.conversation.usage import Counters, nothing_known, number


class Way(NamedTuple):
    """How the converter of a trajectory counts, one way for all steps.

    Attributes:
        writes_outside: cache writes stand beside the prompt.
        knows_cache: a counter of the cache that is left out is none, for others are told.
    """

    writes_outside: bool
    knows_cache: bool


def way_of(metrics: Sequence[Mapping[str, Any]], final: Mapping[str, Any]) -> Way:
    """Return how steps count: writes that do not fit into a prompt with its reads are outside of all."""
    outside = any(
        prompt is not None and (short or 0) + (hour or 0) > prompt - (number(one.get("cached_tokens")) or 0)
        for one in metrics
        for prompt, (short, hour) in [(number(one.get("prompt_tokens")), _writes(one))]
    )
    told = (*(one.get("cached_tokens") for one in metrics), final.get("total_cached_tokens"))
    return Way(outside, any(counter is not None for counter in told))


def tells_usage(metrics: Mapping[str, Any]) -> bool:
    """Whether a step tells what a call used or cost."""
    return any(metrics.get(name) is not None for name in ("prompt_tokens", "completion_tokens", "cost_usd"))


def counters_of(metrics: Mapping[str, Any], way: Way) -> Counters:
    """Return the counters of a step."""
    prompt, told = number(metrics.get("prompt_tokens")), metrics.get("cached_tokens")
    read = (0 if way.knows_cache else None) if told is None else number(told)
    short, hour = _writes(metrics)
    fresh = None
    if prompt is not None and read is not None and short is not None and hour is not None:
        fresh = prompt - read - (0 if way.writes_outside else short + hour)
    if fresh is not None and fresh < 0:
        # More was read than went in: neither way of counting gives that.
        return nothing_known()
    reasoned = mapping_in(metrics, "extra").get("reasoning_tokens")
    output = number(metrics.get("completion_tokens"))
    thought = None if reasoned is None else number(reasoned)
    return Counters(fresh, read, short, hour, output, thought, 0, contradictory=False)


def _writes(metrics: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return the 5-minute and 1-hour writes, which converters leave in `extra` as the API tells them."""
    extra = mapping_in(metrics, "extra")
    told = extra.get("cache_creation_input_tokens")
    written = 0 if told is None else number(told)
    hour = number(mapping_in(extra, "cache_creation").get("ephemeral_1h_input_tokens", 0))
    if written is None or hour is None or hour > written:
        return written, 0
    return written - hour, hour


def total_of(final: Mapping[str, Any], calls: Sequence[Mapping[str, Any]]) -> Counters:
    """Return the tokens that final metrics tell, all writes as 5-minute ones.

    Writes that they leave out are those of the calls.
    """
    told = mapping_in(final, "extra").get("total_cache_creation_input_tokens")
    each = [sum(ttl or 0 for ttl in _writes(metrics)) for metrics in calls]
    metrics = {
        "prompt_tokens": final.get("total_prompt_tokens"),
        "completion_tokens": final.get("total_completion_tokens"),
        "cached_tokens": final.get("total_cached_tokens"),
        "extra": {"cache_creation_input_tokens": sum(each) if told is None else told},
    }
    return counters_of(metrics, way_of(calls, final))
