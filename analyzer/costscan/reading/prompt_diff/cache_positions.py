"""Positions of a prompt that matter to a cache: those in reach of its breakpoints, and those worth one."""

from typing import Final

from msgspec import Struct

from costscan.cache_policy import CLAUDE
from costscan.reading.prompt_diff.divergence import Prompt
from costscan.reading.prompt_diff.prompt import Sent

WINDOW: Final = CLAUDE.lookback_blocks
"""How many positions are searched for a cache entry, from a marked one back and that one included."""


class Position(Struct, gc=False, frozen=True):
    """A position of a prompt where a cache entry may be written, if marked, or found."""

    position: int
    prefix_hash: int
    stable_hash: int
    ttl: str | None


class Prefix(Struct, gc=False, frozen=True):
    """A prefix of a prompt that matters to a cache, whatever was marked.

    `role` is `shared` (tools and system prompt), `whole`, or `before` (the longest earlier prompt of the run
    that it extends) and `stable-before` (that it would extend without values that vary).
    """

    position: int
    role: str
    prefix_hash: int
    stable_hash: int


def prefixes(prompt: Prompt) -> list[Prefix]:
    """Return the prefixes of a prompt that matter to a cache."""
    fixed = next((n for n, b in enumerate(prompt.blocks) if b.layer == "messages"), len(prompt.blocks))
    ends = {
        "shared": fixed,
        "whole": len(prompt.keys),
        "before": prompt.extends,
        "stable-before": prompt.stable_extends,
    }
    return [
        Prefix(end - 1, role, prompt.hashes[end - 1], prompt.stable[end - 1])
        for role, end in ends.items()
        if end
    ]


def window(prompt: Prompt, blocks: list[Sent]) -> list[Position]:
    """Return the positions from which a prompt may be read from the cache, or written to it."""
    out = []
    begin = 0
    # What is inside a block ends with it, and is no position of its own.
    ends = [n for n in range(len(blocks)) if n + 1 == len(blocks) or not blocks[n + 1].inside]
    for nth, at in enumerate(ends):
        ttl = blocks[at].breakpoint
        if ttl is None:
            continue
        earlier = ends[max(begin, nth + 1 - WINDOW) : nth]
        out += [Position(n, prompt.hashes[n], prompt.stable[n], None) for n in earlier]
        out.append(Position(at, prompt.hashes[at], prompt.stable[at], ttl.removeprefix("auto-")))
        begin = nth + 1
    return out
