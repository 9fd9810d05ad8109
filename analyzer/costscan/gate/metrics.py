"""What runs are compared by."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """One number per run.

    Attributes:
        name: its column.
        unit: what it counts.
        in_ratios: compared by the ratio of two runs; otherwise by their difference.
        more_is_worse: whether a rise is the bad direction.
    """

    name: str
    unit: Literal["usd", "tokens", "count", "share"]
    in_ratios: bool = True
    more_is_worse: bool = True

    @property
    def sign(self) -> int:
        """1 where a rise is worse, -1 where a fall is."""
        return 1 if self.more_is_worse else -1


_ALL: Final = (
    Metric("usd", "usd"),
    Metric("prompt_tokens", "tokens"),
    Metric("output_tokens", "tokens"),
    Metric("turns", "count"),
    Metric("tool_calls", "count", in_ratios=False),
    Metric("cache_hit_rate", "share", in_ratios=False, more_is_worse=False),
    Metric("findings", "count", in_ratios=False),
)
METRICS: Final = {metric.name: metric for metric in _ALL}
"""Calls and findings may be none, and a ratio to none says nothing: they are compared by differences."""
_OF_ACTIONS: Final = (
    Metric("actions", "count"),
    Metric("safe_actions", "count"),
    Metric("actions_usd", "usd"),
    Metric("safe_actions_usd", "usd"),
)
ACTIONS: Final = {metric.name: metric for metric in _OF_ACTIONS}
"""What a ceiling can be on beside them: how many actions there are, and what they save together.

Those that are safe change no answer, nor when it comes.
"""
MEASURES: Final = {**METRICS, **ACTIONS}
