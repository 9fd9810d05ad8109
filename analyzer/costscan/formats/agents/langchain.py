"""What LangChain and the wrappers of LangSmith write: messages, answers, usage, in their own words."""

import re
from collections.abc import Mapping
from typing import Any, Final

from costscan.formats.agents import chat, chat_usage
from costscan.formats.agents.blocks import list_in, mapping_in, word
from costscan.reading.content.block import Block
from costscan.reading.conversation.modalities import Share, count_of, with_modalities
from costscan.reading.conversation.usage import Counters, nothing_known, number

_ROLES: Final = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool", "function": "tool"}
_SUFFIX: Final = re.compile(r"Message(?:Chunk)?$")
_TIERS: Final = ("priority", "flex")


def message_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message as chat interfaces have it: LangChain's own says its type in place of a role."""
    own = mapping_in(message, "kwargs") or mapping_in(message, "data") or message
    named = (own.get("type"), *reversed(list_in(message, "id")), message.get("type"))
    kinds = [word(kind) or "" for kind in named if word(kind) != "constructor"]
    kind = _SUFFIX.sub("", kinds[0] if kinds else "").lower()
    if "role" in own or kind not in _ROLES:
        return dict(own)
    calls = [call for call in list_in(own, "tool_calls") if isinstance(call, dict)]
    shown = {
        part.get("id") for part in list_in(own, "content") if isinstance(part, dict) and word(part.get("id"))
    }
    return {
        "role": _ROLES[kind],
        "content": own.get("content"),
        "tool_call_id": own.get("tool_call_id"),
        "tool_calls": [
            {"id": c.get("id"), "function": {"name": c.get("name"), "arguments": c.get("args")}}
            for c in calls
            if word(c.get("id")) not in shown
        ],
    }


def prompt_of(inputs: Mapping[str, Any], tools: object) -> chat.Prompt | None:
    """Return the prompt of a call, None where its inputs hold no messages."""
    messages = inputs.get("messages")
    if isinstance(messages, list) and messages and isinstance(messages[0], list):
        messages = messages[0]
    if not isinstance(messages, list):
        return None
    told = [message_of(message) for message in messages if isinstance(message, dict)]
    return chat.prompt_of(told, tools or inputs.get("tools"), inputs.get("system"))


class Answer:
    """What a call gave: the message in whichever wrapper, and what stands beside it."""

    def __init__(self, outputs: Mapping[str, Any]) -> None:
        generations = list_in(outputs, "generations")
        first = generations[0] if generations else None
        first = first[0] if isinstance(first, list) and first else first
        wrapped = mapping_in(first, "message") or mapping_in(outputs, "message")
        self.outputs = outputs
        self.message = mapping_in(wrapped, "kwargs") or wrapped or outputs
        self.about = mapping_in(self.message, "response_metadata")

    @property
    def model(self) -> str | None:
        """The model that answered."""
        told = (self.about.get("model_name"), self.about.get("model"), self.message.get("model"))
        return next((name for value in told if (name := word(value))), None)

    @property
    def stop(self) -> str | None:
        """Why it ended."""
        told = (
            *(self.about.get("stop_reason"), self.about.get("finish_reason")),
            *(self.message.get("stop_reason"), chat.stop_of(self.outputs)),
        )
        return next((name for value in told if (name := word(value))), None)

    def wrote(self) -> list[Block]:
        """Return what the model wrote."""
        if list_in(self.outputs, "choices"):
            return chat.answer_of(self.outputs)
        told = message_of({"type": "ai", **self.message}) if "role" not in self.message else self.message
        return list(chat.message_of({**told, "role": "assistant"}).blocks)

    def usage(self, extra: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the usage in LangChain's words, where it is told so; `extra` is the metadata of the run."""
        told = (self.message, self.outputs, extra)
        return next((usage for one in told if (usage := mapping_in(one, "usage_metadata"))), {})

    def own_usage(self) -> Mapping[str, Any]:
        """Return the usage in the words of the provider."""
        told = (
            *(self.outputs.get("usage"), mapping_in(self.outputs, "llm_output").get("token_usage")),
            *(mapping_in(self.outputs, "llm_output").get("usage"), self.message.get("usage")),
            *(self.about.get("token_usage"), self.about.get("usage")),
        )
        return next((usage for usage in told if isinstance(usage, dict) and usage), {})


def tier_of(usage: Mapping[str, Any]) -> str | None:
    """Return the tier that the names of details begin with."""
    details = mapping_in(usage, "input_token_details")
    return next((tier for tier in _TIERS for name in details if name.startswith(tier)), None)


def counters_of(usage: Mapping[str, Any]) -> Counters:
    """Return the counters of a `usage_metadata`, in which `input_tokens` are all that went in.

    Some versions left the cache, or what was written to it, out: where it does not fit in, the counters are
    `contradictory`. Without details, what was cached is unknown.
    """
    details, tier = usage.get("input_token_details"), tier_of(usage)
    plain, output = number(usage.get("input_tokens")), number(usage.get("output_tokens"))
    reasoned = mapping_in(usage, "output_token_details").get("reasoning")
    if not isinstance(details, dict):
        return _with(nothing_known(), output, reasoned)
    heard = Share(
        count_of(details.get("audio")), None, count_of(mapping_in(usage, "output_token_details").get("audio"))
    )
    prefix = "" if tier is None else f"{tier}_"
    read = _counter(details.get("cache_read") or details.get(f"{prefix}cache_read"))
    short, hour = _writes(details)
    if plain is None or read is None or short is None or hour is None:
        known = Counters(None, read, short, hour, None, None, 0, contradictory=False)
        return _with(known, output, reasoned)
    written = short + hour
    fits = read + written <= plain
    fresh = plain - read - written if fits else plain - read if read <= plain else plain
    counted = Counters(fresh, read, short, hour, None, None, 0, contradictory=not fits)
    return with_modalities(_with(counted, output, reasoned), heard)


def _with(counted: Counters, output: int | None, reasoned: object) -> Counters:
    counted.output_tokens = output
    counted.thinking_tokens = None if reasoned is None else number(reasoned)
    return counted


def _writes(details: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return the 5-minute and 1-hour writes; versions tell their sum, the split or both."""
    short, hour = (_counter(details.get(f"ephemeral_{ttl}_input_tokens")) for ttl in ("5m", "1h"))
    whole = _counter(details.get("cache_creation") or details.get("cache_write"))
    if short is None or hour is None or whole is None:
        return None, None
    return max(whole, short + hour) - hour, hour


def _counter(value: object) -> int | None:
    """Return a counter of details: one that is left out counted nothing."""
    return 0 if value is None else number(value)


def own_counters(usage: Mapping[str, Any]) -> Counters:
    """Return the counters of a usage in the words of its provider."""
    if "prompt_tokens" in usage or "completion_tokens" in usage:
        return chat_usage.counters_of(usage)
    plain, output = number(usage.get("input_tokens")), number(usage.get("output_tokens"))
    read, written = (_counter(usage.get(f"cache_{kind}_input_tokens")) for kind in ("read", "creation"))
    hour = _counter(mapping_in(usage, "cache_creation").get("ephemeral_1h_input_tokens"))
    if "cache_read_input_tokens" not in usage:
        return _with(nothing_known(), output, None)
    short = None if written is None or hour is None else max(written - hour, 0)
    return Counters(plain, read, short, hour, output, None, 0, contradictory=False)
