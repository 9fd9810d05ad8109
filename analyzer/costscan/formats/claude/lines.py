"""The line types that Claude Code transcripts and Claude stream-json share, and their lenient reading."""

from typing import Any

from msgspec import UNSET, Raw, Struct

from costscan.formats.api.message import Message, lenient_message, word
from costscan.reading.content import block
from costscan.reading.conversation.call import Call, make_call, miss_reason
from costscan.reading.conversation.usage import counters
from costscan.reading.conversation.usage import of_raw as usage_of_raw


class Line(Struct, gc=False):
    """A line of a transcript or a stream; each format uses the fields it has."""

    type: Any = None
    subtype: Any = None
    uuid: Any = None
    parentUuid: Any = UNSET  # noqa: N815 - the name in the log
    sessionId: Any = None  # noqa: N815
    session_id: Any = None
    timestamp: Any = None
    requestId: Any = None  # noqa: N815
    request_id: Any = None
    isSidechain: Any = None  # noqa: N815
    agentId: Any = None  # noqa: N815
    attributionAgent: Any = None  # noqa: N815
    parent_tool_use_id: Any = None
    subagent_type: Any = None
    isMeta: Any = None  # noqa: N815
    sourceToolUseID: Any = None  # noqa: N815
    isCompactSummary: Any = None  # noqa: N815
    isVisibleInTranscriptOnly: Any = None  # noqa: N815
    isSynthetic: Any = None  # noqa: N815
    origin: Any = None
    promptSource: Any = None  # noqa: N815
    version: Any = None
    entrypoint: Any = None
    cwd: Any = None
    gitBranch: Any = None  # noqa: N815
    effort: Any = None
    costUSD: Any = None  # noqa: N815
    supersedes: Any = None
    message: Message | None = None
    data: Raw = Raw()
    attachment: Raw = Raw()
    rendered: Raw = Raw()
    replacements: Raw = Raw()
    toolUseResult: Raw = Raw()  # noqa: N815
    microcompactMetadata: Raw = Raw()  # noqa: N815
    modelUsage: Raw = Raw()  # noqa: N815
    usage: Raw = Raw()
    total_cost_usd: Any = None
    totalCostUSD: Any = None  # noqa: N815
    result_index: Any = None
    model: Any = None
    event: Raw = Raw()
    stop_reason: Any = None
    apiRefusalCategory: Any = UNSET  # noqa: N815


MAX_USD = 10**6
"""More than any call costs: a larger number is damage."""
_RAW_FIELDS = {
    "data",
    "attachment",
    "rendered",
    "replacements",
    "toolUseResult",
    "microcompactMetadata",
    "modelUsage",
    "usage",
    "event",
}
_PLAIN_FIELDS = [f for f in Line.__struct_fields__ if f not in _RAW_FIELDS and f != "message"]


def lenient_line(value: dict[str, Any]) -> Line | None:
    """Return a `Line` of any JSON object: what has the wrong type is left out, nothing is refused."""
    plain = {name: value[name] for name in _PLAIN_FIELDS if name in value}
    raws = {name: block.raw_json(value[name]) for name in _RAW_FIELDS if value.get(name) is not None}
    return Line(message=lenient_message(value.get("message")), **plain, **raws)


def is_answer(line: Line) -> bool:
    """Whether a line is an assistant's, whatever it says of its own type.

    A type that is lost or new does not make a model call free: its message says what it is.
    """
    message = line.message
    return message is not None and message.role == "assistant" and bytes(message.usage) not in {b"", b"null"}


def lost_call(line: Line) -> str | None:
    """Say what keeps a line that should tell a model call from telling it; None where nothing does."""
    if line.type != "progress" and holds_usage(bytes(line.data)):
        return "the usage of a call on a line of no known type"
    return None


def holds_usage(raw: bytes) -> bool:
    """Whether raw JSON has a usage object: inside a text the quotes around its name are escaped."""
    return b'"usage"' in raw


def timestamp(line: Line) -> str | None:
    """Return the time of a line as text; some logs write seconds or milliseconds since 1970."""
    stamp = line.timestamp
    if type(stamp) is str:
        return stamp or None
    if isinstance(stamp, int | float) and not isinstance(stamp, bool):
        return str(stamp)
    return word(stamp)


def call_of(line: Line, number: int) -> tuple[Call, str] | None:
    """Return the model call an assistant line belongs to and its key; None where nothing was billed.

    `<synthetic>` lines are written by the client itself (errors, interrupted turns): they have no tokens.
    """
    message = line.message
    if message is None:
        return None
    raw = bytes(message.usage)
    usage = usage_of_raw(raw)
    if message.model == "<synthetic>" and not any(counters(usage).prompt_side):
        return None
    request_id = line.requestId if line.requestId is not None else line.request_id
    call = make_call(
        line=number,
        end_at=timestamp(line),
        model=message.model,
        usage=usage,
        message_id=message.id,
        request_id=request_id,
        stop_reason=message.stop_reason,
        version=line.version,
        effort=line.effort,
    )
    call.raw_usage = raw
    if message.diagnostics is not None:
        call.miss_reason = miss_reason(message.diagnostics)
    cost = line.costUSD
    if type(cost) in {int, float} and 0 <= cost < MAX_USD:
        call.recorded_usd = str(cost)
    key = call.message_id or call.request_id or word(line.uuid) or f"line {number}"
    return call, key
