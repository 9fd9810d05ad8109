"""A run told by full requests: each says what the whole prompt was, so blocks are matched, not guessed.

A request is compared with the one before it. Blocks that stand in both, in the same order, are carried; the
others left or entered. Where a block differs from the one at its place by a value that varies, it is that
block. What the model wrote enters with the next request, where it is found again by its tool
call id, its hash, or its place.
"""

from collections.abc import Sequence
from typing import NamedTuple

from costscan.reading.content.measure import Measured
from costscan.reading.conversation import refusals
from costscan.reading.conversation.call import Call
from costscan.reading.conversation.iterations import after_compaction, iterations
from costscan.reading.conversation.thread import Thread
from costscan.reading.io.row_types import BreakRow, MovedRow, PrefixRow, WindowRow
from costscan.reading.io.rows import Rows
from costscan.reading.prompt_diff.cache_positions import Position, Prefix, prefixes, window
from costscan.reading.prompt_diff.divergence import Break, Moved, Prompt
from costscan.reading.prompt_diff.prompt import Key, Sent
from costscan.reading.prompt_diff.salt import Salt
from costscan.reading.prompt_diff.tracker import Prompts


class RequestThread(Thread):
    """A thread whose prompts are known."""

    once = False

    def __init__(self, prompts: Prompts) -> None:
        super().__init__()
        self._carried: list[tuple[Key, int]] = []
        self._written: list[int] = []
        self._prompts = prompts
        self._traces: dict[int, _PromptTrace] = {}
        self._asked: tuple[Prompt, list[Sent]] | None = None
        self._summaries: dict[int, _Summary] = {}
        self._stable_keys: list[Key] = []

    def request(self, line: int, blocks: list[Sent], call: Call, key: str, salt: Salt) -> int:
        """Add a request and the call it made; give the number of the call."""
        now = len(self.calls)
        # Before the blocks are placed, which takes their texts from them.
        prompt, breaks = self._prompts.take(blocks, salt)
        self._asked = prompt, blocks
        kept = match([k for k, _ in self._carried], [b.key for b in blocks])
        kept |= self._varied(prompt, kept)
        self._stable_keys = prompt.stable_keys
        carried: list[tuple[Key, int]] = []
        for position, block in enumerate(blocks):
            before = kept.get(position)
            placed = self._carried[before][1] if before is not None else self._enter(line, block)
            self.stands(placed, position)
            carried.append((block.key, placed))
        still = {placed for _, placed in carried}
        for _, placed in self._carried:
            if placed not in still:
                self.leave(placed, now)
        for placed in self._written:
            if placed not in still:
                self.leave(placed, now)
        self._carried, self._written = carried, []
        n = self.call(call, key=key)
        places = [placed for _, placed in carried]
        # A call told twice departs from itself nowhere.
        self._traces.setdefault(
            n, _PromptTrace(breaks, window(prompt, blocks), prefixes(prompt), prompt.moved, places)
        )
        return n

    def _varied(self, prompt: Prompt, kept: dict[int, int]) -> dict[int, int]:
        """Map the places whose blocks differ from those there before by values alone to themselves.

        Such a block is the same one in another wording: it stays where it is, and as long as it was.
        """
        most = min(len(self._carried), len(self._stable_keys), len(prompt.keys))
        varied = (
            n
            for n in range(most)
            if self._carried[n][0] != prompt.keys[n] and self._stable_keys[n] == prompt.stable_keys[n]
        )
        taken = {*kept, *kept.values()}
        tools = {n: self._blocks[self._carried[n][1]].measured.tool for n in varied if n not in taken}
        return {n: n for n, tool in tools.items() if tool == prompt.blocks[n].measured.tool}

    def flush(self, rows: Rows, copy: int) -> int:
        """Write the calls and blocks, and where prompts depart and may be found in the cache."""
        last = super().flush(rows, copy)
        for n, trace in self._traces.items():
            if self._starts[n] < self._starts[n + 1]:
                trace.write(rows, copy, self._starts[n])
                for part in refusals.asked_again(self.calls[n]):
                    trace.write_places(rows, copy, self._starts[n] + part)
                if n in self._summaries:
                    summary = self._summaries[n]
                    summary.trace.write_places(rows, copy, self._starts[n] + summary.part)
        return last

    def remember_written(self, first: int) -> None:
        """Take the blocks from number `first` on as what the last call wrote."""
        self._written = list(range(first, self.n_blocks))

    def went_on_from_summary(self, call: int, placed: int) -> None:
        """Take a block that a call wrote as the summary that it then went on from instead of its messages."""
        part = after_compaction(iterations(self.calls[call].usage) or [])
        if part is None or self._asked is None or call in self._summaries:
            return
        prompt, blocks = self._asked
        fixed = [n for n, block in enumerate(blocks) if block.layer != "messages"]
        automatic = blocks[-1].breakpoint if (blocks[-1].breakpoint or "").startswith("auto-") else None
        text_sent = Sent("messages", "assistant", self._blocks[placed].measured, automatic, 0)
        sent = [*(blocks[n] for n in fixed), text_sent]
        short = self._prompts.summed_up(prompt, sent)
        places = [*(self._carried[n][1] for n in fixed), placed]
        trace = _PromptTrace([], window(short, sent), prefixes(short), [], places)
        self._summaries[call] = _Summary(part, placed, trace)

    def _span(self, number: int, starts: Sequence[int]) -> tuple[int | None, int, int]:
        """Return what `Thread` does; a summary came in, and what it stands for left, within a request."""
        block, (made, enters, leaves) = self._blocks[number], super()._span(number, starts)
        own = self._summaries.get(-1 if block.made_by is None else block.made_by)
        if own is not None and own.placed == number:
            begins = starts[block.made_by or 0]
            return begins + own.part - 1, begins + own.part, leaves
        last = (len(self.calls) if block.call_out is None else block.call_out) - 1
        by = self._summaries.get(last)
        if by is None or block.layer != "messages" or block.call_in > last:
            return made, enters, leaves
        return made, enters, starts[last] + by.part

    def wrote_any_of(self, blocks: list[Sent]) -> bool:
        """Whether a later request holds a block that the last call wrote, by its call id or its text."""
        wrote = {_identity(self._blocks[placed].measured) for placed in self._written}
        return any(b.role == "assistant" and _identity(b.measured) in wrote for b in blocks)

    def _enter(self, line: int, block: Sent) -> int:
        if block.role == "assistant":
            for at, placed in enumerate(self._written):
                if self.is_written(placed, block.measured):
                    del self._written[at]
                    return placed
        self.sent(line, block.measured, layer=block.layer, role=block.role, ttl=block.breakpoint)
        return self.n_blocks - 1


