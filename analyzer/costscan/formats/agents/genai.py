"""Model calls in attributes: the GenAI conventions of OpenTelemetry, old and new, and OpenInference."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from costscan.formats.agents import blocks, chat
from costscan.formats.agents.chat import Message, Prompt
from costscan.formats.api.when import seconds_of
from costscan.reading.content.block import Block
from costscan.reading.conversation.modalities import Share, count_of, with_modalities
from costscan.reading.conversation.token_classes import OPENAI, Told, at_least, classes_of, counts_audio
from costscan.reading.conversation.usage import UNKNOWN_TTL, Counters, number
from costscan.reading.io import lenient_json

_USAGE: Final = "gen_ai.usage."
_COUNT: Final = "llm.token_count."
_CALLS: Final = frozenset({"chat", "generate_content", "text_completion", "completion"})
_INPUT: Final = (f"{_USAGE}input_tokens", f"{_USAGE}prompt_tokens", f"{_COUNT}prompt")
_OUTPUT: Final = (f"{_USAGE}output_tokens", f"{_USAGE}completion_tokens", f"{_COUNT}completion")
_READ: Final = (
    f"{_USAGE}cache_read.input_tokens",
    f"{_USAGE}cache_read_input_tokens",
    f"{_USAGE}input_tokens.cached",
    f"{_COUNT}prompt_details.cache_read",
)
_WRITE: Final = (
    f"{_USAGE}cache_write.input_tokens",
    f"{_USAGE}cache_creation.input_tokens",
    f"{_USAGE}cache_creation_input_tokens",
    f"{_USAGE}input_tokens.cache_write",
    f"{_COUNT}prompt_details.cache_write",
)
_REASONING: Final = (
    f"{_USAGE}reasoning.output_tokens",
    f"{_USAGE}reasoning_tokens",
    f"{_USAGE}details.reasoning_tokens",
    f"{_COUNT}completion_details.reasoning",
)
_AUDIO: Final = (
    (f"{_USAGE}details.input_audio_tokens", f"{_COUNT}prompt_details.audio"),
    (f"{_USAGE}details.cache_audio_read_tokens",),
    (f"{_USAGE}details.output_audio_tokens", f"{_COUNT}completion_details.audio"),
)
"""The audio that went in, that of it which was read from the cache, and the audio that came out."""
_TOTAL: Final = (f"{_USAGE}total_tokens", "llm.usage.total_tokens", f"{_COUNT}total")
_HOUR: Final = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"
MODEL: Final = (
    *("gen_ai.response.model", "gen_ai.request.model", "llm.response.model_name", "llm.model_name"),
    "llm.request.model_name",
)
TIER: Final = (
    *("anthropic.response.service_tier", "openai.response.service_tier"),
    "gen_ai.openai.response.service_tier",
)
_DETAILS: Final = "gen_ai.client.inference.operation.details"
"""The event that tells a call in a log."""
_FIRST_MS: Final = "ttft_ms"
_FIRST_S: Final = (
    *("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token"),
    "gen_ai.latency.time_to_first_token",
)
REQUEST: Final = ("request_id", "anthropic.request.id")
RUN: Final = ("gen_ai.conversation.id", "session.id")
STOP: Final = ("anthropic.message.stop_reason", "stop_reason", "llm.finish_reason")


def is_call(attributes: Mapping[str, Any]) -> bool:
    """Whether these attributes are those of one model call; an agent repeats the sum of several."""
    if attributes.get("event.name") == _DETAILS:
        return True
    kind = attributes.get("gen_ai.operation.name") or attributes.get("openinference.span.kind")
    if kind is None:
        kind = attributes.get("llm.request.type")
    return blocks.word(kind) in {*_CALLS, "LLM"}


def restated_as(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what an event of Gemini CLI and its restatement share: session, model, input and output."""
    names = (("session.id",), MODEL, _INPUT, _OUTPUT)
    return tuple(str(first(attributes, each)) for each in names)


def first_token_s(attributes: Mapping[str, Any]) -> float | None:
    """Return the seconds to the first token: milliseconds of Claude Code, seconds of the conventions."""
    told = attributes.get(_FIRST_MS)
    if told is not None:
        return seconds_of(told)
    told = first(attributes, _FIRST_S)
    return seconds_of(told * 1000) if isinstance(told, int | float) and told is not True else None


def tells_usage(attributes: Mapping[str, Any]) -> bool:
    """Whether any counter of tokens is told."""
    return any(name in attributes for name in (*_INPUT, *_OUTPUT))


