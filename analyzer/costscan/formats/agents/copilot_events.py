"""Events of GitHub Copilot CLI: what of a call they tell, its usage, what it wrote, what a tool answered."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from costscan.formats.agents import blocks
from costscan.reading.content.block import Block
from costscan.reading.conversation.token_classes import OPENAI, Told, at_least, classes_of
from costscan.reading.conversation.usage import Counters, number

STREAMED: Final = "assistant.usage"
_IDS: Final = ("apiCallId", "providerCallId")
_OLD_NAMES: Final = {"input": "inputTokens", "output": "outputTokens", "cachedInput": "cacheReadTokens"}
"""How older versions name what it took to sum up a conversation."""


_COUNTS: Final = {
    "inputTokens": "input_tokens",
    "outputTokens": "output_tokens",
    "cacheReadTokens": "cache_read_tokens",
    "cacheWriteTokens": "cache_write_tokens",
    "reasoningTokens": "reasoning_tokens",
}
COLUMNS: Final = (
    *("session_id", "agent_id", "model", "reasoning_effort", "duration_ms", "created_at"),
    *_COUNTS.values(),
)
"""What the store tells of a call."""


def usage_of_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the usage that a row of the store tells."""
    return {name: row.get(column) for name, column in _COUNTS.items()}


def usage_of(line: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the usage of the one call that an event tells, None for events of other kinds."""
    if line["type"] == "session.usage_record":
        return blocks.mapping_in(line["data"], "usage")
    return blocks.mapping_in(line, "data") if line["type"] == STREAMED else None


def ids_of(usage: Mapping[str, Any]) -> set[str]:
    """Return the ids of a call."""
    return {told for name in _IDS if (told := blocks.word(usage.get(name))) is not None}


def is_message(line: Mapping[str, Any]) -> bool:
    """Whether an event is what a call wrote."""
    return str(line.get("type")) == "assistant.message"


def agent_of(line: Mapping[str, Any]) -> str | None:
    """Return the id of the sub-agent that an event is of; older versions tell the call that started it."""
    return blocks.word(line.get("agentId")) or blocks.word(line["data"].get("parentToolCallId"))


def counters_of(usage: Mapping[str, Any]) -> Counters:
    """Return the billable counters of a usage."""
    told = Told(
        input_tokens=number(usage.get("inputTokens")),
        output_tokens=number(usage.get("outputTokens")),
        cache_read_tokens=number(usage.get("cacheReadTokens")),
        cache_write_5m_tokens=number(usage.get("cacheWriteTokens")),
        reasoning_tokens=number(usage.get("reasoningTokens")),
    )
    return classes_of(told, OPENAI)


def totals_of(metrics: Mapping[str, Any]) -> Iterator[tuple[str, Counters]]:
    """Yield (model, counters) of the totals of a session; those that are all zero were never counted."""
    for model, own in metrics.items():
        if not (counters := counters_of(blocks.mapping_in(own, "usage"))).is_zero:
            yield model, counters


def single_calls(events: Sequence[Mapping[str, Any]]) -> dict[str, Counters]:
    """Return, by model, the counters of the one call that a session without records made."""
    made = Counter(str(event["data"].get("model")) for event in events if is_message(event))
    totals = [event["data"] for event in events if event["type"] == "session.shutdown"]
    if len(totals) != 1:
        return {}
    metrics = blocks.mapping_in(totals[0], "modelMetrics")
    return {
        model: counters
        for model, counters in totals_of(metrics)
        if made[model] == 1 and blocks.mapping_in(metrics[model], "requests").get("count") == 1
    }


def summing_up(data: Mapping[str, Any], told: Collection[Mapping[str, Any]]) -> Counters | None:
    """Return the counters of the call that summed a conversation up, None where one of `told` is that call.

    Older versions do not tell what it wrote to the cache: theirs are a lower bound.
    """
    given = blocks.mapping_in(data, "compactionTokensUsed")
    used = {_OLD_NAMES.get(name, name): value for name, value in given.items()}
    ids = {blocks.word(data.get(name)) for name in ("requestId", "serviceRequestId")} - {None}
    if number(used.get("inputTokens")) is None or any(ids & ids_of(usage) for usage in told):
        return None
    if any(
        all(usage.get(name) == used.get(name) for name in ("inputTokens", "outputTokens")) for usage in told
    ):
        return None
    counters = counters_of({"cacheReadTokens": 0, "cacheWriteTokens": 0, **used})
    return at_least(counters, costs_more="cacheWriteTokens" not in used)


def wrote_by(data: Mapping[str, Any]) -> list[Block]:
    """Return what a call wrote."""
    thought, text = blocks.word(data.get("reasoningText")), blocks.word(data.get("content"))
    out = [] if thought is None else [blocks.thinking(thought)]
    out += [] if text is None else [blocks.text_block(text)]
    requests = [r for r in blocks.list_in(data, "toolRequests") if isinstance(r, dict)]
    return out + [blocks.tool_use(r.get("name"), r.get("toolCallId"), r.get("arguments")) for r in requests]


def result_of(data: Mapping[str, Any]) -> Block:
    """Return what a tool answered."""
    failed = data.get("success") is False
    content = blocks.mapping_in(data, "error" if failed else "result")
    return blocks.tool_result(
        data.get("toolCallId"), content.get("message" if failed else "content"), is_error=failed
    )
