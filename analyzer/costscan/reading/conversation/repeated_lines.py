"""Lines that tell the same call: whether they do, and whose counters hold."""

from typing import TYPE_CHECKING

from costscan.reading.io.timestamps import time_of

if TYPE_CHECKING:
    from costscan.reading.conversation.call import Call


def is_same(earlier: "Call", later: "Call", *, newest: bool) -> bool:
    """Whether two lines with one message id tell the same call; `newest` that no call came between."""
    # Gateways reuse message ids for different calls; their request ids and prompts differ.
    if earlier.request_id is not None and earlier.request_id == later.request_id:
        return True
    if newest and (earlier.request_id is None or later.request_id is None):
        return True
    if not (earlier.counters.knows_prompt and later.counters.knows_prompt):
        return newest or earlier.request_id == later.request_id
    return earlier.counters.prompt_side == later.counters.prompt_side


def merge(earlier: "Call", later: "Call") -> None:
    """Take what another line tells of a call: the counters of one line, the last complete one."""
    if _tells_more(later, earlier):
        earlier.raw_usage = later.raw_usage
        earlier.usage, earlier.counters = later.usage, later.counters
    earlier.end_at = later.end_at or earlier.end_at
    earlier.request_id = earlier.request_id or later.request_id
    earlier.recorded_usd = earlier.recorded_usd or later.recorded_usd
    earlier.stop_reason = earlier.stop_reason or later.stop_reason
    if earlier.first_token_s is None:
        earlier.first_token_s = later.first_token_s


def _tells_more(later: "Call", earlier: "Call") -> bool:
    """Whether a later line's counters take the place of those that were known.

    A line that knows more counters does, then one that was finished; of two finished ones the later, of two
    unfinished ones that which had counted more.
    """
    mine, theirs = (_completeness(call) for call in (later, earlier))
    if mine != theirs:
        return mine > theirs
    if later.stop_reason is not None:
        before, now = time_of(earlier.end_at), time_of(later.end_at)
        return before is None or now is None or now >= before
    return (later.counters.output_tokens or 0) >= (earlier.counters.output_tokens or 0)


def _completeness(call: "Call") -> tuple[bool, bool, bool]:
    counted = call.counters
    return counted.is_known and not counted.is_zero, counted.knows_prompt, call.stop_reason is not None
