"""The usage object of the Messages API, as logs really hold it, to counters that can be billed.

Logs hold numbers as strings, NaN, null and lists where numbers belong, counters of other APIs, or nothing. A
counter that is missing or cannot be read is None: unknown, never zero.
Field meanings: https://platform.claude.com/docs/en/build-with-claude/prompt-caching (`input_tokens` is only
what was neither read from nor written to the cache; without a split, cache writes are 5-minute ones). The
API leaves the cache counters out, or null, where nothing was cached; input and output it always tells.
"""

from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from costscan.reading.content.block import raw_json
from costscan.reading.io import lenient_json


class Split(Struct, gc=False):
    """`cache_creation`: cache writes by their TTL."""

    ephemeral_5m_input_tokens: Any = None
    ephemeral_1h_input_tokens: Any = None


class Usage(Struct, gc=False):
    """`usage` of a response, each field still as the log has it."""

    input_tokens: Any = None
    output_tokens: Any = None
    cache_read_input_tokens: Any = None
    cache_creation_input_tokens: Any = None
    cache_creation: Split | UnsetType | None = UNSET
    service_tier: Any = None
    speed: Any = None
    inference_geo: Any = None
    iterations: Raw = Raw()
    server_tool_use: Any = None
    output_tokens_details: Any = None
    input_tokens_details: Any = None
    total_tokens: Any = None


MAX_COUNT = 10**9
"""More tokens than any call can have: a larger number is damage."""
UNKNOWN_TTL = "unknown"
"""The lifetime of cache writes of which the log does not tell it."""
MAX_SEARCHES = 1000
"""More web searches than any call can make."""
USAGE_FIELDS = [name for name in Usage.__struct_fields__ if name not in {"cache_creation", "iterations"}]


_decode = msgspec.json.Decoder(Usage).decode


class Modalities(NamedTuple):
    """What of the input, the cache reads and the output was audio, and what images; None where not told."""

    audio_input_tokens: int | None = None
    audio_cache_read_tokens: int | None = None
    audio_output_tokens: int | None = None
    image_input_tokens: int | None = None
    image_cache_read_tokens: int | None = None
    image_output_tokens: int | None = None


_NOT_TOLD = Modalities()


class Counters(Struct, gc=False):
    """Billable counters of one model call, None where not known; token classes are disjoint.

    `contradictory`: what the log tells of the cache writes, or of the calls inside, does not fit or cannot be
    read; the smaller bill is taken. `cache_write_ttl`: how long the writes live that count as 5-minute ones
    and are not known to be: "30m", "12h" or "unknown".
    """

    input_tokens: int | None
    cache_read_tokens: int | None
    cache_write_5m_tokens: int | None
    cache_write_1h_tokens: int | None
    output_tokens: int | None
    thinking_tokens: int | None
    web_searches: int | None
    contradictory: bool
    cache_write_ttl: str | None = None
    modalities: Modalities = _NOT_TOLD

    @property
    def prompt_side(self) -> tuple[int | None, int | None, int | None]:
        """What identifies a call across copies: uncached input, cache reads, cache writes."""
        w5m, w1h = self.cache_write_5m_tokens, self.cache_write_1h_tokens
        return self.input_tokens, self.cache_read_tokens, None if w5m is None or w1h is None else w5m + w1h

    @property
    def knows_prompt(self) -> bool:
        """Whether every counter of the prompt is known."""
        return None not in self.prompt_side

    @property
    def is_known(self) -> bool:
        """Whether every counter that is billed is known."""
        return (
            self.output_tokens is not None
            and self.input_tokens is not None
            and self.cache_read_tokens is not None
            and self.cache_write_5m_tokens is not None
            and self.cache_write_1h_tokens is not None
            and self.web_searches is not None
        )

    @property
    def is_zero(self) -> bool:
        """Whether every counter of tokens is zero, which no call that was answered can be."""
        return self.output_tokens == 0 and self.prompt_side == (0, 0, 0)


def nothing_known() -> Counters:
    """Return the counters of a call that tells none."""
    return Counters(None, None, None, None, None, None, None, contradictory=False)


def number(value: object, most: int = MAX_COUNT) -> int | None:
    """Return a token count as logs write it (12, "12", 12.0) as an int; None when it is no count."""
    if type(value) is int:
        return value if 0 <= value <= most else None
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, float) and 0 <= value <= most and value.is_integer():
        return int(value)
    return None


def _cached(value: object) -> int | None:
    """Return a cache counter: none told is none used."""
    return 0 if value is None else number(value)