class _Summary(NamedTuple):
    """A summary: the model call inside the request that went on from it, its block, that call's prompt."""

    part: int
    placed: int
    trace: "_PromptTrace"


class _PromptTrace(NamedTuple):
    """The prompt of a call beside its blocks."""

    breaks: list[Break]
    positions: list[Position]
    prefixes: list[Prefix]
    moved: list[Moved]
    places: list[int]

    def write(self, rows: Rows, copy: int, seq: int) -> None:
        rows.breaks += [
            BreakRow(
                copy=copy,
                seq=seq,
                position=b.position,
                place=self.places[b.position] if b.position < len(self.places) else None,
                layer=b.layer,
                path=b.path,
                char_offset=b.char_offset,
                text_chars=b.text_chars,
                cause=b.cause,
                before=b.before,
                after=b.after,
                is_first=b.is_first,
                across_runs=b.against is not None,
                against=b.against,
            )
            for b in self.breaks
        ]
        self.write_places(rows, copy, seq)

    def write_places(self, rows: Rows, copy: int, seq: int) -> None:
        """Write where the prompt may be found in a cache; another model that is sent it departs nowhere."""
        rows.windows += [
            WindowRow(
                copy=copy,
                seq=seq,
                position=p.position,
                place=self.places[p.position],
                prefix_hash=p.prefix_hash,
                stable_hash=p.stable_hash,
                breakpoint=p.ttl,
            )
            for p in self.positions
        ]
        rows.prefixes += [
            PrefixRow(
                copy=copy,
                seq=seq,
                position=p.position,
                place=self.places[p.position],
                role=p.role,
                prefix_hash=p.prefix_hash,
                stable_hash=p.stable_hash,
            )
            for p in self.prefixes
        ]
        rows.moved += [
            MovedRow(
                copy=copy,
                seq=seq,
                position=m.position,
                place=self.places[m.position],
                value_tokens=m.tokens,
            )
            for m in self.moved
        ]


def _identity(measured: Measured) -> tuple[str, str | int | None]:
    return measured.kind, measured.call_id or measured.content_hash


def match(before: list[Key], after: list[Key]) -> dict[int, int]:
    """Map positions in `after` to positions in `before` that hold the same block, both in rising order."""
    matches: dict[int, int] = {}
    start, stop = 0, min(len(before), len(after))
    while start < stop and before[start] == after[start]:
        matches[start] = start
        start += 1
    places: dict[Key, list[int]] = {}
    for position in range(len(before) - 1, start - 1, -1):
        places.setdefault(before[position], []).append(position)
    last = start - 1
    for position in range(start, len(after)):
        candidates = places.get(after[position])
        while candidates and candidates[-1] <= last:
            candidates.pop()
        if candidates:
            last = matches[position] = candidates.pop()
    return matches