def tells_cache(attributes: Mapping[str, Any]) -> bool:
    """Whether a counter of the cache is told."""
    return any(name in attributes for name in (*_READ, *_WRITE))


def tells_lifetime(attributes: Mapping[str, Any]) -> bool:
    """Whether it is told how long what was written lives."""
    return _HOUR in attributes


def first(attributes: Mapping[str, Any], names: Sequence[str]) -> Any:
    """Return the first value that is told under one of these names."""
    return next((value for name in names if (value := attributes.get(name)) is not None), None)


def counters_of(attributes: Mapping[str, Any], *, knows_cache: bool) -> Counters:
    """Return the counters of a call; the input holds what was cached.

    `knows_cache`: who made it tells the counters of the cache where something was cached.
    """
    written = _counter(attributes, _WRITE, none=0)
    hour = number(attributes.get(_HOUR, 0))
    told = Told(
        input_tokens=_counter(attributes, _INPUT),
        output_tokens=_counter(attributes, _OUTPUT),
        cache_read_tokens=_counter(attributes, _READ, none=0 if knows_cache else None),
        cache_write_5m_tokens=None if written is None or hour is None else max(written - hour, 0),
        cache_write_1h_tokens=hour,
        reasoning_tokens=_counter(attributes, _REASONING),
        total_tokens=_counter(attributes, _TOTAL),
        cache_write_ttl=None if tells_lifetime(attributes) else UNKNOWN_TTL,
    )
    counts = {name: value for name, value in attributes.items() if name.startswith((_USAGE, _COUNT))}
    heard = Share(*(count_of(first(attributes, names)) for names in _AUDIO))
    counted = with_modalities(classes_of(told, OPENAI), heard)
    known = {name for names in _AUDIO for name in names}
    return at_least(counted, costs_more=counts_audio(counts, but=known))


def _counter(attributes: Mapping[str, Any], names: Sequence[str], none: int | None = None) -> int | None:
    value = first(attributes, names)
    return none if value is None else number(value)


def prompt_of(attributes: Mapping[str, Any]) -> Prompt | None:
    """Return the prompt of a call, None where it was not captured."""
    if (listed := _json(attributes.get("gen_ai.input.messages"))) is not None:
        tools = _json(attributes.get("gen_ai.tool.definitions"))
        system = [
            text
            for part in _dicts(_json(attributes.get("gen_ai.system_instructions")))
            if (text := _text(part))
        ]
        messages = [_message(message) for message in _dicts(listed)]
        told = [b.text for m in messages if m.role == "system" for b in m.blocks if b.text]
        kept = [m for m in messages if m.role != "system"]
        return Prompt(tools if isinstance(tools, list) else [], [*system, *told], kept)
    request = _json(attributes.get("input.value"))
    if isinstance(request, dict) and isinstance(request.get("messages"), list):
        return chat.prompt_of(request["messages"], request.get("tools"), request.get("system"))
    return None


def answer_of(attributes: Mapping[str, Any]) -> list[Block]:
    """Return what a call wrote, nothing where that was not captured."""
    if (listed := _json(attributes.get("gen_ai.output.messages"))) is not None:
        return [block for message in _dicts(listed) for block in _message(message).blocks]
    response = _json(attributes.get("output.value"))
    if not isinstance(response, dict):
        return []
    return chat.answer_of(response) or chat.content_of(response.get("content"))


def _message(message: Mapping[str, Any]) -> Message:
    role = message.get("role")
    parts = [_part(part) for part in _dicts(message.get("parts"))]
    return Message(role if role in {"assistant", "system"} else "user", parts)


def _part(part: Mapping[str, Any]) -> Block:
    kind = part.get("type")
    if kind == "tool_call":
        return blocks.tool_use(part.get("name"), part.get("id"), part.get("arguments"))
    if kind == "tool_call_response":
        return blocks.tool_result(part.get("id"), part.get("response", part.get("result")))
    if kind in {"reasoning", "thinking"}:
        return blocks.thinking(part.get("content"))
    return blocks.text_block(_text(part))


def _text(part: Mapping[str, Any]) -> str:
    return blocks.text_of(part.get("content", part.get("text")))


def _dicts(listed: object) -> list[dict[str, Any]]:
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _json(value: object) -> Any:
    """Return a value that some exporters write as JSON text."""
    return lenient_json.value(value) if isinstance(value, str) else value
