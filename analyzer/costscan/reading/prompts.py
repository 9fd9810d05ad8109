"""The newest prompts of a run, and the first prompts of other runs: what the next prompt is compared with."""

from collections import OrderedDict
from typing import Final, Self

import xxhash
from msgspec import Struct

from costscan.reading import volatile
from costscan.reading.breaks import Break, Prompt, text_of
from costscan.reading.departures import common_prefix
from costscan.reading.prompt import Key, Sent
from costscan.reading.records import Rows

MAX_LINES: Final = 4
"""A run may take turns between several prompts (the agent's own, a helper's): so many are remembered."""
MAX_RUN_CHARS: Final = 4 << 20
"""Of a prompt with more text, only hashes are remembered."""
MAX_CHARS: Final = 64 << 20
"""Text remembered of all runs; of those not continued for longest, hashes remain."""
MAX_FIRST_CHARS: Final = 1 << 18
MAX_TEMPLATES: Final = 128
MAX_OF_TEMPLATE: Final = 4
WINDOW: Final = 20
"""How many positions are searched for a cache entry, from a marked one back and that one included.

Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""


class Known:
    """What is remembered over the runs a worker reads: how much text, and first prompts by template."""

    def __init__(self) -> None:
        self._chars = 0
        self._holders: OrderedDict[int, tuple[Prompts, int]] = OrderedDict()
        self._first: OrderedDict[tuple[str, ...], list[Prompt]] = OrderedDict()

    @classmethod
    def of(cls, rows: Rows) -> Self:
        """Give what goes with these rows."""
        found = rows.kept.setdefault("prompts", cls())
        assert isinstance(found, cls)  # noqa: S101 - nobody else keeps anything under this name
        return found

    def hold(self, prompts: "Prompts", chars: int) -> None:
        """Note how much text a run remembers now, and have others forget theirs where it is too much."""
        _, before = self._holders.pop(id(prompts), (prompts, 0))
        self._holders[id(prompts)] = prompts, chars
        self._chars += chars - before
        while self._chars > MAX_CHARS and len(self._holders) > 1:
            _, (oldest, held) = self._holders.popitem(last=False)
            oldest.forget_texts()
            self._chars -= held

    def alike(self, prompt: Prompt, task: str) -> Prompt | None:
        """Give the latest first prompt of another run with the same template, and remember this one."""
        found = None
        for key in (("task", task, *prompt.tools), ("tools", *prompt.tools)):
            others = self._first.setdefault(key, [])
            self._first.move_to_end(key)
            if found is None:
                found = next((p for p in reversed(others) if _alike(p, prompt)), None)
            others[:] = [p for p in others if p is not found][1 - MAX_OF_TEMPLATE :]
            if prompt.chars <= MAX_FIRST_CHARS:
                others.append(prompt)
        while len(self._first) > MAX_TEMPLATES:
            self._first.popitem(last=False)
        return found


def _alike(other: Prompt, prompt: Prompt) -> bool:
    return other.run_id != prompt.run_id and volatile.alike(other, prompt)


class Prompts:
    """The newest prompts of one run."""

    def __init__(self, run_id: str, task: str, known: Known) -> None:
        self._run_id, self._task, self._known = run_id, task, known
        self._lines: list[Prompt] = []

    def take(self, blocks: list[Sent]) -> tuple[Prompt, list[Break]]:
        """Remember the newest prompt and give where it departs from the one it follows."""
        keys = [block.key for block in blocks]
        old, same = self._before(keys, blocks)
        new = _continued(old, same, keys, blocks, self._run_id)
        if old is None:
            other = self._known.alike(new, self._task)
            found = [] if other is None else volatile.departs(other, new, across=True)
        else:
            self._lines.remove(old)
            grown = same in {len(old.keys), len(keys)}
            found = [] if grown else volatile.departs(old, new)
        if new.chars > MAX_RUN_CHARS:
            new.forget_texts()
        self._lines = [new, *self._lines[: MAX_LINES - 1]]
        self._known.hold(self, sum(line.chars for line in self._lines))
        return new, found

    def forget_texts(self) -> None:
        """Keep hashes only."""
        for line in self._lines:
            line.forget_texts()

    def _before(self, keys: list[Key], blocks: list[Sent]) -> tuple[Prompt | None, int]:
        """Give the prompt that these blocks follow, and how many of them it begins with."""
        best: Prompt | None = None
        most = 0
        for line in self._lines:
            same = common_prefix(line.keys, keys)
            if same and same in {len(line.keys), len(keys)}:
                return line, same
            if volatile.follows(line, blocks, keys) and (best is None or same > most):
                best, most = line, same
        return best, most


def _continued(old: Prompt | None, same: int, keys: list[Key], blocks: list[Sent], run_id: str) -> Prompt:
    """Give a prompt, taking what it shares with an older one from there."""
    entering = [text_of(block) for block in blocks[same:]]
    marked = max((n for n, block in enumerate(blocks) if block.breakpoint is not None), default=None)
    if old is None:
        return Prompt(run_id, keys, blocks, entering, _hashes(0, keys), _chars(entering), marked)
    chars = old.chars - _chars(old.texts[same:]) + _chars(entering)
    hashes = old.hashes[:same] + _hashes(old.hashes[same - 1] if same else 0, keys[same:])
    return Prompt(
        run_id,
        old.keys[:same] + keys[same:],
        old.blocks[:same] + blocks[same:],
        old.texts[:same] + entering,
        hashes,
        chars,
        marked,
    )


def _chars(texts: list[str | bytes | None]) -> int:
    return sum(len(text) for text in texts if text is not None)


def _hashes(so_far: int, keys: list[Key]) -> list[int]:
    out = []
    for key in keys:
        said = f"{so_far} {key!r}".encode("utf-8", "backslashreplace")
        so_far = xxhash.xxh3_64_intdigest(said) >> 1
        out.append(so_far)
    return out


class Position(Struct, gc=False, frozen=True):
    """A position of a prompt where a cache entry may be written, if marked, or found."""

    position: int
    prefix_hash: int
    marker: str | None


def window(prompt: Prompt, blocks: list[Sent]) -> list[Position]:
    """Give the positions from which a prompt may be read from the cache, or written to it."""
    out = []
    begin = 0
    for at, block in enumerate(blocks):
        if block.breakpoint is None:
            continue
        begin = max(begin, at + 1 - WINDOW)
        out += [Position(n, prompt.hashes[n], None) for n in range(begin, at)]
        out.append(Position(at, prompt.hashes[at], block.breakpoint.removeprefix("auto-")))
        begin = at + 1
    return out
