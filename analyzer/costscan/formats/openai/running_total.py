"""The running total of a Codex thread: which calls its lines tell."""

from collections.abc import Mapping
from typing import Any, Final

from costscan.reading.conversation.usage import number

_COUNTERS: Final = (
    *("input_tokens", "cached_input_tokens", "cache_write_input_tokens"),
    *("output_tokens", "reasoning_output_tokens", "total_tokens"),
)


class RunningTotal:
    """The total that the last line told."""

    def __init__(self) -> None:
        self._total: dict[str, int] | None = None

    @property
    def tokens(self) -> int | None:
        """All tokens by now."""
        told = self._total
        return None if told is None else told["total_tokens"] or told["input_tokens"] + told["output_tokens"]

    def take(self, total: object, last: object) -> list[tuple[bool, object]]:
        """Return the usage of each call that a line tells, in order, and whether it was never announced.

        A total that did not change tells none. What it grew by beyond the last call is one that no line told;
        a total that fell, or that tells less than the last call, says nothing beside it.
        """
        before, now = self._total, _counts(total)
        announced: list[tuple[bool, object]] = [(False, last)] if _is_used(last) else []
        if now is None:
            return announced
        self._total = now
        if before is None:
            return announced
        if now == before:
            return []
        rest = _minus(_minus(now, before), _counts(last) or {})
        if min(rest.values()) < 0 or not any(rest.values()):
            return announced
        return [(True, rest), *announced]


def is_first(record: Mapping[str, Any]) -> bool:
    """Whether a usage record is the first of its thread: the thread has used what the call has."""
    return _counts(record.get("usage")) == _counts(record.get("thread_token_usage")) is not None


def _counts(usage: object) -> dict[str, int] | None:
    if not isinstance(usage, dict):
        return None
    return {name: number(usage.get(name)) or 0 for name in _COUNTERS}


def _minus(counts: dict[str, int], less: dict[str, int]) -> dict[str, int]:
    return {name: count - less.get(name, 0) for name, count in counts.items()}


def _is_used(usage: object) -> bool:
    """Whether a usage is that of a call: one of zeros tells none, one that cannot be read is unknown."""
    return isinstance(usage, dict) and any(
        number(usage.get(name)) != 0 for name in _COUNTERS if name in usage
    )
