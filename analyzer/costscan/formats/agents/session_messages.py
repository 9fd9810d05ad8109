"""Messages of OpenCode 2, as rows of `session_message` or in an export: an assistant message is a model call.

What a message is stands in its `type`; `output` leaves out what was reasoned. Read from
`packages/core/src/session/{message,message-updater,usage,stats}.ts` of sst/opencode.
"""

from collections.abc import Mapping
from typing import Any, Final

from costscan.formats.agents import blocks
from costscan.formats.agents.runs import Run, ToldCall
from costscan.reading.content.block import Block
from costscan.reading.conversation.token_classes import Counting, Told, classes_of
from costscan.reading.conversation.usage import Counters, number

USAGE_EVENT: Final = "session.usage.recorded"
"""The event that tells what the title of a session or a compaction used."""
_APART: Final = Counting(cache_inside=False, reasoning_inside=False)
_USUAL_EFFORT: Final = "default"
_SAID: Final = frozenset({"synthetic", "system", "skill"})


def is_message(message: Mapping[str, Any]) -> bool:
    """Whether a message of an export is one of OpenCode 2."""
    return isinstance(message.get("type"), str) and "info" not in message


def add(run: Run, at: int, kind: object, data: Mapping[str, Any]) -> None:
    """Add a message; those that only switch something hold nothing."""
    if kind == "user":
        run.asks(at, _text(data.get("text")))
    elif kind in _SAID:
        run.asks(at, _text(data.get("text")), by_person=False)
    elif kind == "shell":
        told = blocks.mapping_in(data, "output").get("output", data.get("output"))
        run.asks(at, [*_text(data.get("command")), *_text(told)], by_person=False)
    elif kind == "compaction" and data.get("status", "completed") == "completed":
        run.thread.forget()
        run.asks(at, [*_text(data.get("summary")), *_text(data.get("recent"))], by_person=False)
    elif kind == "assistant":
        _call(run, at, data)


def add_usage(run: Run, at: int, name: str, told: Mapping[str, Any], ended: str | None) -> None:
    """Add a call that stands in no message; which model it asked is not told."""
    counters = counters_of(blocks.mapping_in(told, "tokens"))
    if not counters.is_zero:
        call = ToldCall(line=at, model=None, counters=counters, ended=ended, message_id=name)
        call.recorded_usd = told.get("cost") or None
        run.called(call)


def counters_of(tokens: Mapping[str, Any], usual: Counting = _APART) -> Counters:
    """Return the counters of a call; `usual` is how its version counts."""
    cache = blocks.mapping_in(tokens, "cache")
    told = Told(
        input_tokens=number(tokens.get("input")),
        output_tokens=number(tokens.get("output")),
        cache_read_tokens=number(cache.get("read")),
        cache_write_5m_tokens=number(cache.get("write")),
        reasoning_tokens=number(tokens.get("reasoning", 0)),
        total_tokens=number(tokens.get("total")),
    )
    return classes_of(told, usual)


def moment(value: object) -> str | None:
    """Return a time in milliseconds as text."""
    return str(value) if isinstance(value, int | float) else None


def _call(run: Run, at: int, data: Mapping[str, Any]) -> None:
    counters = counters_of(blocks.mapping_in(data, "tokens"))
    failed = "error" in data and not isinstance(data.get("tokens"), dict)
    if counters.is_zero or failed:
        return
    times, model = blocks.mapping_in(data, "time"), blocks.mapping_in(data, "model")
    effort = blocks.word(model.get("variant"))
    told = ToldCall(
        line=at,
        model=model.get("id"),
        counters=counters,
        began=moment(times.get("created")),
        ended=moment(times.get("completed")),
        message_id=blocks.word(data.get("id")),
        stop_reason=data.get("finish") or "end_turn",
        effort=None if effort == _USUAL_EFFORT else effort,
        recorded_usd=data.get("cost") or None,
    )
    content = [item for item in blocks.list_in(data, "content") if isinstance(item, dict)]
    run.called(told, [block for item in content for block in _wrote(item)])
    run.asks(at, [block for item in content for block in _answered(item)], by_person=False)


def _wrote(item: Mapping[str, Any]) -> list[Block]:
    kind = item.get("type")
    if kind == "tool":
        given = blocks.mapping_in(item, "state").get("input")
        return [blocks.tool_use(item.get("name"), item.get("id"), given)]
    if kind == "reasoning":
        return [blocks.thinking(item.get("text"))]
    return _text(item.get("text")) if kind == "text" else []


def _answered(item: Mapping[str, Any]) -> list[Block]:
    state = blocks.mapping_in(item, "state")
    status = blocks.word(state.get("status"))
    if item.get("type") != "tool" or status not in {"completed", "error"}:
        return []
    told = [part.get("text") for part in blocks.list_in(state, "content") if isinstance(part, dict)]
    said = "\n".join(text for text in told if isinstance(text, str))
    error = blocks.mapping_in(state, "error").get("message") if status == "error" else None
    return [
        blocks.tool_result(item.get("id"), said or error or state.get("result"), is_error=status == "error")
    ]


def _text(told: object) -> list[Block]:
    return [blocks.text_block(told)] if isinstance(told, str) and told else []
