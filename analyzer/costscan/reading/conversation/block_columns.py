"""The blocks of a run as columns of the `blocks` table."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from costscan.reading.conversation.placed_block import PlacedBlock
from costscan.reading.conversation.result_use import NOT_KNOWN, Used
from costscan.reading.io.row_types import BlockColumns

Span: TypeAlias = tuple[int | None, int, int]


def columns(
    copy: int,
    blocks: Sequence[PlacedBlock],
    spans: Sequence[Span],
    starts: Sequence[int],
    used: Mapping[int, Used],
) -> BlockColumns:
    """Return the columns of the `blocks` table.

    Args:
        copy: the number of the copy of the run.
        blocks: its blocks, in their order.
        spans: of each, the rows of the calls that made it, first sent it, and first no longer did.
        starts: where the rows of each call begin, and where those of the last end.
        used: of large results, by their place among the blocks, what of them was used.
    """
    measured = [b.measured for b in blocks]
    uses = [used.get(place, NOT_KNOWN) for place in range(len(blocks))]
    return BlockColumns(
        copy=[copy] * len(blocks),
        block=list(range(len(blocks))),
        made_by=[made for made, _, _ in spans],
        turn_in=[enters for _, enters, _ in spans],
        turn_out=[leaves for _, _, leaves in spans],
        line=[b.line for b in blocks],
        layer=[b.layer for b in blocks],
        role=[b.role for b in blocks],
        kind=[m.kind for m in measured],
        tool=[m.tool for m in measured],
        call_id=[m.call_id for m in measured],
        content_hash=[m.content_hash for m in measured],
        args_hash=[m.args_hash for m in measured],
        chars=[m.chars for m in measured],
        weight_first=[m.weights[0] for m in measured],
        weight_second=[m.weights[1] for m in measured],
        content=[m.content for m in measured],
        is_sized=[m.is_sized for m in measured],
        is_error=[m.is_error for m in measured],
        breakpoint=[b.ttl for b in blocks],
        position=[b.position for b in blocks],
        skill=[m.skill for m in measured],
        used_share=[u.share for u in uses],
        used_last=[None if u.call is None else max(starts[u.call + 1] - 1, 0) for u in uses],
        used_to=[u.to for u in uses],
    )


def span(block: PlacedBlock, starts: Sequence[int]) -> Span:
    """Return the rows of the calls that made a block, first sent it, and first no longer did."""
    made = None if block.made_by is None else max(starts[block.made_by + 1] - 1, 0)
    return made, starts[block.call_in], starts[-1 if block.call_out is None else block.call_out]
