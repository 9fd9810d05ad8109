"""Lines that tell the same call: whether they do, and whose counters hold."""

from typing import TYPE_CHECKING

from costscan.reading.io.timestamps import time_of

if TYPE_CHECKING:
    from costscan.reading.conversation.call import Call


def is_same(known: "Call", found: "Call", *, newest: bool) -> bool:
    """Whether two lines with one message id tell the same call; `newest` that no call came between."""
    # Gateways reuse message ids for different calls; their request ids and prompts differ.
    if known.request_id is not None and known.request_id == found.request_id:
        return True
    if newest and (known.request_id is None or found.request_id is None):
        return True
    if not (known.counters.knows_prompt and found.counters.knows_prompt):
        return newest or known.request_id == found.request_id
    return known.counters.prompt_side == found.counters.prompt_side


def merge(known: "Call", found: "Call") -> None:
    """Take what another line tells of a call: the counters of one line, the last complete one."""
    if _tells_more(found, known):
        known.raw_usage = found.raw_usage
        known.usage, known.counters = found.usage, found.counters
    known.end_at = found.end_at or known.end_at
    known.request_id = known.request_id or found.request_id
    known.recorded_usd = known.recorded_usd or found.recorded_usd
    known.stop_reason = known.stop_reason or found.stop_reason


def _tells_more(found: "Call", known: "Call") -> bool:
    """Whether a later line's counters take the place of those that were known.

    A line that knows more counters does, then one that was finished; of two finished ones the later, of two
    unfinished ones that which had counted more.
    """
    mine, theirs = (_completeness(call) for call in (found, known))
    if mine != theirs:
        return mine > theirs
    if found.stop_reason is not None:
        before, now = time_of(known.end_at), time_of(found.end_at)
        return before is None or now is None or now >= before
    return (found.counters.output_tokens or 0) >= (known.counters.output_tokens or 0)


def _completeness(call: "Call") -> tuple[bool, bool, bool]:
    counted = call.counters
    return counted.is_known and not counted.is_zero, counted.knows_prompt, call.stop_reason is not None
