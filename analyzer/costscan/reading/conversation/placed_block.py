"""A content block, and the calls in whose prompts it stands."""

from collections.abc import Iterable, Sequence
from itertools import accumulate

from msgspec import Struct

from costscan.reading.content.measure import Measured
from costscan.reading.conversation.call import Call


class PlacedBlock(Struct, gc=False):
    """A block: which call wrote it, which one first sent it, and which first no longer did (None: none)."""

    made_by: int | None
    call_in: int
    call_out: int | None
    line: int
    layer: str
    role: str
    measured: Measured
    ttl: str | None = None
    position: int | None = None


def prompt_chars(calls: Sequence[Call], blocks: Iterable[PlacedBlock]) -> list[int]:
    """Return the characters in the prompt of each call; an empty list where all usage is known."""
    if all(call.counters.is_known and any(call.counters.prompt_side) for call in calls):
        return []
    change = [0] * (len(calls) + 2)
    for block in blocks:
        change[block.call_in] += block.measured.chars
        change[len(calls) if block.call_out is None else block.call_out] -= block.measured.chars
    return list(accumulate(change))
