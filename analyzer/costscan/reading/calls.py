"""One model call as the lines read so far tell it, and how it is written down."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from costscan.reading.records import Rows
from costscan.reading.usage import (
    PLACEHOLDER_OUTPUT_TOKENS,
    Counters,
    Iteration,
    Usage,
    counters,
    iterations,
)

FINISHED_SINCE: Final = (2, 1, 60)
"""First Claude Code version that logs the final output of a call on each of its lines (measured)."""
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


def is_same(known: Call, found: Call, *, newest: bool) -> bool:
    """Say whether two lines with one message id tell the same call; `newest` that no call came between."""
    # Gateways reuse message ids for different calls; their request ids and prompts differ.
    if known.request_id is not None and known.request_id == found.request_id:
        return True
    if newest and (known.request_id is None or found.request_id is None):
        return True
    return known.counters.prompt_side == found.counters.prompt_side


def merge(known: Call, found: Call) -> None:
    """Take what another line tells of a call: the largest output counts."""
    known.end_at = found.end_at or known.end_at
    known.stop_reason = known.stop_reason or found.stop_reason
    known.request_id = known.request_id or found.request_id
    known.recorded_usd = known.recorded_usd or found.recorded_usd
    if found.counters.output_tokens >= known.counters.output_tokens:
        known.raw_usage = found.raw_usage
        known.usage, known.counters = found.usage, _largest(known.counters, found.counters)


def _largest(a: Counters, b: Counters) -> Counters:
    if a.prompt_side == b.prompt_side:
        return b
    return (
        b
        if sum(b.prompt_side) >= sum(a.prompt_side)
        else replace(
            b,
            input_tokens=a.input_tokens,
            cache_read_tokens=a.cache_read_tokens,
            cache_write_5m_tokens=a.cache_write_5m_tokens,
            cache_write_1h_tokens=a.cache_write_1h_tokens,
        )
    )


def usage_from(call: Call) -> str:
    """Say whether the usage of a call is as billed (`reported`) or a lower bound (`placeholder`)."""
    if call.counters.unreadable:
        return "placeholder"
    if call.stop_reason is not None or not call.says_unfinished:
        return "reported"
    if call.version is not None and version_of(call.version) >= FINISHED_SINCE:
        return "reported"
    few = call.counters.output_tokens <= PLACEHOLDER_OUTPUT_TOKENS
    too_few = call.counters.output_tokens * CHARS_OF_LARGEST_TOKEN < call.visible_chars
    return "placeholder" if few or too_few else "reported"


def version_of(text: str) -> tuple[int, ...]:
    """Give "2.1.60" as numbers; what is no number of a version counts as zero."""
    return tuple(int(part) if _is_number(part) else 0 for part in text.split(".")[:3])


def _is_number(text: str) -> bool:
    """Say whether a text is a number as versions have it: `int` refuses a superscript, and very long ones."""
    return text.isdecimal() and len(text) <= _MOST_DIGITS


def time_of(text: str | None) -> datetime | None:
    """Give an ISO time, or a time in seconds or milliseconds since 1970, as UTC; None when it is no time."""
    if not text:
        return None
    try:
        if text[-1] == "Z":
            return datetime.fromisoformat(text)
        found = datetime.fromisoformat(text)
    except ValueError:
        return _epoch_time(text)
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError:
        return None


def _epoch_time(text: str) -> datetime | None:
    try:
        seconds = float(text)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)  # noqa: PLR2004
    except (ValueError, OverflowError, OSError):
        return None


def write(rows: Rows, copy: int, seq: int, call: Call) -> int:
    """Write a call to `rows`, a row for each model call inside it, and give how many rows that made."""
    if call.dropped:
        return 0
    end, at = time_of(call.end_at), time_of(call.at)
    if at is None or (end is not None and not at <= end <= _latest_end(at)):
        at = end
    parts: list[Iteration | None] = [*iterations(call.usage)] or [None]
    for offset, part in enumerate(parts):
        used = call.counters if part is None else part.counters
        model = call.model_raw if part is None or part.model is None else part.model
        rows.tables["calls"].append(
            (
                copy,
                seq + offset,
                offset,
                call.line,
                at,
                end,
                model,
                _tier(call),
                _word(call.usage.speed) or "standard",
                _geo(call.usage.inference_geo),
                call.effort,
                used.input_tokens,
                used.cache_read_tokens,
                used.cache_write_5m_tokens,
                used.cache_write_1h_tokens,
                used.output_tokens,
                used.thinking_tokens,
                used.web_searches,
                call.stop_reason,
                call.message_id,
                call.request_id,
                call.recorded_usd if offset == 0 else None,
                usage_from(call),
                call.visible_chars if offset == len(parts) - 1 else 0,
                call.resets and offset == 0,
                call.settings,
                call.miss_reason,
                call.asks,
            )
        )
    return len(parts)


def _latest_end(at: datetime) -> datetime:
    """Give the latest end of a call that began then: where it is later, the line before has a wrong time."""
    return at + LONGEST if at < _LAST_DAY else datetime.max.replace(tzinfo=UTC)


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _geo(value: Any) -> str | None:
    found = _word(value)
    return None if found in {None, "not_available"} else found


def _tier(call: Call) -> str:
    found = call.tier or _word(call.usage.service_tier)
    return found if found in {"batch", "priority"} else "standard"


def miss_reason(diagnostics: object) -> str | None:
    """Give why the API says that a prompt was not read from the cache; `model_changed` and the like."""
    found = diagnostics.get("cache_miss_reason") if isinstance(diagnostics, dict) else None
    return _word(found.get("type") if isinstance(found, dict) else found)


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
    """Give a `Call` of the fields of one log line, whatever their types there."""
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
