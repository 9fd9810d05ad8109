"""A small model of how the API caches prompts and counts what it bills."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from generator.blocks import Block

Ttl = Literal["5m", "1h"]

MINIMUM_PREFIX = {
    "claude-fable-5-2": 512,
    "claude-opus-5-5": 512,
    "claude-opus-4-8": 1024,
    "claude-sonnet-5-5": 512,
    "claude-haiku-5-5": 512,
}
LIFETIME_MS = {"5m": 300_000, "1h": 3_600_000}
LOOKBACK = 20
TAIL = 3
"""Tokens that open the answer; they come after every breakpoint, so they are never cached."""


@dataclass(frozen=True)
class Usage:
    """What one request is billed for."""

    input: int = 0
    read: int = 0
    write_5m: int = 0
    write_1h: int = 0
    output: int = 0

    @property
    def written(self) -> int:
        """Tokens written to the cache."""
        return self.write_5m + self.write_1h

    @property
    def prompt(self) -> int:
        """All input tokens."""
        return self.input + self.read + self.written

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input + other.input,
            self.read + other.read,
            self.write_5m + other.write_5m,
            self.write_1h + other.write_1h,
            self.output + other.output,
        )


@dataclass(frozen=True)
class Request:
    """A prompt in the order tools, system, messages, with its breakpoints by position."""

    model: str
    prompt: Sequence[Block]
    breakpoints: Mapping[int, Ttl]
    started: int
    ended: int
    output: int


@dataclass
class _Entry:
    ttl: Ttl
    usable_at: int
    expires_at: int


class PromptCache:
    """The cache of one workspace.

    An entry lives for its TTL from the start of the last request that wrote or read it, and can be read
    once the response that wrote it has ended.
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], _Entry] = {}

    def bill(self, request: Request) -> Usage:
        """Count one request and remember what it wrote."""
        keys = [(request.model, prefix) for prefix in _prefixes(request.prompt)]
        sizes = list(accumulate(block.tokens for block in request.prompt))
        marks = [at for at in sorted(request.breakpoints) if sizes[at] >= MINIMUM_PREFIX[request.model]]
        hit = self._longest_hit(keys, marks, request.started)
        self._refresh(keys[: hit + 1], request.started)
        read = sizes[hit] if hit >= 0 else 0
        written = {"5m": 0, "1h": 0}
        done = read
        for mark in marks:
            if mark > hit:
                ttl = request.breakpoints[mark]
                written[ttl] += sizes[mark] - done
                done = sizes[mark]
                self._write(keys[mark], ttl, request)
        return Usage(sizes[-1] - done + TAIL, read, written["5m"], written["1h"], request.output)

    def _longest_hit(self, keys: Sequence[tuple[str, str]], marks: Sequence[int], now: int) -> int:
        for mark in reversed(marks):
            for position in range(mark, max(-1, mark - LOOKBACK), -1):
                if self._live(keys[position], now):
                    return position
        return -1

    def _live(self, key: tuple[str, str], now: int) -> bool:
        entry = self._entries.get(key)
        return entry is not None and entry.usable_at <= now < entry.expires_at

    def _refresh(self, keys: Sequence[tuple[str, str]], now: int) -> None:
        for key in keys:
            if self._live(key, now):
                entry = self._entries[key]
                entry.expires_at = now + LIFETIME_MS[entry.ttl]

    def _write(self, key: tuple[str, str], ttl: Ttl, request: Request) -> None:
        self._entries[key] = _Entry(ttl, request.ended, request.started + LIFETIME_MS[ttl])


def _prefixes(prompt: Sequence[Block]) -> Iterator[str]:
    chain = hashlib.sha256()
    for block in prompt:
        chain.update(block.digest.encode())
        yield chain.hexdigest()
