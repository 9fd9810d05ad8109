"""A place where a prompt departs from an older one, and how two texts of the same place give such places."""

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from costscan.reading.content.excerpts import masked
from costscan.reading.prompt_diff.prompt import Key, Sent
from costscan.reading.prompt_diff.salt import Salt
from costscan.reading.prompt_diff.text_diff import departures, varying
from costscan.reading.prompt_diff.value_kind import Pair

MAX_EXCERPT: Final = 60
_CONTEXT: Final = 16
_SECRET_CHARS: Final = 200
_MAX_SECRET: Final = 1000
_SEEN_BEHIND: Final = 80
_COMPARED_CHARS: Final = 4000
_ALIKE: Final = 0.5
_space = re.compile(r"\s+")
_covered = re.compile("▮+")
_piece = re.compile(r"[^\W\d_]{1,7}|\d{1,3}|[^\w\s]|_")
"""What of a time or an id is a token: for these nearer than the weights, which are fitted to longer texts."""
_word = re.compile(r"[^\W\d_]{3,}")


class Moved(Struct, gc=False, frozen=True):
    """A value that varies, at a place of a prompt: the name of its text, about how many tokens it takes."""

    position: int
    name: str
    tokens: int


class Prompt(Struct):
    """What is remembered of a prompt: its blocks with their texts, and a hash of what each ends.

    `stable_keys`, `stable` and `moved` are what its keys and hashes would be without values that vary, and
    those values. `extends` is the length, in blocks, of the longest earlier prompt of the run that it begins
    with, `stable_extends` of the longest that it would begin with; 0 where there is none. `salt` is what its
    settings add to its keys.
    """

    run_id: str
    keys: list[Key]
    blocks: list[Sent]
    texts: list[str | bytes | None]
    hashes: list[int]
    chars: int
    marked: int | None
    stable_keys: list[Key]
    stable: list[int]
    moved: list[Moved]
    salt: Salt
    extends: int = 0
    stable_extends: int = 0

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of its tools, sorted."""
        return tuple(sorted(b.measured.tool or "" for b in self.blocks if b.layer == "tools"))

    def text(self, at: int) -> str | None:
        """The text of a block, None where it has none or it was forgotten."""
        stored = self.texts[at]
        return stored.decode("utf-8", "replace") if isinstance(stored, bytes) else stored

    def forgot(self, at: int) -> bool:
        """Whether a block had text that is no longer known."""
        return self.texts[at] is None and self.blocks[at].measured.chars > 0

    def forget_texts(self) -> None:
        """Keep hashes only."""
        self.texts = [None] * len(self.texts)
        self.chars = 0


class Break(Struct):
    """A place where a prompt departs from an older one; the first one of a prompt is where it breaks.

    `tokens` is about how many the text takes that varies there, 0 where nothing is told of a text.
    """

    position: int
    layer: str
    path: str
    char_offset: int | None
    text_chars: int | None
    cause: str
    before: str = ""
    after: str = ""
    is_first: bool = False
    against: str | None = None
    tokens: int = 0


def text_of(block: Sent) -> str | bytes | None:
    """Return the text of a block that was not yet placed."""
    return block.measured.text if block.raw is None else block.raw


def words(text: str) -> set[str]:
    """Return the words at the beginning of a text."""
    return set(_word.findall(text[:_COMPARED_CHARS]))


def alike(a: str, b: str) -> bool:
    """Whether two texts begin with much the same words."""
    words_a, words_b = words(a), words(b)
    return len(words_a & words_b) >= _ALIKE * len(words_a | words_b)


def excerpt(text: str, start: int = 0, end: int | None = None) -> str:
    """Return a value with a little of what stands around it on its line, secrets left out."""
    end = min(start + MAX_EXCERPT if end is None else end, start + MAX_EXCERPT)
    low = max(0, start - _SECRET_CHARS)
    while low > max(0, start - _MAX_SECRET) and not text[low - 1].isspace():
        low -= 1
    shown = masked(text[low : end + _SEEN_BEHIND])
    value = shown[start - low : end - low]
    room = max(0, MAX_EXCERPT - len(value))
    left = shown[max(0, start - low - min(_CONTEXT, room)) : start - low]
    if len(left) < start - low:
        left = left.partition(" ")[2]
    left = left.rpartition("\n")[2]
    right = shown[end - low : end - low + min(_CONTEXT, room - len(left))].partition("\n")[0]
    return _space.sub(" ", _covered.sub("▮", f"{left}{value}{right}"))


def of_texts(a: str | None, b: str | None, at: Break, otherwise: str) -> list[Break]:
    """Return the places in which two texts of one place differ.

    Args:
        a: the older text.
        b: the newer text.
        at: the place; its cause is `unknown`.
        otherwise: the cause where no value of a known kind differs.
    """
    if a is None or b is None:
        return [at]
    slots = departures(a, b)
    if not slots:
        return [Break(at.position, at.layer, at.path, 0, len(b), otherwise)]
    if not close(slots, a, b):
        return [_of_slot(slots[0]._replace(kind=None), a, b, at, otherwise)]
    return [_of_slot(slot, a, b, at, otherwise) for slot in slots]


def _of_slot(slot: Pair, a: str, b: str, at: Break, otherwise: str) -> Break:
    return Break(
        at.position,
        at.layer,
        at.path,
        slot.b.start,
        len(b),
        slot.kind or otherwise,
        excerpt(a, *slot.a),
        excerpt(b, *slot.b),
        tokens=len(_piece.findall(b, slot.b.start, slot.b.end)),
    )


def close(slots: Sequence[Pair], a: str, b: str) -> bool:
    """Whether two texts are one template, of which these places vary."""
    if all(slot.kind is not None for slot in slots):
        return True
    return 2 * varying(list(slots)) <= max(len(a), len(b))
