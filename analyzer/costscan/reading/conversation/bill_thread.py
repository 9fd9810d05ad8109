"""One run as it is being read for its bill alone: what calls wrote is measured where the bill needs it."""

from collections import defaultdict
from typing import Any, Final

from msgspec import Raw

from costscan.reading.content.block import content_of, is_content
from costscan.reading.conversation import call as calls
from costscan.reading.conversation.iterations import iterations
from costscan.reading.conversation.thread import Thread
from costscan.reading.io.rows import Rows

_NOT_COUNTED: Final = 1 << 40
"""More characters than any log has: what was decoded leniently is not counted beforehand."""


class BillThread(Thread):
    """The calls of one copy of a run; their blocks are not asked for.

    How much a call wrote says whether its counters can be right. That is asked of few calls: what they
    wrote is held as the log has it, and measured at the end, or not at all.
    """

    def __init__(self) -> None:
        super().__init__()
        self._written: list[tuple[int, int, Any]] = []
        self._most_chars: defaultdict[int, int] = defaultdict(int)

    def wrote_content(self, call: int, line: int, content: Any) -> None:
        """Add the content of a message, raw or decoded, as what a call wrote."""
        if type(content) is Raw:
            content = bytes(content)
            self._most_chars[call] += len(content)
        else:
            self._most_chars[call] = _NOT_COUNTED
        self._written.append((call, line, content))

    def ended(self, stop_reason: object) -> None:
        """Take why a process ended: where that is a refusal, its last call may be the refused one."""
        if self.calls and self.calls[-1].stop_reason is None:
            self._measure()
        super().ended(stop_reason)

    def flush(self, rows: Rows, copy: int) -> int:
        """Write the calls to `rows` and give the number of rows that made."""
        listed = [iterations(call.usage) for call in self.calls]
        if any(listed) or self._is_in_doubt():
            self._measure()
        n = 0
        for call, inside in zip(self.calls, listed, strict=True):
            n += calls.write(rows, (copy, n), call, inside)
        return n

    def _is_in_doubt(self) -> bool:
        """Whether the bill of some call depends on what was written."""
        if any(calls.is_in_doubt(call, self._most_chars[n]) for n, call in enumerate(self.calls)):
            return True
        # Of what is not as it should be, the length says nothing.
        by_length = {n for n, call in enumerate(self.calls) if calls.goes_by_length(call)}
        raws = (content for call, _, content in self._written if call in by_length and type(content) is bytes)
        return not all(map(is_content, raws))

    def _measure(self) -> None:
        """Measure what the calls wrote, in the order of the log."""
        for call, line, content in self._written:
            decoded = content_of(content) if type(content) is bytes else content
            super().wrote_content(call, line, decoded)
        self._written.clear()
