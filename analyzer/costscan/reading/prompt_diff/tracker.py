"""The newest prompts of a run, and the first prompts of other runs: what the next prompt is compared with."""

from collections import OrderedDict
from typing import Final, Self

import xxhash

from costscan.reading.io.rows import Rows
from costscan.reading.prompt_diff import diff
from costscan.reading.prompt_diff.divergence import Break, Prompt, text_of
from costscan.reading.prompt_diff.normalize import settle
from costscan.reading.prompt_diff.prompt import Key, Sent
from costscan.reading.prompt_diff.salt import Salt, salted
from costscan.reading.prompt_diff.text_diff import common_prefix

MAX_LINES: Final = 4
"""A run may take turns between several prompts (the agent's own, a helper's): so many are remembered."""
MAX_RUN_CHARS: Final = 4 << 20
"""Of a prompt with more text, only hashes are remembered."""
MAX_CHARS: Final = 64 << 20
"""Text remembered of all runs; of those not continued for longest, hashes remain."""
_THINKING: Final = "thinking"
MAX_FIRST_CHARS: Final = 1 << 18
MAX_TEMPLATES: Final = 128
MAX_OF_TEMPLATE: Final = 4


class WorkerMemory:
    """What is remembered over the runs a worker reads: how much text, and first prompts by template."""

    def __init__(self) -> None:
        self._chars = 0
        self._holders: OrderedDict[int, tuple[Prompts, int]] = OrderedDict()
        self._first: OrderedDict[tuple[str, ...], list[Prompt]] = OrderedDict()

    @classmethod
    def of(cls, rows: Rows) -> Self:
        """Return what goes with these rows."""
        memory = rows.kept.setdefault("prompts", cls())
        assert isinstance(memory, cls)  # noqa: S101 - nobody else keeps anything under this name
        return memory

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
        """Return the latest first prompt of another run with the same template, and remember this one."""
        match = None
        for key in (("task", task, *prompt.tools), ("tools", *prompt.tools)):
            others = self._first.setdefault(key, [])
            self._first.move_to_end(key)
            if match is None:
                match = next((p for p in reversed(others) if _alike(p, prompt)), None)
            others[:] = [p for p in others if p is not match][1 - MAX_OF_TEMPLATE :]
            if prompt.chars <= MAX_FIRST_CHARS:
                others.append(prompt)
        while len(self._first) > MAX_TEMPLATES:
            self._first.popitem(last=False)
        return match


def _alike(other: Prompt, prompt: Prompt) -> bool:
    return other.run_id != prompt.run_id and diff.alike(other, prompt)


class Prompts:
    """The newest prompts of one run."""

    def __init__(self, run_id: str, task: str, memory: WorkerMemory) -> None:
        self._run_id, self._task, self._memory = run_id, task, memory
        self._lines: list[Prompt] = []
        self._sent: set[int] = set()
        self._stable: set[int] = set()

    def take(self, blocks: list[Sent], salt: Salt) -> tuple[Prompt, list[Break]]:
        """Remember the newest prompt and give where it departs from the one it follows.

        Args:
            blocks: those of the prompt, in its order.
            salt: what the settings of the request add to the keys of its layers.
        """
        keys = [block.key for block in blocks]
        old, same = self._before(keys, blocks)
        new = _continued(old, same, keys, blocks, (self._run_id, salt))
        if old is None:
            breaks = self._first(new)
        else:
            self._lines.remove(old)
            grown = same in {len(old.keys), len(keys)} or _only_forgot(old, new)
            breaks = [] if grown else diff.departs(old, new)
            _settle(old, new, same, breaks)
        if new.chars > MAX_RUN_CHARS:
            new.forget_texts()
        # Not that of `old` alone: an order that comes back goes on from a prompt further back.
        new.extends = _longest(new.hashes, self._sent)
        new.stable_extends = _longest(new.stable, self._stable)
        self._lines = [new, *self._lines[: MAX_LINES - 1]]
        self._memory.hold(self, sum(line.chars for line in self._lines))
        return new, breaks

    def summed_up(self, old: Prompt, blocks: list[Sent]) -> Prompt:
        """Return the prompt with which the API went on from its summary of another; not to be extended."""
        keys = [block.key for block in blocks]
        shared = common_prefix(old.keys, keys)
        hashes = _hashes(old.hashes[:shared], keys, old.salt)
        stable_keys = old.stable_keys[:shared] + keys[shared:]
        stable = _hashes(old.stable[:shared], stable_keys, old.salt)
        return Prompt(self._run_id, keys, blocks, [], hashes, 0, None, stable_keys, stable, [], old.salt)

    def _first(self, new: Prompt) -> list[Break]:
        """Return where the first prompt of a run departs from that of another."""
        other = self._memory.alike(new, self._task)
        if other is None:
            return []
        breaks = diff.departs(other, new, across=True)
        _settle(other, new, common_prefix(other.keys, new.keys), breaks)
        return breaks

    def forget_texts(self) -> None:
        """Keep hashes only."""
        for line in self._lines:
            line.forget_texts()

    def _before(self, keys: list[Key], blocks: list[Sent]) -> tuple[Prompt | None, int]:
        """Return the prompt that these blocks follow, and how many of them it begins with."""
        best: Prompt | None = None
        most = 0
        for line in self._lines:
            same = common_prefix(line.keys, keys)
            if same and same in {len(line.keys), len(keys)}:
                return line, same
            if diff.follows(line, blocks, keys) and (best is None or same > most):
                best, most = line, same
        return best, most


