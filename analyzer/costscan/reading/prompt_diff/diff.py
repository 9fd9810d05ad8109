"""Where a prompt departs from the one before it: what was in the cache up to there and cannot be read behind.

A conversation that grows, a cache breakpoint that moves and a new user turn are no departures. Nothing is
looked at where the hashes of the blocks agree; where they do not, their texts are compared.
"""

from collections import Counter
from typing import Final

from costscan.reading.prompt_diff import divergence
from costscan.reading.prompt_diff.divergence import Break, Prompt, excerpt, of_texts
from costscan.reading.prompt_diff.messages import of_messages
from costscan.reading.prompt_diff.normalize import ORDERS, VALUES
from costscan.reading.prompt_diff.prompt import Key, Sent
from costscan.reading.prompt_diff.text_diff import common_prefix
from costscan.reading.prompt_diff.tools import of_tools

MAX_BREAKS: Final = 24
EDITED: Final = "text-edited"
_LAYERS: Final = ("tools", "system", "messages")


def departs(old: Prompt, new: Prompt, *, across: bool = False) -> list[Break]:
    """Return the places where a prompt departs from an older one, the one where it breaks first.

    Args:
        old: the older prompt.
        new: the newer one.
        across: they are the first prompts of two runs, which need not ask the same.
    """
    at = common_prefix(old.keys, new.keys)
    if at in {len(old.keys), len(new.keys)}:
        return []
    layer = min(old.blocks[at].layer, new.blocks[at].layer, key=_LAYERS.index)
    breaks: list[Break] = []
    if layer == "tools":
        breaks += of_tools(old, new, at)
    if layer != "messages":
        breaks += of_system(old, new)
        breaks += _also_in_messages(old, new, across=across)
    else:
        breaks += of_messages(old, new, at, across=across)
    for n, place in enumerate(breaks):
        place.is_first = n == 0
        place.against = old.run_id if across else None
    return breaks[:MAX_BREAKS]


def _also_in_messages(old: Prompt, new: Prompt, *, across: bool) -> list[Break]:
    """Return the values that vary in the messages of two prompts whose tools or system prompts differ."""
    was, now = _first_message(old.blocks), _first_message(new.blocks)
    if was is None or was != now:
        return []
    at = was + common_prefix(old.keys[was:], new.keys[was:])
    if at in {len(old.keys), len(new.keys)}:
        return []
    breaks = of_messages(old, new, at, across=across)
    return breaks if all(b.cause in VALUES or b.cause in ORDERS for b in breaks) else []


def of_system(old: Prompt, new: Prompt) -> list[Break]:
    """Return the places where the system prompt differs."""
    old_at, new_at = _system(old), _system(new)
    before, after = [old.keys[n] for n in old_at], [new.keys[n] for n in new_at]
    if before == after:
        return []
    if Counter(before) == Counter(after) or len(before) != len(after):
        return [_rearranged(old, old_at, new, new_at)]
    breaks: list[Break] = []
    for was, now in zip(old_at, new_at, strict=True):
        if old.keys[was] != new.keys[now]:
            place = Break(now, "system", new.blocks[now].path, None, None, "unknown")
            breaks += of_texts(old.text(was), new.text(now), place, EDITED)
    return breaks


def _rearranged(old: Prompt, old_at: list[int], new: Prompt, new_at: list[int]) -> Break:
    """Return the first place where blocks of the system prompt were added, removed or reordered."""
    before, after = [old.keys[n] for n in old_at], [new.keys[n] for n in new_at]
    same = common_prefix(before, after)
    position = (new_at[0] if new_at else old_at[0]) + same
    a, b = (p.text(n[same]) or "" if same < len(n) else "" for p, n in ((old, old_at), (new, new_at)))
    path = f"system[{same}].text"
    if a and b and not (before[same] in after or after[same] in before):
        return of_texts(a, b, Break(position, "system", path, None, None, "unknown"), EDITED)[0]
    cause = "random-order" if len(before) == len(after) else EDITED
    return Break(position, "system", path, 0, len(b), cause, excerpt(a), excerpt(b))


def _system(prompt: Prompt) -> list[int]:
    return [n for n, block in enumerate(prompt.blocks) if block.layer == "system"]


def follows(line: Prompt, blocks: list[Sent], keys: list[Key]) -> bool:
    """Whether blocks are the next prompt of a conversation, or of another with the same template."""
    first = _first_message(line.blocks)
    begin = _first_message(blocks)
    if first is not None and begin is not None and line.keys[first] == keys[begin]:
        return True
    names = sorted(b.measured.tool or "" for b in blocks if b.layer == "tools")
    texts = [text for b in blocks if b.layer == "system" and isinstance(text := divergence.text_of(b), str)]
    return list(line.tools) == names and _same_words(_system_text(line), "\n".join(texts))


def alike(other: Prompt, prompt: Prompt) -> bool:
    """Whether two first prompts have the same template: the same tools and much the same words."""
    if other.tools != prompt.tools:
        return False
    return _same_words(_system_text(other), _system_text(prompt))


def _same_words(a: str, b: str) -> bool:
    return a == b or divergence.alike(a, b)


def _system_text(prompt: Prompt) -> str:
    return "\n".join(prompt.text(n) or "" for n in _system(prompt))


def _first_message(blocks: list[Sent]) -> int | None:
    return next((n for n, block in enumerate(blocks) if block.layer == "messages"), None)
