"""One run as it is being read: its model calls, its content blocks and when each was in the prompt.

A block enters with the first call that sends it (`turn_in`) and leaves before the first call that no longer
does (`turn_out`). What a call wrote enters with the next call.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import UNSET, Raw

from costscan.models import drops_thinking
from costscan.reading.content.block import Block, text_block
from costscan.reading.content.kept_texts import taker
from costscan.reading.content.measure import Measured, measure
from costscan.reading.conversation import call as calls
from costscan.reading.conversation import refusals, repeated_lines
from costscan.reading.conversation.block_columns import Span, columns, span
from costscan.reading.conversation.call import Call
from costscan.reading.conversation.call_start import began
from costscan.reading.conversation.iterations import iterations
from costscan.reading.conversation.placed_block import PlacedBlock, prompt_chars
from costscan.reading.conversation.result_use import Use
from costscan.reading.conversation.usage import Usage, counters, number
from costscan.reading.io.rows import Rows

RESULTS: Final = frozenset({"tool_result", "image", "document"})
"""Kinds of blocks that a tool returns; of pictures and documents, those inside its result."""


class Thread:
    """The calls and blocks of one copy of a run, in the order of the log.

    Nothing is written to `Rows` before `flush`, because a call's usage may still grow. `once` says that a
    result shown twice was sent once, as in logs that repeat lines, and that the prompts are not known.
    """

    once = True

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.last_at: str | None = None
        self._blocks: list[PlacedBlock] = []
        self._open = 0
        self._fixed: list[int] = []
        self._resets_next = False
        self._news: set[str] = set()
        self._last_key: str | None = None
        self._by_key: dict[str, int] = {}
        self._tools: dict[str, str] = {}
        self._answered: set[str] = set()
        self._skills: dict[str, str] = {}
        self._use = Use()
        self._starts = [0]
        self._take = taker()

    def repeats(self, key: object, usage: Raw, end_at: str | None, stop_reason: object) -> int | None:
        """Return the number of the newest call when a line shows just that call again, else None."""
        if key is None or key != self._last_key:
            return None
        last = self.calls[-1]
        if bytes(usage) != last.raw_usage:
            return None
        last.end_at = end_at or last.end_at
        if last.stop_reason is None and isinstance(stop_reason, str):
            last.stop_reason = stop_reason
        return len(self.calls) - 1

    def call(self, call: Call, *, key: str) -> int:
        """Add a line of a model call and give the number of the call; lines of one call share a key."""
        at = self._by_key.get(key)
        if at is not None and repeated_lines.is_same(self.calls[at], call, newest=at == len(self.calls) - 1):
            repeated_lines.merge(self.calls[at], call)
            return at
        before = self.calls[-1].end_at if self.calls else None
        call.at, self.last_at = call.at or began(self.last_at or before, call.end_at), None
        call.resets, self._resets_next = self._resets_next, False
        if self._news:
            if self.once and self._news == {"asked"} and drops_thinking(call.model_raw):
                self._drop_thinking()
            self._news.clear()
        self.calls.append(call)
        self._by_key[key] = len(self.calls) - 1
        self._last_key = key
        return len(self.calls) - 1

    def _drop_thinking(self) -> None:
        """Close what was thought: the next call does not send it."""
        for block in self._blocks[self._open :]:
            if block.measured.kind == "thinking" and block.call_out is None:
                block.call_out = max(len(self.calls), block.call_in)

    def knows(self, key: str) -> bool:
        """Whether a call of this key was added."""
        return key in self._by_key

    def finished(self, key: str, usage: Usage) -> None:
        """Take the final output count of a call from the last event of its stream."""
        at = self._by_key.get(key)
        output = number(usage.output_tokens)
        if at is not None and output is not None:
            call = self.calls[at]
            call.usage.output_tokens = max(output, call.counters.output_tokens or 0)
            call.counters = counters(call.usage)
            call.says_unfinished = False

    def refused(self, key: str, stop_reason: object, stop_details: object) -> None:
        """Take what the last event of a call's stream says of a refusal."""
        at = self._by_key.get(key)
        if at is not None:
            refusals.note(self.calls[at], stop_reason, stop_details)

    def ended(self, stop_reason: object) -> None:
        """Take why a process ended: where that is a refusal, its last call may be the refused one."""
        if self.calls and self.calls[-1].stop_reason is None and not self.calls[-1].visible_chars:
            refusals.note(self.calls[-1], stop_reason, UNSET)

    def categorise(self, request_id: object, category: object) -> None:
        """Take the category that another line tells of a refusal in a request."""
        for call in self.calls:
            if call.request_id is not None and call.request_id == request_id:
                refusals.categorise(call, category)

    def wrote_content(self, call: int, line: int, content: Any) -> None:
        """Add the content of a message, blocks or a text, as what a call wrote."""
        self.wrote(call, line, [text_block(content)] if isinstance(content, str) else content or ())

    def wrote(self, call: int, line: int, blocks: Iterable[Block]) -> None:
        """Add what a call wrote; a block that a repeated line shows again is taken once."""
        made = self.calls[call]
        for block in blocks:
            measured = measure(block)
            if measured is None:
                refusals.hands_over(made, block)
                continue
            text = measured.text
            if self._take is None:
                measured.text = None
            if self._seen(call, measured):
                continue
            if text:
                self._use.wrote(call, text)
            if measured.call_id is not None and measured.kind == "tool_use":
                self._tools[measured.call_id] = measured.tool or "unknown"
                if measured.skill is not None:
                    self._skills[measured.call_id] = measured.skill
            made.visible_chars += measured.chars
            self._blocks.append(PlacedBlock(call, call + 1, None, line, "messages", "assistant", measured))

    def sent(
        self,
        line: int,
        measured: Measured,
        *,
        layer: str = "messages",
        role: str = "user",
        ttl: str | None = None,
    ) -> None:
        """Add a block that the next call sends, and what is inside it."""
        measured, *inside = measured.apart()
        if measured.kind == "tool_result" and measured.call_id is not None:
            if self.once and measured.call_id in self._answered:
                return
            self._answered.add(measured.call_id)
        elif measured.kind == "tool_use" and measured.call_id is not None:
            self._tools.setdefault(measured.call_id, measured.tool or "unknown")
        if measured.kind in RESULTS and measured.call_id is not None:
            measured.tool = self._tools.get(measured.call_id)
            measured.skill = self._skills.get(measured.call_id)
        if layer == "messages" and role == "user":
            self._news.add("answered" if measured.kind == "tool_result" else "asked")
        if layer != "messages":
            self._fixed.append(len(self._blocks))
        elif measured.text:
            self._use.sent(len(self._blocks), len(self.calls), role, measured)
        if self._take is None:
            measured.text = None
        self._blocks.append(PlacedBlock(None, len(self.calls), None, line, layer, role, measured, ttl))
        for part in inside:
            self.sent(line, part, layer=layer, role=role)

    def skill_of(self, call_id: object) -> str | None:
        """Return the skill that a tool call loaded, None where it is no such call."""
        return self._skills.get(call_id) if isinstance(call_id, str) else None

    def forget(self, *, layers: tuple[str, ...] = ("messages",)) -> None:
        """Close every open block of the messages, or of other layers: the next call starts a new context."""
        now = len(self.calls)
        if "messages" in layers:
            self._use.close()
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

    def shows(self, line: int, tools: Sequence[Measured], system: Sequence[Measured]) -> None:
        """Take the tools and the system prompt that the next call sends, if they are not those of before.

        A client may show the same prompt first without its tools: then they were in it from its beginning.
        """
        shown = [self._blocks[n] for n in self._fixed if self._blocks[n].call_out is None]
        before = [b.measured.content_hash for b in shown]
        if before and before == [m.content_hash for m in (*tools, *system)]:
            return
        is_same = bool(shown and tools) and all(b.layer == "system" for b in shown)
        since = shown[0].call_in if is_same else len(self.calls)
        if is_same:
            for block in shown:
                block.call_out = block.call_in
            self._fixed.clear()
        else:
            self.forget(layers=("tools", "system"))
        for layer, blocks in (("tools", tools), ("system", system)):
            for measured in blocks:
                self._fixed.append(len(self._blocks))
                if self._take is None:
                    measured.text = None
                self._blocks.append(PlacedBlock(None, since, None, line, layer, "system", measured))

    def replace_result(self, call_id: str, sent: Measured) -> None:
        """Take what was sent in place of a tool's result from the beginning."""
        for n in range(len(self._blocks) - 1, -1, -1):
            block = self._blocks[n]
            if block.measured.kind == "tool_result" and block.measured.call_id == call_id:
                sent.tool, sent.skill = block.measured.tool, block.measured.skill
                block.measured = sent
                self._use.drop(n)
                return

    def clear_results(self, call_ids: set[str]) -> None:
        """Close the results of these tool calls: they were edited out of the context."""
        now = len(self.calls)
        for block in self._blocks[self._open :]:
            if block.measured.kind in RESULTS and block.measured.call_id in call_ids:
                block.call_out = block.call_out or now

    @property
    def n_blocks(self) -> int:
        """How many blocks were placed so far."""
        return len(self._blocks)

    def leave(self, number: int, call: int) -> None:
        """Close a block: `call` is the first that no longer sends it."""
        block = self._blocks[number]
        block.call_out = max(call, block.call_in)

    def stands(self, number: int, position: int) -> None:
        """Say at which place of the prompt a block came in."""
        block = self._blocks[number]
        if block.position is None:
            block.position = position

    def is_written(self, number: int, sent: Measured) -> bool:
        """Whether a block that a call wrote is this block of the next request."""
        mine = self._blocks[number].measured
        if mine.kind != sent.kind:
            return False
        if mine.call_id is not None or sent.call_id is not None:
            return mine.call_id == sent.call_id
        return mine.content_hash == sent.content_hash or mine.kind in {"text", "thinking"}

    def drop(self, call: int) -> None:
        """Do not bill this call: a later one took its place."""
        self.calls[call].dropped = True

    def flush(self, rows: Rows, copy: int) -> int:
        """Write the calls and blocks to `rows` and give the number of calls written."""
        starts = self._starts = [0]
        shown = prompt_chars(self.calls, self._blocks)
        for n, call in enumerate(self.calls):
            inside, shown_chars = iterations(call.usage), shown[n] if shown else 0
            starts.append(starts[-1] + calls.write(rows, (copy, starts[-1]), call, inside, shown_chars))
        self._use.close()
        if self._take is not None:
            self._take(self.calls, self._blocks)
        if not rows.bill_only:
            spans = [self._span(n, starts) for n in range(len(self._blocks))]
            rows.add_blocks(columns(copy, self._blocks, spans, starts, self._use.used))
        return starts[-1]

    def _span(self, number: int, starts: Sequence[int]) -> Span:
        """Return the rows of the calls that made a block, first sent it, and first no longer did."""
        return span(self._blocks[number], starts)

    def _seen(self, call: int, measured: Measured) -> bool:
        if measured.kind == "tool_use" and measured.call_id is not None:
            return measured.call_id in self._tools
        for block in reversed(self._blocks):
            if block.made_by != call:
                return False
            if block.measured == measured:
                return True
        return False
