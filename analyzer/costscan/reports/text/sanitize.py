"""Text from logs made safe to print: nothing in it can move the cursor, change colours or break a line.

Nor is a line that is printed a command to the server that runs a job.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS: Final = "…"
_SPACES: Final = {"\n", "\r", "\t", "\v", "\f", "\x85", "\u2028", "\u2029"}


MOST_CHARS: Final = 10_000
"""Longer texts are cut before anything else is done with them: nothing that is printed is so long."""
_MOST_MARKS: Final = 2
"""Marks on a letter: more of them take no columns, and pile up over other lines."""
_COMMAND: Final = re.compile(r"^(\s*):(?=:)|#(?=#\w*\[)")
"""How a command begins: `::error` first on a line, `##[error]` and `##vso[` anywhere in one.

https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
"""


def inert(text: str) -> str:
    """Return `text` on one line, without control, format and unassigned characters, and not endless."""
    if len(text) > MOST_CHARS:
        text = text[: MOST_CHARS - 1] + ELLIPSIS
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(text))


def unheeded(line: str) -> str:
    """Return a line that no server takes for a command; as long as it was, so that its columns stay."""
    return _COMMAND.sub(rf"\g<1>{REPLACEMENT}", line)


def _shown(text: str) -> Iterator[str]:
    piled = 0
    for character in text:
        category = unicodedata.category(character)
        piled = piled + 1 if category[0] == "M" else 0
        if character in _SPACES:
            yield " "
        elif category[0] == "C":  # controls such as escape, direction overrides, surrogates
            yield REPLACEMENT
        elif category != "Me" and piled <= _MOST_MARKS:
            yield character


def cells(text: str) -> int:
    """Return how many columns a terminal needs for `text`."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - only for text that needs its tables

    return cell_len(text)


def clip(text: str, width: int) -> str:
    """Return `text` in at most `width` columns, its end replaced by an ellipsis where it is longer."""
    if cells(text) <= width:
        return text
    return (_first(text.removesuffix(ELLIPSIS), width - 1).rstrip() + ELLIPSIS)[:width]


def ending(text: str, width: int) -> str:
    """Return the end of `text` in at most `width` columns: of a path, its last names."""
    if cells(text) <= width:
        return text
    return (ELLIPSIS + _last(text, width - 1))[:width]


def shorten(text: str, width: int) -> str:
    """Return `text` in at most `width` columns, its middle replaced by an ellipsis where it is longer."""
    if cells(text) <= width:
        return text
    if width <= 1:
        return ELLIPSIS[:width]
    room = width - 1
    head = _first(text, room - room // 3)
    tail = _last(text[len(head) :], room - cells(head))
    return head.rstrip() + ELLIPSIS + tail.lstrip()


def wrapped(text: str, width: int) -> list[str]:
    """Return `text` in lines of at most `width` columns, broken inside a word only if they must be."""
    if text and cells(text) <= width:
        return [text]
    lines = [""]
    for word in text.split():
        if lines[-1] and cells(lines[-1]) + 1 + cells(word) <= width:
            lines[-1] += f" {word}"
            continue
        left = word
        while cells(left) > width and (head := _first(left, width)):
            lines, left = [*lines, head], left[len(head) :]
        lines.append(left)
    return [line for line in lines if line]


def _first(text: str, width: int) -> str:
    """Return as much of the beginning as takes up to `width` columns."""
    return "".join(_within(text, width))


def _last(text: str, width: int) -> str:
    return "".join(reversed(list(_within(reversed(text), width))))


def _within(text: Iterable[str], width: int) -> Iterator[str]:
    for character in text:
        width -= cells(character)
        if width < 0:
            return
        yield character
