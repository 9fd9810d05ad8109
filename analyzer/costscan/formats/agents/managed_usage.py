"""Usage as Managed Agents tell it: of a request, and of a session or a thread as a running total."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from costscan.formats.agents import blocks
from costscan.formats.agents.runs import Run
from costscan.reading.conversation.usage import Counters, number
from costscan.reading.io.row_types import RecordedRow

_CACHED: Final = ("cache_read_input_tokens", "cache_creation_input_tokens")
_MOST_TOKENS: Final = 10**13


class Total(NamedTuple):
    """A running total: the line that tells it, when, of which model, and the `usage`."""

    at: int
    when: str | None
    model: str | None
    usage: Mapping[str, Any]

    @property
    def output_tokens(self) -> int:
        """How far it has counted."""
        return number(self.usage.get("output_tokens"), _MOST_TOKENS) or 0


def counters_of(usage: Mapping[str, Any]) -> Counters:
    """Return the counters of a request; searches are told of the session alone."""
    plain, output, cache_read, written = (
        number(usage.get(name)) for name in ("input_tokens", "output_tokens", *_CACHED)
    )
    return Counters(plain, cache_read, written, 0, output, None, 0, contradictory=False)


def time_writes(run: Run, written: Mapping[str, Any]) -> None:
    """Say of the writes of a run how long they live, by how long those of its session do."""
    short, hour = (number(written.get(f"ephemeral_{ttl}_input_tokens"), _MOST_TOKENS) for ttl in ("5m", "1h"))
    if not hour:
        return
    for call in run.thread.calls:
        all_writes = call.counters.cache_write_5m_tokens
        if all_writes:
            w5m, w1h = (0, all_writes) if short == 0 else (None, None)
            call.counters = replace(call.counters, cache_write_5m_tokens=w5m, cache_write_1h_tokens=w1h)


def forget_searches(run: Run, calls: Iterable[int]) -> None:
    """Say of calls that searched where no total is told that it is not known how often."""
    for number_of in calls:
        call = run.thread.calls[number_of]
        call.counters = replace(call.counters, web_searches=None)


def used(row: RecordedRow, model: str, usage: Mapping[str, Any]) -> RecordedRow:
    """Return a row with what a model used, as a running total tells it."""
    written = blocks.mapping_in(usage, "cache_creation")
    short, hour = (
        number(written.get(f"ephemeral_{ttl}_input_tokens", 0), _MOST_TOKENS) for ttl in ("5m", "1h")
    )
    plain, output, cache_read = (
        number(usage.get(name), _MOST_TOKENS)
        for name in ("input_tokens", "output_tokens", "cache_read_input_tokens")
    )
    searches = blocks.mapping_in(usage, "server_tool_use").get("web_search_requests")
    return row._replace(
        part="model",
        model_raw=model,
        input_tokens=plain,
        cache_read_tokens=cache_read,
        cache_write_tokens=None if short is None or hour is None else short + hour,
        cache_write_1h_tokens=hour,
        output_tokens=output,
        web_searches=0 if searches is None else number(searches),
    )
