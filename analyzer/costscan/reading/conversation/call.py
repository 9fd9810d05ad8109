"""One model call as the lines read so far tell it, and how it is written down."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from costscan.reading.conversation import refusals
from costscan.reading.conversation.usage import (
    PLACEHOLDER_OUTPUT_TOKENS,
    Counters,
    Usage,
    counters,
    iterations,
    nothing_known,
)
from costscan.reading.io.row_types import CallRow
from costscan.reading.io.rows import Rows
from costscan.reading.io.timestamps import time_of

FINISHED_SINCE: Final = (2, 1, 60)
"""First Claude Code version that logs the final output of a call on each of its lines (measured)."""
_PLAIN_TIERS: Final = frozenset({"default", "auto"})
"""What gateways call the standard tier."""
CHARS_OF_LARGEST_TOKEN: Final = 8
"""More than any text has a token: an output of fewer tokens than that cannot be the whole of it."""
LONGEST: Final = timedelta(days=1)
"""No call takes longer; a batch may take as long."""
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
    hand_overs: dict[str, Any] = field(default_factory=dict)


def usage_from(call: Call, counted: Counters) -> str:
    """Return how the usage of a call is known.

    `reported`: as billed; `placeholder`: a lower bound; `unreported`: a counter that is billed is unknown.
    """
    if not counted.is_known:
        return "unreported"
    if counted.contradictory:
        return "placeholder"
    if call.stop_reason is not None or not call.says_unfinished:
        return "reported"
    if call.version is not None and version_of(call.version) >= FINISHED_SINCE:
        return "reported"
    output = counted.output_tokens or 0
    few = output <= PLACEHOLDER_OUTPUT_TOKENS
    too_few = output * CHARS_OF_LARGEST_TOKEN < call.visible_chars
    return "placeholder" if few or too_few else "reported"


def settled(call: Call, counted: Counters) -> Counters:
    """Return the counters of a call of which all lines were read.

    An answer has tokens, and so has what it answers: a count of zero beside it was never made.
    """
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


def version_of(text: str) -> tuple[int, ...]:
    """Return "2.1.60" as numbers; what is no number of a version counts as zero."""
    return tuple(int(part) if _is_number(part) else 0 for part in text.split(".")[:3])


def _is_number(text: str) -> bool:
    """Whether a text is a number as versions have it: `int` refuses a superscript, and very long ones."""
    return text.isdecimal() and len(text) <= _MOST_DIGITS


def write(rows: Rows, copy: int, seq: int, call: Call, shown_chars: int = 0) -> int:
    """Write a call to `rows`, a row for each model call inside it, and return how many rows that made.

    `shown_chars` are those of its prompt that stand in the log.
    """
    if call.dropped:
        return 0
    listed = iterations(call.usage)
    inside = listed or []
    whole = call.counters if listed is not None else replace(call.counters, contradictory=True)
    used = [part.counters for part in inside] or [whole]
    used[-1] = settled(call, used[-1])
    models = [part.model for part in inside] or [None]
    refused, declined = refusals.refused(call, inside), refusals.declined(inside)
    rows.calls += [
        _row(
            call,
            _Inside(offset, counted, model, offset == len(used) - 1, refused.get(offset), offset in declined),
            copy=copy,
            seq=seq + offset,
            shown_chars=shown_chars,
        )
        for offset, (counted, model) in enumerate(zip(used, models, strict=True))
    ]
    return len(used)


class _Inside(NamedTuple):
    """A model call inside a request: mostly there is one, the first and the last."""

    part: int
    counters: Counters
    model: str | None
    is_last: bool
    refusal: str | None
    is_declined: bool


def _row(call: Call, inside: _Inside, *, copy: int, seq: int, shown_chars: int) -> CallRow:
    counted, is_first = inside.counters, inside.part == 0
    at, end_at = _span(call)
    tier, speed, geo, effort = _modes(call)
    return CallRow(
        copy=copy,
        seq=seq,
        part=inside.part,
        line=call.line,
        at=at,
        end_at=end_at,
        model_raw=inside.model or call.model_raw,
        tier=tier,
        speed=speed,
        geo=geo,
        effort=effort,
        input_tokens=counted.input_tokens,
        cache_read_tokens=counted.cache_read_tokens,
        cache_write_5m_tokens=counted.cache_write_5m_tokens,
        cache_write_1h_tokens=counted.cache_write_1h_tokens,
        output_tokens=counted.output_tokens,
        thinking_tokens=counted.thinking_tokens,
        web_searches=counted.web_searches,
        stop_reason=refusals.REFUSAL if inside.is_declined else call.stop_reason,
        message_id=call.message_id,
        request_id=call.request_id,
        recorded_usd=call.recorded_usd if is_first else None,
        usage_from=usage_from(call, counted),
        visible_chars=call.visible_chars if inside.is_last else 0,
        shown_chars=shown_chars,
        is_dated=end_at is not None,
        resets=call.resets and is_first,
        settings=call.settings,
        miss_reason=call.miss_reason,
        asks=call.asks,
        refusal=inside.refusal,
    )


def _span(call: Call) -> tuple[datetime | None, datetime | None]:
    """Return when a call began and ended; one whose beginning cannot be right began when it ended."""
    end, at = time_of(call.end_at), time_of(call.at)
    if at is None or (end is not None and not at <= end <= _latest_end(at)):
        at = end
    return at, end


def _modes(call: Call) -> tuple[str, str, str | None, str | None]:
    """Return the tier, speed, place and effort of a call."""
    speed = _mode(call.usage.speed) or "standard"
    return _tier(call), speed, _geo(call.usage.inference_geo), call.effort


def _latest_end(at: datetime) -> datetime:
    """Return the latest end of a call that began then: if it is later, the line before has a wrong time."""
    return at + LONGEST if at < _LAST_DAY else datetime.max.replace(tzinfo=UTC)


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _geo(value: Any) -> str | None:
    region = _mode(value)
    return None if region in {None, "not_available"} else region


def _tier(call: Call) -> str:
    """Return the tier as the log has it: one that is not known has no price."""
    tier = call.tier or _mode(call.usage.service_tier)
    return "standard" if tier is None or tier in _PLAIN_TIERS else tier


def _mode(value: Any) -> str | None:
    """Return a mode as the log tells it, None where it tells none; what is no text is told, and not known."""
    return _word(value) if value is None or isinstance(value, str) else "unknown"


def mode_of(usage: Usage) -> tuple[str, str, str | None]:
    """Return the tier, the speed and the place of inference that set the price of a usage."""
    tier = _word(usage.service_tier)
    return (
        tier if tier in {"batch", "priority"} else "standard",
        _word(usage.speed) or "standard",
        _geo(usage.inference_geo),
    )


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
        line=line,
        at=None,
        end_at=end_at,
        model_raw=_word(model) or "unknown",
        usage=usage,
        counters=counters(usage),
        message_id=_word(message_id),
        request_id=_word(request_id),
        stop_reason=_word(stop_reason),
        says_unfinished=unfinished,
        version=_word(version),
        effort=_word(effort),
    )
