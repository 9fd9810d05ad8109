"""Which large tool results were used: what of their words the model wrote soon after, and not just before.

A result is held until `FOLLOWED` texts were written behind it, or its context ended. Then words of some
slices of it are looked up in the first texts behind it; where next to none came, words of more of it in all
of them. A word tells of use when it is not common (`common_words.txt`) and none of the `BEFORE` texts before
the result, its own request among them, had it. Words that stood there too and come again say nothing.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from importlib.resources import files
from itertools import accumulate
from typing import Final, NamedTuple, TypeAlias

from costscan.reading.content.measure import Measured

MIN_CHARS: Final = 6000
"""Smaller results are not followed: they cost little, and to follow them takes as long."""
FOLLOWED: Final = 64
BEFORE: Final = 4
AT_FIRST: Final = 4
AT_ONCE: Final = 8
FEW_CHARS: Final = 768
MANY_CHARS: Final = 8192
WRITTEN_CHARS: Final = 1024
HELD_CHARS: Final = 1_000_000
SLICES: Final = 4
MIN_LETTERS: Final = 4
MAX_AGAIN: Final = 1
MIN_TEXTS: Final = 4
"""Fewer texts behind a result cannot show that it was not used."""
SOUGHT: Final = 2
"""So many of the words that tell of use, the longest, are sought for where they stand and came last."""

_LETTERS: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_")
_spaced: Final = bytes(c if c in _LETTERS else 32 for c in bytes(range(256)).lower())
COMMON: Final = frozenset(
    files("costscan.reading.conversation").joinpath("common_words.txt").read_bytes().split()
)
Written: TypeAlias = tuple[int, bytes]
"""The call that wrote a text, -1 for anyone else, and slices of the text."""


class Used(NamedTuple):
    """The `share` of its distinctive words, the `call` that last wrote one, how far into it they reach."""

    share: float | None
    call: int | None
    to: float | None


NOT_KNOWN: Final = Used(None, None, None)


class _PendingResult(NamedTuple):
    place: int
    at: int
    text: str


class Use:
    """The large results of one run, and what was written around them."""

    def __init__(self) -> None:
        self.used: dict[int, Used] = {}
        self._pending: deque[_PendingResult] = deque()
        self._pending_chars = 0
        self._written: deque[Written] = deque(maxlen=BEFORE + FOLLOWED)
        self._n = 0
        self._judge_at = -1

    def wrote(self, call: int, text: str | bytes) -> None:
        """Take what a call wrote, text or the raw JSON of a tool's input; or, as call -1, anyone else."""
        raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
        self._written.append((call, raw if len(raw) <= WRITTEN_CHARS else _sliced(raw, WRITTEN_CHARS)))
        self._n += 1
        if self._n == self._judge_at:
            self._judge()

    def sent(self, place: int, next_call: int, role: str, block: Measured) -> None:
        """Take a block that the next call sends: a result, what a user wrote, or what a call had written."""
        text = block.text or ""
        if block.kind != "tool_result":
            self.wrote(next_call - 1 if role == "assistant" else -1, text)
        elif isinstance(text, str) and len(text) >= MIN_CHARS:
            self.result(place, text)

    def result(self, place: int, text: str) -> None:
        """Hold a large result until it is known what of it was used."""
        if not self._pending:
            self._judge_at = self._n + FOLLOWED
        self._pending.append(_PendingResult(place, self._n, text))
        self._pending_chars += len(text)
        while self._pending_chars > HELD_CHARS:
            self._judge()

    def drop(self, place: int) -> None:
        """Forget a result: it was not sent."""
        self.used.pop(place, None)
        self._pending = deque(one for one in self._pending if one.place != place)
        self._pending_chars = sum(len(one.text) for one in self._pending)
        self._judge_at = self._pending[0].at + FOLLOWED if self._pending else -1

    def close(self) -> None:
        """Judge all results: what comes next cannot refer to them."""
        while self._pending:
            self._judge()
        self._written.clear()

    def _judge(self) -> None:
        pending = self._pending.popleft()
        self._pending_chars -= len(pending.text)
        self._judge_at = self._pending[0].at + FOLLOWED if self._pending else -1
        written = list(self._written)
        at = pending.at - (self._n - len(written))
        used = judged(pending.text, written[max(at - BEFORE, 0) : at], written[at : at + FOLLOWED])
        if used is not None:
            self.used[pending.place] = used
        if self._judge_at == self._n:
            self._judge()


def judged(text: str, before: Sequence[Written], after: Sequence[Written]) -> Used | None:
    """Compare a result with what was written before and after it; None where nothing can be told."""
    later = [written if call >= 0 else b"" for call, written in after]
    if not any(later):
        return None
    raw = text.encode("utf-8", "replace")
    earlier = _plain([written for _, written in before])
    own = _words(raw, FEW_CHARS)
    hits = _hits(own, later[:AT_FIRST])
    new = [w for w in hits if w not in earlier]
    if not new and len(hits) <= MAX_AGAIN:
        own = _words(raw, MANY_CHARS)
        hits = _hits(own, later)
        new = [w for w in hits if w not in earlier]
    if new:
        longest = sorted(new, key=lambda w: (-len(w), w))[:SOUGHT]
        last, _ = after[_last(later, longest)]
        return Used(len(new) / len(own - COMMON), last, _reach(raw, longest))
    enough = sum(map(bool, later)) >= MIN_TEXTS and len(hits) <= MAX_AGAIN
    if enough and any(len(w) >= MIN_LETTERS and w not in earlier for w in own - COMMON):
        return Used(0.0, None, None)
    return None


def _plain(texts: Sequence[bytes]) -> bytes:
    """Join texts in small letters; what it gives is as long as what it takes and a space for each."""
    return b" ".join([*texts, b""]).replace(b"\\n", b"  ").lower()


def _hits(own: set[bytes], later: Sequence[bytes]) -> list[bytes]:
    """Return those of its own words that came later and are not common."""
    common = own.intersection(_plain(later).translate(_spaced).split())
    return [w for w in common if len(w) >= MIN_LETTERS and w not in COMMON]


def _last(later: Sequence[bytes], words: Sequence[bytes]) -> int:
    """Return the number of the last text that has one of these words, from the end, some texts at a time."""
    for start in range(len(later) - 1, -1, -AT_ONCE):
        texts = later[max(start - AT_ONCE + 1, 0) : start + 1]
        plain = _plain(texts)
        at = max([plain.rfind(w) for w in words])
        if at >= 0:
            ends = list(accumulate([len(text) + 1 for text in texts]))
            return start + 1 - len(texts) + bisect_right(ends, at)
    return -1


def _reach(raw: bytes, words: Sequence[bytes]) -> float:
    """Say how far into a text these words reach, each where it stands first."""
    low = raw.lower()
    return max([low.find(w) for w in words]) / len(low)


def _words(raw: bytes, most: int) -> set[bytes]:
    """Return the words of slices of a text."""
    return set(_sliced(raw, most).translate(_spaced).split())


def _sliced(raw: bytes, most: int) -> bytes:
    """Return slices of a text from its start to its end, with a space between them."""
    if len(raw) <= most:
        return raw
    size = most // SLICES
    starts = [n * (len(raw) - size) // (SLICES - 1) for n in range(SLICES)]
    return b" ".join([raw[start : start + size] for start in starts])