def _writes(usage: Usage) -> tuple[int | None, int | None, bool]:
    """Return the 5-minute and 1-hour writes, and whether the log contradicts itself on them."""
    total, split = usage.cache_creation_input_tokens, usage.cache_creation
    if type(split) is Split and type(total) is int:
        w5m, w1h = split.ephemeral_5m_input_tokens, split.ephemeral_1h_input_tokens
        if type(w5m) is int and type(w1h) is int and w5m >= 0 <= w1h and w5m + w1h == total <= MAX_COUNT:
            return w5m, w1h, False
    return _odd_writes(total, split)


def _odd_writes(raw_total: object, split: object) -> tuple[int | None, int | None, bool]:
    total = _cached(raw_total)
    if not isinstance(split, Split):
        return total, 0, split is None and bool(total)
    parts = (split.ephemeral_5m_input_tokens, split.ephemeral_1h_input_tokens)
    w5m, w1h = (_cached(value) for value in parts)
    if total is None or w5m is None or w1h is None:
        return None, None, False
    if total and w5m + w1h > total:
        return total, 0, True
    # The split is what is billed, but a log may hold the total alone: the rest of it is a 5-minute write.
    return w5m + max(total - w5m - w1h, 0), w1h, bool(total) and parts == (None, None)


def _tells_ttl(split: object) -> bool:
    return isinstance(split, Split) and split.ephemeral_5m_input_tokens is not None


def _tells_cache(usage: Usage) -> bool:
    return usage.cache_read_input_tokens is not None or usage.cache_creation_input_tokens is not None


def _is_foreign(usage: Usage) -> bool:
    """Whether these are OpenAI's counters, whose input holds what was read from the cache."""
    return usage.input_tokens_details is not None and not _tells_cache(usage)


def _holds_cache(usage: Usage, plain: int | None, out: int | None, cache_read: int) -> bool:
    """Whether the input holds what the cache read, by a total: so it does in streams of Qwen Code."""
    return cache_read <= (plain or 0) and (plain or 0) + (out or 0) == number(usage.total_tokens)


def counters(usage: Usage) -> Counters:
    """Return the billable counters of `usage`, top level only."""
    if (
        type(usage.input_tokens) is int
        and type(usage.output_tokens) is int
        and 0 <= usage.input_tokens <= MAX_COUNT
        and 0 <= usage.output_tokens <= MAX_COUNT
    ):
        plain: int | None = usage.input_tokens
        out: int | None = usage.output_tokens
    else:
        plain, out = number(usage.input_tokens), number(usage.output_tokens)
        if plain is None and out is None and not _tells_cache(usage):
            return nothing_known()
    if _is_foreign(usage):
        return nothing_known()
    cache_read: Any = usage.cache_read_input_tokens
    if type(cache_read) is not int or not 0 <= cache_read <= MAX_COUNT:
        cache_read = _cached(cache_read)
    w5m, w1h, contradictory = _writes(usage)
    if usage.total_tokens is not None and cache_read and _holds_cache(usage, plain, out, cache_read):
        plain = (plain or 0) - cache_read
    server, details = usage.server_tool_use, usage.output_tokens_details
    search_count = server.get("web_search_requests") if isinstance(server, dict) else None
    searches = 0 if search_count is None else number(search_count, MAX_SEARCHES)
    thinking = number(details.get("thinking_tokens")) if isinstance(details, dict) else None
    ttl = UNKNOWN_TTL if w5m and not _tells_ttl(usage.cache_creation) else None
    return Counters(plain, cache_read, w5m, w1h, out, thinking, searches, contradictory, ttl)


def from_dict(value: object) -> Usage | None:
    """Return a `Usage` of a decoded JSON object, or None when `value` is none."""
    if not isinstance(value, dict):
        return None
    usage = Usage()
    for name in USAGE_FIELDS:
        setattr(usage, name, value.get(name))
    if value.get("iterations") is not None:
        usage.iterations = raw_json(value["iterations"])
    split = value.get("cache_creation", UNSET)
    if isinstance(split, dict):
        usage.cache_creation = Split(
            split.get("ephemeral_5m_input_tokens"), split.get("ephemeral_1h_input_tokens")
        )
    elif split is not UNSET:
        usage.cache_creation = None
    return usage


def of_raw(raw: bytes) -> Usage:
    """Return the `Usage` of raw JSON, whatever types its fields have; an empty one when it is no object."""
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    return from_dict(lenient_json.value(raw)) or Usage()


PLACEHOLDER_OUTPUT_TOKENS = 8
"""An unfinished call shows at most this many output tokens: what the first streamed event had counted."""
