"""One run as it is being read: its model calls, its content blocks and when each was in the prompt.

A block enters with the first call that sends it (`turn_in`) and leaves before the first call that no longer
does (`turn_out`). What a call wrote enters with the next call.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from msgspec import Raw, Struct
from msgspec.structs import replace

from costscan.sources.content import Block
from costscan.sources.measure import Measured, measure
from costscan.sources.records import Rows
from costscan.sources.usage import (
    PLACEHOLDER_OUTPUT_TOKENS,
    Counters,
    Usage,
    counters,
    iterations,
    number,
)

if TYPE_CHECKING:
    from costscan.sources.prompt import Sent

FINISHED_SINCE: Final = (2, 1, 60)
"""First Claude Code version that logs the final output of a call on each of its lines (measured)."""


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


class _Placed(Struct, gc=False):
    made_by: int | None
    call_in: int
    call_out: int | None
    line: int
    layer: str
    role: str
    measured: Measured
    breakpoint: str | None = None


class Thread:
    """The calls and blocks of one copy of a run, in the order of the log.

    Nothing is written to `Rows` before `flush`, because a call's usage may still grow. `once` says that a
    result shown twice was sent once, as in logs that repeat lines.
    """

    once = True

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.last_at: str | None = None
        self._blocks: list[_Placed] = []
        self._open = 0
        self._fixed: list[int] = []
        self._resets_next = False
        self._last_key: str | None = None
        self._by_key: dict[str, int] = {}
        self._tools: dict[str, str] = {}
        self._answered: set[str] = set()

    def repeats(self, key: object, usage: Raw, end_at: str | None, stop_reason: object) -> int | None:
        """Give the number of the newest call when a line shows just that call again, else None."""
        if key is None or key != self._last_key:
            return None
        last = self.calls[-1]
        if bytes(usage) != last.raw_usage:
            return None
        last.end_at = end_at or last.end_at
        if last.stop_reason is None and isinstance(stop_reason, str):
            last.stop_reason = stop_reason
        return len(self.calls) - 1

    def call(self, found: Call, *, key: str) -> int:
        """Add a line of a model call and give the number of the call; lines of one call share a key."""
        at = self._by_key.get(key)
        if at is not None and _same_call(self.calls[at], found, newest=at == len(self.calls) - 1):
            _merge(self.calls[at], found)
            return at
        before = self.calls[-1].end_at if self.calls else None
        found.at, self.last_at = found.at or self.last_at or before or found.end_at, None
        found.resets, self._resets_next = self._resets_next, False
        self.calls.append(found)
        self._by_key[key] = len(self.calls) - 1
        self._last_key = key
        return len(self.calls) - 1

    def finished(self, key: str, usage: Usage) -> None:
        """Take the final output count of a call from the last event of its stream."""
        at = self._by_key.get(key)
        output = number(usage.output_tokens)
        if at is not None and output is not None:
            call = self.calls[at]
            call.usage.output_tokens = max(output, call.counters.output_tokens)
            call.counters = counters(call.usage)
            call.says_unfinished = False

    def wrote(self, call: int, line: int, blocks: Iterable[Block]) -> None:
        """Add what a call wrote; a block that a repeated line shows again is taken once."""
        made = self.calls[call]
        for block in blocks:
            found = measure(block)
            if found is None or self._seen(call, found):
                continue
            if found.call_id is not None and found.kind == "tool_use":
                self._tools[found.call_id] = found.tool or "unknown"
            made.visible_chars += found.chars
            self._blocks.append(_Placed(call, call + 1, None, line, "messages", "assistant", found))

    def sent(self, line: int, found: Measured, *, layer: str = "messages", role: str = "user",
             marker: str | None = None) -> None:
        """Add a block that the next call sends."""
        if found.kind == "tool_result" and found.call_id is not None:
            if self.once and found.call_id in self._answered:
                return
            self._answered.add(found.call_id)
            found.tool = self._tools.get(found.call_id)
        elif found.kind == "tool_use" and found.call_id is not None:
            self._tools.setdefault(found.call_id, found.tool or "unknown")
        if layer != "messages":
            self._fixed.append(len(self._blocks))
        self._blocks.append(_Placed(None, len(self.calls), None, line, layer, role, found, marker))

    def forget(self, *, layers: tuple[str, ...] = ("messages",)) -> None:
        """Close every open block of the messages, or of other layers: the next call starts a new context."""
        now = len(self.calls)
        numbers = range(self._open, len(self._blocks)) if "messages" in layers else self._fixed
        for block in (self._blocks[n] for n in numbers):
            if block.call_out is None and block.layer in layers:
                block.call_out = max(now, block.call_in)
        if "messages" in layers:
            self._open = len(self._blocks)
            self._answered.clear()
        else:
            self._fixed.clear()
        self._resets_next = now > 0

    def clear_results(self, call_ids: set[str]) -> None:
        """Close the results of these tool calls: they were edited out of the context."""
        now = len(self.calls)
        for block in self._blocks[self._open:]:
            if block.measured.kind == "tool_result" and block.measured.call_id in call_ids:
                block.call_out = block.call_out or now

    @property
    def n_blocks(self) -> int:
        """How many blocks were placed so far."""
        return len(self._blocks)

    def leave(self, number: int, call: int) -> None:
        """Close a block: `call` is the first that no longer sends it."""
        block = self._blocks[number]
        block.call_out = max(call, block.call_in)

    def is_same(self, number: int, sent: "Sent") -> bool:
        """Say whether a block that a call wrote is this block of the next request."""
        mine, other = self._blocks[number].measured, sent.measured
        if mine.kind != other.kind:
            return False
        if mine.call_id is not None or other.call_id is not None:
            return mine.call_id == other.call_id
        return mine.content_hash == other.content_hash or mine.kind in {"text", "thinking"}

    def drop(self, call: int) -> None:
        """Do not bill this call: a later one took its place."""
        self.calls[call].dropped = True

    def flush(self, rows: Rows, copy: int) -> int:
        """Write the calls and blocks to `rows` and give the number of calls written."""
        starts = [0]
        for call in self.calls:
            starts.append(starts[-1] + _write_call(rows, copy, starts[-1], call))
        last = starts[-1]
        for number, block in enumerate(self._blocks):
            call_out = len(self.calls) if block.call_out is None else block.call_out
            made_by = None if block.made_by is None else max(starts[block.made_by + 1] - 1, 0)
            rows.tables["blocks"].append((
                copy, number, made_by, starts[block.call_in], min(starts[call_out], last), block.line,
                block.layer, block.role, block.measured.kind, block.measured.tool, block.measured.call_id,
                block.measured.content_hash, block.measured.args_hash, block.measured.chars,
                block.measured.fixed_tokens, block.measured.is_error, block.breakpoint,
            ))
        return last

    def _seen(self, call: int, found: Measured) -> bool:
        if found.kind == "tool_use" and found.call_id is not None:
            return found.call_id in self._tools
        for block in reversed(self._blocks):
            if block.made_by != call:
                return False
            if block.measured == found:
                return True
        return False


def _same_call(known: Call, found: Call, *, newest: bool) -> bool:
    # Gateways reuse message ids for different calls; their request ids and prompts differ.
    if known.request_id is not None and known.request_id == found.request_id:
        return True
    if newest and (known.request_id is None or found.request_id is None):
        return True
    return known.counters.prompt_side == found.counters.prompt_side


def _merge(known: Call, found: Call) -> None:
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
    return b if sum(b.prompt_side) >= sum(a.prompt_side) else replace(
        b, input_tokens=a.input_tokens, cache_read_tokens=a.cache_read_tokens,
        cache_write_5m_tokens=a.cache_write_5m_tokens, cache_write_1h_tokens=a.cache_write_1h_tokens,
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
    # Eight characters a token is more than any text has: fewer tokens than that cannot be the whole output.
    return "placeholder" if few or call.counters.output_tokens * 8 < call.visible_chars else "reported"


def version_of(text: str) -> tuple[int, ...]:
    """Give "2.1.60" as numbers; what is no number counts as zero."""
    return tuple(int(part) if part.isdigit() else 0 for part in text.split(".")[:3])


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


def _write_call(rows: Rows, copy: int, seq: int, call: Call) -> int:
    if call.dropped:
        return 0
    end, at = time_of(call.end_at), time_of(call.at)
    if at is None or (end is not None and at > end):
        at = end
    parts = iterations(call.usage) or [None]
    for offset, part in enumerate(parts):
        used = call.counters if part is None else part.counters
        model = call.model_raw if part is None or part.model is None else part.model
        rows.tables["calls"].append((
            copy, seq + offset, offset, call.line, at, end, model, _tier(call), _word(call.usage.speed) or "standard",
            _geo(call.usage.inference_geo), call.effort, used.input_tokens, used.cache_read_tokens,
            used.cache_write_5m_tokens, used.cache_write_1h_tokens, used.output_tokens, used.thinking_tokens,
            used.web_searches, call.stop_reason, call.message_id, call.request_id,
            call.recorded_usd if offset == 0 else None, usage_from(call),
            call.visible_chars if offset == len(parts) - 1 else 0, call.resets and offset == 0,
        ))
    return len(parts)


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _geo(value: Any) -> str | None:
    found = _word(value)
    return None if found in {None, "not_available"} else found


def _tier(call: Call) -> str:
    found = call.tier or _word(call.usage.service_tier)
    return found if found in {"batch", "priority"} else "standard"


def make_call(*, line: int, end_at: str | None, model: object, usage: Usage, message_id: object,
              request_id: object, stop_reason: object, version: object = None,
              effort: object = None) -> Call:
    """Give a `Call` of the fields of one log line, whatever their types there."""
    unfinished = stop_reason is None
    return Call(
        line=line, at=None, end_at=end_at, model_raw=_word(model) or "unknown", usage=usage,
        counters=counters(usage), message_id=_word(message_id), request_id=_word(request_id),
        stop_reason=_word(stop_reason), says_unfinished=unfinished, version=_word(version),
        effort=_word(effort),
    )

