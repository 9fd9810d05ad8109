"""Token usage that grows like a real session's: cache reads carry on, writes add, gaps expire."""

from dataclasses import dataclass
from random import Random
from typing import Final

HOUR_S: Final = 3600.0
FIVE_MINUTES_S: Final = 300.0
SYSTEM_PREFIX_TOKENS: Final = 16_576


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call is billed for."""

    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    one_hour: bool

    def as_json(self, *, finished: bool, full: bool) -> str:
        """Return the `usage` object; unfinished lines carry an early output count."""
        w1h, w5m = (self.cache_write_tokens, 0) if self.one_hour else (0, self.cache_write_tokens)
        split = f'"cache_creation":{{"ephemeral_5m_input_tokens":{w5m},"ephemeral_1h_input_tokens":{w1h}}}'
        output = self.output_tokens if finished else 1 + self.output_tokens % 8
        counts = (
            f'"input_tokens":{self.input_tokens},"cache_creation_input_tokens":{self.cache_write_tokens},'
            f'"cache_read_input_tokens":{self.cache_read_tokens},"output_tokens":{output}'
        )
        if not finished:
            return f'{{{counts},{split},"service_tier":"standard","inference_geo":"not_available"}}'
        iterations = f'{{{counts},{split},"type":"message"}}' if full else ""
        return (
            f'{{{counts},"server_tool_use":{{"web_search_requests":0,"web_fetch_requests":0}},'
            f'"service_tier":"standard",{split},"inference_geo":"not_available",'
            f'"iterations":[{iterations}],"speed":"standard"}}'
        )


class Context:
    """The growing prompt of one thread and what of it is cached."""

    def __init__(self, rng: Random, *, one_hour: bool, limit_tokens: int) -> None:
        self.rng = rng
        self.one_hour = one_hour
        self.limit_tokens = limit_tokens
        self.prompt_tokens = int(rng.triangular(18_000, 55_000, 33_000))
        self.cached_tokens = SYSTEM_PREFIX_TOKENS if rng.random() < 0.5 else 0
        self.pending_tokens = 0

    @property
    def is_full(self) -> bool:
        """Whether the next call would go over the limit at which the thread is compacted."""
        return self.prompt_tokens + self.pending_tokens > self.limit_tokens

    def compact(self, summary_tokens: int) -> None:
        """Replace the history by its summary: only the system prefix stays cached."""
        self.prompt_tokens = 22_000 + summary_tokens
        self.pending_tokens = 0
        self.cached_tokens = SYSTEM_PREFIX_TOKENS

    def bill(self, gap_s: float, output_tokens: int) -> Usage:
        """Return the usage of the next call, `gap_s` after the last one."""
        self.prompt_tokens += self.pending_tokens
        input_tokens = 1 + int(self.rng.random() * 8)
        cache_read = min(self._cache_hit(gap_s), self.prompt_tokens - input_tokens)
        cache_write = self.prompt_tokens - input_tokens - cache_read
        self.cached_tokens = cache_read + cache_write
        self.pending_tokens = output_tokens
        return Usage(input_tokens, cache_read, cache_write, output_tokens, self.one_hour)

    def _cache_hit(self, gap_s: float) -> int:
        chance = self.rng.random()
        if gap_s > (HOUR_S if self.one_hour else FIVE_MINUTES_S):
            loss, partial = 0.9, 0.0
        else:
            loss, partial = 0.007, 0.011
        if chance < loss:
            return 0 if self.rng.random() < 0.5 else min(SYSTEM_PREFIX_TOKENS, self.cached_tokens)
        if chance < loss + partial:
            return int(self.cached_tokens * (0.5 + self.rng.random() / 2))
        return self.cached_tokens
