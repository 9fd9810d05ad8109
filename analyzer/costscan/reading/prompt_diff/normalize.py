"""What of a prompt would be the same as before, if values that vary stood behind it and orders were kept.

Each block of a prompt has a key. Where a block differs from the one at its place in the older prompt by
values alone (a time, an id) or by order, it takes the key that one had: prompts of one template so have one
chain of keys, and what a cache could read of them is known.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from costscan.reading.prompt_diff.divergence import Break, Moved, Prompt

VALUES: Final = frozenset({"timestamp", "date", "uuid", "hex-id", "counter", "record-id", "number", "path"})
"""What can stand elsewhere in the prompt."""
ORDERS: Final = frozenset({"random-order", "serialization"})
"""What can be sent the same way each time."""
MAX_MOVED: Final = 32


def settle(old: Prompt, new: Prompt, same: int, breaks: list[Break]) -> None:
    """Set on a prompt the keys and the varying values that follow from an older one of its template.

    Args:
        old: the older prompt.
        new: the newer one, as it was sent.
        same: with how many of the same blocks they begin.
        breaks: where they differ.
    """
    forgiven = _forgiven(old, new, breaks)
    if old.stable_keys is old.keys and not forgiven:
        return
    keys = list(new.keys)
    for at in range(min(len(old.keys), len(keys))):
        if at < same or old.keys[at] == new.keys[at] or at in forgiven:
            keys[at] = old.stable_keys[at]
    new.stable_keys = keys
    values = [
        Moved(b.position, _name(new, b), b.tokens)
        for b in breaks
        if b.cause in VALUES and b.position in forgiven
    ]
    again = {m.name for m in values}
    kept = [m for m in old.moved if m.name not in again and _is_there(old, new, m)]
    new.moved = sorted([*kept, *values], key=lambda m: m.position)[:MAX_MOVED]


def _name(new: Prompt, place: Break) -> str:
    """Name the text of a place, for all prompts alike: tools may stand in another order in each."""
    tool = new.blocks[place.position].measured.tool if place.layer == "tools" else None
    return place.path if tool is None else f"{tool}.{place.path.partition('.')[2]}"


def _is_there(old: Prompt, new: Prompt, value: Moved) -> bool:
    at = value.position
    return at < min(len(old.keys), len(new.keys)) and old.stable_keys[at] == new.stable_keys[at]


def _forgiven(old: Prompt, new: Prompt, breaks: Iterable[Break]) -> set[int]:
    """Return the places at which nothing but values and orders differ."""
    by_place: dict[int, list[Break]] = {}
    for place in breaks:
        by_place.setdefault(place.position, []).append(place)
    places = {
        at: breaks[0].layer
        for at, breaks in by_place.items()
        if all(b.cause in VALUES or b.cause in ORDERS for b in breaks)
    }
    moved = {places[at] for at in places if any(b.cause == "random-order" for b in by_place[at])}
    return set(places).union(*(_rearranged(old, new, layer, set(places)) for layer in sorted(moved)))


def _rearranged(old: Prompt, new: Prompt, layer: str, forgiven: set[int]) -> set[int]:
    """Return the places of a layer, when it holds the same blocks, or forgiven ones, in another order."""
    if layer == "messages":
        return set()
    old_at, new_at = ([n for n, b in enumerate(p.blocks) if b.layer == layer] for p in (old, new))
    other = Counter(new.keys[n] for n in new_at if n not in forgiven)
    alike = old_at == new_at and other <= Counter(old.keys[n] for n in old_at)
    return set(old_at) if alike else set()
