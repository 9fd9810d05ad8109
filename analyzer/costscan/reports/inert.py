"""Text from logs made safe to print: nothing in it can move the cursor, change colours or break a line."""

import unicodedata
from typing import Final

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS: Final = "…"
_SPACES: Final = {"\n", "\r", "\t", "\v", "\f", "\x85", "\u2028", "\u2029"}


def inert(text: str) -> str:
    """Give `text` on one line, without control, format and unassigned characters."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(c) for c in text)


def _shown(character: str) -> str:
    if character in _SPACES:
        return " "
    category = unicodedata.category(character)
    # C*: controls such as escape, direction overrides, surrogates; marks that could pile up are dropped.
    return REPLACEMENT if category[0] == "C" else "" if category == "Me" else character


def cells(text: str) -> int:
    """Give how many columns a terminal needs for `text`."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - only for text that needs its tables

    return cell_len(text)


def clip(text: str, width: int) -> str:
    """Give `text` in at most `width` columns, its end replaced by an ellipsis where it is longer."""
    if cells(text) <= width:
        return text
    kept = list(text.removesuffix(ELLIPSIS))
    while kept and sum(map(cells, kept)) > width - 1:
        kept.pop()
    return ("".join(kept).rstrip() + ELLIPSIS)[:width]


def ending(text: str, width: int) -> str:
    """Give the end of `text` in at most `width` columns: of a path, its last names."""
    if cells(text) <= width:
        return text
    kept = list(text)
    while kept and sum(map(cells, kept)) > width - 1:
        kept.pop(0)
    return (ELLIPSIS + "".join(kept))[:width]


def shorten(text: str, width: int) -> str:
    """Give `text` in at most `width` columns, its middle replaced by an ellipsis where it is longer."""
    if cells(text) <= width:
        return text
    if width <= 1:
        return ELLIPSIS[:width]
    head, tail = list(text), ""
    room = width - 1
    while head and sum(map(cells, head)) > room - room // 3:
        head.pop()
    for character in reversed(text[len(head) :]):
        if sum(map(cells, head)) + cells(character + tail) > room:
            break
        tail = character + tail
    return "".join(head).rstrip() + ELLIPSIS + tail.lstrip()
