"""One model call as the lines read so far tell it, and how it is written down."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from costscan.reading.conversation import refusals
from costscan.reading.conversation.iterations import Iteration
from costscan.reading.conversation.modes import modes_of
from costscan.reading.conversation.stop_words import stop_word
from costscan.reading.conversation.usage import (
    PLACEHOLDER_OUTPUT_TOKENS,
    Counters,
    Usage,
    counters,
    nothing_known,
)
from costscan.reading.io.row_types import CallRow
from costscan.reading.io.rows import Rows
from costscan.reading.io.timestamps import time_of

FINISHED_SINCE: Final = (2, 1, 60)
"""First Claude Code version that logs the final output of a call on each of its lines (measured)."""
CHARS_OF_LARGEST_TOKEN: Final = 8
"""More than any text has a token: an output of fewer tokens than that cannot be the whole of it."""
LONGEST: Final = timedelta(days=1)
"""No call takes longer; a batch may take as long."""
SHORTEST_ID: Final = 20
"""The ids of providers are longer; a shorter one ("chatcmpl-123") may stand in the answers to many calls."""
_LAST_DAY: Final = datetime.max.replace(tzinfo=UTC) - LONGEST
_MOST_DIGITS: Final = 9


class Call(Struct, gc=False):
    """One model call, as the lines read so far tell it."""

    line: int
    at: str | None
    end_at: str | None
    model_raw: str
    usage: Usage
    counters: Counters
    message_id: str | None
    request_id: str | None
    stop_reason: str | None
    says_unfinished: bool
    version: str | None
    effort: str | None = None
    tier: str | None = None
    recorded_usd: str | None = None
    visible_chars: int = 0
    resets: bool = False
    dropped: bool = False
    raw_usage: bytes = b""
    settings: int | None = None
    miss_reason: str | None = None
    asks: str | None = None
    refusal: str | None = None
    first_token_s: float | None = None
    hand_overs: dict[str, Any] = field(default_factory=dict)


def key_of(call: Call) -> str | None:
    """Return what the lines of a call have in common, None where it has no message id.

    A gateway may give every response the same id: another prompt is another call, and where the id is short
    another model or output.
    """
    if call.message_id is None:
        return None
    counted = call.counters
    more = f" {call.model_raw} {counted.output_tokens}" if len(call.message_id) < SHORTEST_ID else ""
    return f"{call.message_id} {counted.prompt_side}{more}"


def usage_from(call: Call, counted: Counters) -> str:
    """Return how the usage of a call is known.

    `reported`: as billed; `placeholder`: a lower bound; `unreported`: a counter that is billed is unknown.
    """
    if not counted.is_known:
        return "unreported"
    if counted.contradictory:
        return "placeholder"
    if not _may_have_grown(call):
        return "reported"
    return "placeholder" if _is_too_few(counted.output_tokens or 0, call.visible_chars) else "reported"


def _may_have_grown(call: Call) -> bool:
    """Whether the output of a call was logged before it was whole."""
    if call.stop_reason is not None or not call.says_unfinished:
        return False
    return call.version is None or version_of(call.version) < FINISHED_SINCE


def _is_too_few(output_tokens: int, chars: int) -> bool:
    return output_tokens <= PLACEHOLDER_OUTPUT_TOKENS or output_tokens * CHARS_OF_LARGEST_TOKEN < chars


def is_in_doubt(call: Call, most_chars: int) -> bool:
    """Whether the bill of a call depends on what it wrote, which has so many characters at most."""
    counted = call.counters
    if counted.output_tokens == 0 or call.refusal is not None:
        return True
    if not counted.input_tokens and not any(counted.prompt_side):
        return True
    return goes_by_length(call) and _is_too_few(counted.output_tokens or 0, most_chars)


def goes_by_length(call: Call) -> bool:
    """Whether the length of what a call wrote says if its output was logged whole."""
    return (call.counters.output_tokens or 0) > PLACEHOLDER_OUTPUT_TOKENS and _may_have_grown(call)


def settled(call: Call, counted: Counters) -> Counters:
    """Return the counters of a call of which all lines were read.

    An answer has tokens, and so has what it answers: a count of zero beside it was never made.
    """
    if counted.output_tokens and counted.input_tokens:
        return counted
    if counted.prompt_side == (0, 0, 0) and (call.visible_chars or counted.output_tokens):
        output_tokens = counted.output_tokens or None
        return replace(
            nothing_known(),
            output_tokens=output_tokens,
            web_searches=counted.web_searches if output_tokens else None,
        )
    if not call.visible_chars or counted.output_tokens != 0:
        return counted
    unfinished = usage_from(call, counted) == "placeholder"
    return counted if unfinished else replace(counted, output_tokens=None)


@lru_cache(maxsize=1024)
def version_of(text: str) -> tuple[int, ...]:
    """Return "2.1.60" as numbers; what is no number of a version counts as zero."""
    return tuple(int(part) if _is_number(part) else 0 for part in text.split(".")[:3])


def _is_number(text: str) -> bool:
    """Whether a text is a number as versions have it: `int` refuses a superscript, and very long ones."""
    return text.isdecimal() and len(text) <= _MOST_DIGITS


def write(
    rows: Rows,
    place: tuple[int, int],
    call: Call,
    listed: Sequence[Iteration] | None,
    shown_chars: int = 0,
) -> int:
    """Write a call to `rows`, a row for each model call inside it, and return how many rows that made.

    Args:
        rows: what to add to.
        place: its copy, and its number in it.
        call: the call.
        listed: its `iterations`.
        shown_chars: the characters of its prompt that stand in the log.
    """
    if call.dropped:
        return 0
    if not listed:
        whole = call.counters if listed is not None else replace(call.counters, contradictory=True)
        alone = _Inside(0, settled(call, whole), None, True, refusals.refused(call, ()).get(0), False)
        rows.calls.append(_row(call, alone, place, shown_chars))
        return 1
    used = [part.counters for part in listed]
    used[-1] = settled(call, used[-1])
    refused, declined = refusals.refused(call, listed), refusals.declined(listed)
    last = len(listed) - 1
    for offset, (counted, part) in enumerate(zip(used, listed, strict=True)):
        inside = _Inside(offset, counted, part.model, offset == last, refused.get(offset), offset in declined)
        rows.calls.append(_row(call, inside, (place[0], place[1] + offset), shown_chars))
    return len(used)


class _Inside(NamedTuple):
    """A model call inside a request: mostly there is one, the first and the last."""

    part: int
    counters: Counters
    model: str | None
    is_last: bool
    refusal: str | None
    is_declined: bool


def _row(call: Call, inside: _Inside, place: tuple[int, int], shown_chars: int) -> CallRow:
    counted, is_first = inside.counters, inside.part == 0
    at, end_at = _span(call)
    tier, speed, geo = _modes(call)
    # In the order of its fields: by name it takes twice as long, and there is one of each call.
    return CallRow(
        *place,
        inside.part,
        call.line,
        at,
        end_at,
        inside.model or call.model_raw,
        tier,
        speed,
        geo,
        call.effort,
        counted.input_tokens,
        counted.cache_read_tokens,
        counted.cache_write_5m_tokens,
        counted.cache_write_1h_tokens,
        counted.output_tokens,
        counted.thinking_tokens,
        counted.web_searches,
        *counted.modalities,
        refusals.REFUSAL if inside.is_declined else call.stop_reason,
        call.message_id,
        call.request_id,
        call.recorded_usd if is_first else None,
        usage_from(call, counted),
        call.visible_chars if inside.is_last else 0,
        shown_chars,
        end_at is not None,
        call.resets and is_first,
        call.settings,
        call.miss_reason,
        call.asks,
        inside.refusal,
        counted.cache_write_ttl,
        call.first_token_s if is_first else None,
    )


def _span(call: Call) -> tuple[datetime | None, datetime | None]:
    """Return when a call began and ended; one whose beginning cannot be right began when it ended."""
    end, at = time_of(call.end_at), time_of(call.at)
    if at is None or (end is not None and not at <= end <= _latest_end(at)):
        at = end
    return at, end


def _modes(call: Call) -> tuple[str, str, str | None]:
    """Return the tier, speed and place of a call."""
    usage = call.usage
    try:
        return modes_of(call.tier, usage.service_tier, usage.speed, usage.inference_geo)
    except TypeError:  # a log may hold a list there
        return modes_of.__wrapped__(call.tier, usage.service_tier, usage.speed, usage.inference_geo)


def _latest_end(at: datetime) -> datetime:
    """Return the latest end of a call that began then: if it is later, the line before has a wrong time."""
    return at + LONGEST if at < _LAST_DAY else datetime.max.replace(tzinfo=UTC)


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def miss_reason(diagnostics: object) -> str | None:
    """Return why the API says that a prompt was not read from the cache; `model_changed` and the like."""
    reason = diagnostics.get("cache_miss_reason") if isinstance(diagnostics, dict) else None
    return _word(reason.get("type") if isinstance(reason, dict) else reason)


def make_call(
    *,
    line: int,
    end_at: str | None,
    model: object,
    usage: Usage,
    message_id: object,
    request_id: object,
    stop_reason: object,
    version: object = None,
    effort: object = None,
) -> Call:
    """Return a `Call` of the fields of one log line, whatever their types there."""
    unfinished = stop_reason is None
    return Call(
        line,
        None,
        end_at,
        _word(model) or "unknown",
        usage,
        counters(usage),
        _word(message_id),
        _word(request_id),
        None if unfinished else stop_word(_word(stop_reason)),
        unfinished,
        _word(version),
        None if effort is None else _word(effort),
    )
