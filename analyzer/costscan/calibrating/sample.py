"""A text that may be counted, and how it is drawn: the longer, the likelier, and the same every time."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from math import log
from typing import Final

import msgspec
import xxhash

from costscan.calibration import KINDS
from costscan.reading.content.measure import Measured
from costscan.reading.content.token_estimate import Weights, weigh, weigh_raw
from costscan.reading.io import lenient_json

PIECE_CHARS: Final = 4_000
"""A longer text is counted in pieces, each a sample of its own: all of it may be drawn, not its beginning."""
MAX_JSON_CHARS: Final = 20_000
"""JSON cannot be cut: what is longer is left out."""
MIN_TOKENS: Final = 20
"""Texts of less are left out: one token more or less would say too much."""
_HASHES: Final = 1 << 64
OF_JSON: Final = ("tool_use", "tool_def")
"""Kinds of blocks that are JSON in a request, and written out by the API."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A block to count, or a piece of a long one.

    `text` is its text, the raw input of a tool call, or a raw tool definition; `name` is that of a called
    tool; `estimates` are its tokens as estimated in both families, of the text alone.
    """

    kind: str
    text: str
    name: str
    estimates: Weights

    @property
    def chars(self) -> int:
        """How many characters of the log are sent when it is counted."""
        return len(self.text) + len(self.name)


def samples_of(measured: Measured) -> Iterator[Sample]:
    """Yield a block as samples: none where its text is not there, too short, or cannot be counted alone."""
    text = measured.text
    if measured.kind not in KINDS or not text:
        return
    if isinstance(text, str):
        every: Iterable[Sample | None] = _of_text(measured.kind, text)
    else:
        short = text if len(text) <= MAX_JSON_CHARS else b""
        every = [_of_json(measured.kind, short, measured.tool or "")]
    yield from (made for made in every if made is not None and made.estimates[1] >= MIN_TOKENS)


def _of_text(kind: str, text: str) -> Iterator[Sample]:
    """Yield the pieces of a text, which are of about the same length."""
    pieces = -(-len(text) // PIECE_CHARS)
    ends = [len(text) * n // pieces for n in range(pieces + 1)]
    for start, end in pairwise(ends):
        shown = text[start:end].encode("utf-8", "replace").decode()
        if shown.strip() and kind not in OF_JSON:
            yield Sample(kind, shown, "", weigh(shown))


def _of_json(kind: str, raw: bytes, name: str) -> Sample | None:
    value = lenient_json.mapping(raw)
    if value is None:
        return None
    if kind == "tool_def":
        kept = {key: value.get(key) for key in ("name", "description", "input_schema") if value.get(key)}
        if not isinstance(kept.get("input_schema"), dict) or not _is_name(kept.get("name")):
            return None  # a tool of the API's own, or of another API
        shown = msgspec.json.encode(kept)
        return Sample(kind, shown.decode(), "", weigh_raw(shown))
    if kind != "tool_use" or not _is_name(name):
        return None
    shown = msgspec.json.encode(value)
    first, second = weigh_raw(shown), weigh(name)
    return Sample(kind, shown.decode(), name, (first[0] + second[0], first[1] + second[1]))


def _is_name(name: object) -> bool:
    """Whether the API takes this as the name of a tool."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= 64  # noqa: PLR2004 - the limit of the API
        and name.isascii()
        and name.replace("_", "").replace("-", "").isalnum()
    )


class Drawn:
    """The samples of each kind, at most so many, without repeats.

    A text is drawn with a chance in proportion to its length, without replacement (Efraimidis and Spirakis,
    2006), so that the mean of counted over estimated is about that of all tokens. Chance is the hash of the
    text: the same log gives the same sample.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._heaps: dict[str, list[tuple[float, int, Sample]]] = {kind: [] for kind in KINDS}
        self._seen: set[int] = set()

    def add(self, sample: Sample) -> None:
        """Take a sample where it is drawn."""
        key = xxhash.xxh3_64_intdigest(f"{sample.kind}\0{sample.name}\0{sample.text}".encode())
        if key in self._seen:
            return
        self._seen.add(key)
        heap = self._heaps[sample.kind]
        rank = log((key + 1) / _HASHES) / sample.estimates[1]
        if len(heap) < self._most:
            heapq.heappush(heap, (rank, key, sample))
        else:
            heapq.heappushpop(heap, (rank, key, sample))

    def in_turn(self) -> Sequence[Sample]:
        """Return what was drawn, one of each kind after another, so that any beginning has of all kinds."""
        by_kind = [[entry[2] for entry in sorted(heap, reverse=True)] for heap in self._heaps.values()]
        return [sample for turn in zip_longest(*by_kind) for sample in turn if sample is not None]


__all__ = ["MIN_TOKENS", "OF_JSON", "Drawn", "Sample", "samples_of"]