def _continued(
    old: Prompt | None, same: int, keys: list[Key], blocks: list[Sent], whose: tuple[str, Salt]
) -> Prompt:
    """Return a prompt, taking what it shares with an older one from there."""
    run_id, salt = whose
    entering = [text_of(block) for block in blocks[same:]]
    marked = max((n for n, block in enumerate(blocks) if block.breakpoint is not None), default=None)
    chars = _chars(entering)
    if old is None:
        hashes = _hashes([], keys, salt)
        return Prompt(run_id, keys, blocks, entering, hashes, chars, marked, keys, hashes, [], salt)
    shared = salted(keys, old.salt, salt, same)
    hashes = _hashes(old.hashes[:shared], keys, salt)
    keys = old.keys[:same] + keys[same:]
    return Prompt(
        run_id,
        keys,
        old.blocks[:same] + blocks[same:],
        old.texts[:same] + entering,
        hashes,
        chars + old.chars - _chars(old.texts[same:]),
        marked,
        keys,
        hashes,
        [],
        salt,
    )


def _only_forgot(old: Prompt, new: Prompt) -> bool:
    """Whether a prompt goes on without what the model thought: so the API has it, not the client."""
    before, after = ([key for key in p.keys if key[2] != _THINKING] for p in (old, new))
    thought, still = ({key for key in p.keys if key[2] == _THINKING} for p in (old, new))
    return len(before) < len(old.keys) and after[: len(before)] == before and still <= thought


def _settle(old: Prompt, new: Prompt, same: int, breaks: list[Break]) -> None:
    """Set on a prompt the stable keys and hashes that follow from an older one."""
    settle(old, new, same, breaks)
    if new.stable_keys is not new.keys:
        alike = common_prefix(old.stable_keys, new.stable_keys)
        shared = salted(new.stable_keys, old.salt, new.salt, alike)
        new.stable = _hashes(old.stable[:shared], new.stable_keys, new.salt)


def _longest(hashes: list[int], sent: set[int]) -> int:
    """Return the length of the longest prefix that was a whole prompt before, 0 for none; note this one."""
    length = next((n for n in range(len(hashes), 0, -1) if hashes[n - 1] in sent), 0)
    sent.update(hashes[-1:])
    return length


def _chars(texts: list[str | bytes | None]) -> int:
    return sum(len(text) for text in texts if text is not None)


def _hashes(begun: list[int], keys: list[Key], salt: Salt) -> list[int]:
    """Add the hashes of the prefixes that end behind the ones that are known."""
    out = begun
    so_far = begun[-1] if begun else 0
    for key in keys[len(begun) :]:
        link = f"{so_far} {key!r}{salt.of(key[0]) or ''}".encode("utf-8", "backslashreplace")
        so_far = xxhash.xxh3_64_intdigest(link) >> 1
        out.append(so_far)
    return out
