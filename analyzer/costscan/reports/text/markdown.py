"""Markdown of texts that may hold anything: inert words, code, tables that keep to a size.

What stands on a page is what the text said. Nothing in it becomes a link, an image, HTML, a heading, a
formula, a mention of somebody or a reference to an issue, on hosts that show GitHub Flavored Markdown.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from costscan.reports.text.numbers import is_fine, plural, usd
from costscan.reports.text.sanitize import clip, inert, shorten
from costscan.reports.text.table import Column

NAME: Final = 80
PROSE: Final = 160
"""The columns that names and other texts are cut to."""
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "`": "&#96;"}
_SPECIAL: Final = re.compile(r"[\\*_\[\]{}#~$]")
_ENTITY: Final = re.compile(r"[&<>|`]")
_BLOCK: Final = re.compile(r"[-+=:]+$|(\d+)[.)]$")
"""The first word of a line that is a list, or that makes a heading or a table of the line before it."""
_AS_CODE: Final = re.compile(
    r"""\w_\w | \w\[\d+\] | @ | :// | \bwww\. | \b(?:mailto|xmpp|javascript|data): | :[\w+-]+:
      | [#!]\d | \bGH-\d | \w\.[^\W\d]{2} | \b(?=\w*\d)[0-9a-f]{7,40}\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""Names of programs, paths in a request, and what hosts link after rendering, which no escape keeps
them from: addresses, mentions, issues, commits, emoji. They leave code alone."""
_WORD: Final = re.compile(r"([(\"']*)(.*?)([,;:.)\"']*)")
_NOT_IN_CODE: Final = re.compile(r"([|`]+)")


def cell(text: str, width: int = PROSE) -> str:
    """Return a text on one line; words that a host would link stand in code."""
    words = clip(inert(text), width).split()
    shown = [_word(word) for word in words]
    if shown and (block := _BLOCK.match(shown[0])):
        number = block[1] or ""
        shown[0] = f"{number}\\{shown[0][len(number) :]}"
    return " ".join(shown)


def _word(word: str) -> str:
    parts = _WORD.fullmatch(word) if _AS_CODE.search(word) else None
    return parts[1] + _fenced(parts[2]) + parts[3] if parts else _escaped(word)


def _escaped(word: str) -> str:
    return _ENTITY.sub(lambda m: _ENTITIES[m[0]], _SPECIAL.sub(r"\\\g<0>", word))


def code(text: str, width: int = NAME) -> str:
    """Return a name as code; bars and backticks, which end cells and code, stand between pieces of it."""
    return _fenced(" ".join(shorten(inert(text), width).split()))


def _fenced(text: str) -> str:
    pieces = _NOT_IN_CODE.split(text)
    return "".join(
        "".join(_ENTITIES[c] for c in piece) if n % 2 else f"`{piece}`"
        for n, piece in enumerate(pieces)
        if piece
    )


@dataclass(frozen=True)
class Table:
    """A table under a heading; rows that do not fit are counted, and their costs summed.

    Attributes:
        title: the heading, in words of our own.
        columns: the cells; names are set as code, other texts as they are.
        one: what a row is.
        total: how many rows there are.
        costs: what each of them costs, those that `columns` leave out too; empty where that says nothing.
        widths: how many columns the texts under a heading may take, where that is not the usual.
    """

    title: str
    columns: Sequence[Column]
    one: str
    total: int
    costs: Sequence[Decimal | None] = ()
    widths: Mapping[str, int] = field(default_factory=dict)

    @property
    def height(self) -> int:
        """The rows that can be shown."""
        return max((len(column.rows) for column in self.columns), default=0)

    def text(self, shown: int) -> str:
        """Return the table with its first rows."""
        rows = [[self._cell(column, row) for column in self.columns] for row in range(shown)]
        headings = [cell(column.heading) for column in self.columns]
        rule = [":--" if column.name or column.left else "--:" for column in self.columns]
        lines = [_line(row) for row in (headings, rule, *rows)] if rows else []
        return "\n\n".join(
            part for part in (f"### {self.title}", "\n".join(lines), self._rest(shown)) if part
        )

    def _cell(self, column: Column, row: int) -> str:
        text = column.rows[row]
        is_name = column.name and not column.prose
        return code(text) if is_name else cell(text, self.widths.get(column.heading, PROSE))

    def _rest(self, shown: int) -> str:
        left = self.total - shown
        if not left:
            return ""
        phrase = f"… and {plural(left, f'more {self.one}')}"
        costs_left = [cost for cost in self.costs[shown:] if cost is not None]
        fine = is_fine(self.costs[:shown]) if shown else None
        return cell(f"{phrase}, {usd(sum(costs_left, Decimal(0)), fine=fine)}" if costs_left else phrase)


@dataclass(frozen=True)
class Items:
    """A list; items that do not fit are counted.

    Attributes:
        items: what is listed, as Markdown.
        one: what an item is.
        total: how many there are.
    """

    items: Sequence[str]
    one: str
    total: int

    @property
    def height(self) -> int:
        """The items that can be shown."""
        return len(self.items)

    def text(self, shown: int) -> str:
        """Return the list with its first items."""
        left = self.total - shown
        rest = [f"… and {plural(left, f'more {self.one}')}"] if left else []
        return "\n".join(f"- {item}" for item in (*self.items[:shown], *rest))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def page(parts: Sequence[str | Table | Items], most_chars: int) -> str:
    """Return a document of at most so many characters: long tables lose rows, then the last parts go."""
    shown = [0 if isinstance(part, str) else part.height for part in parts]
    texts = [part if isinstance(part, str) else part.text(n) for part, n in zip(parts, shown, strict=True)]
    while (whole := "\n\n".join(texts) + "\n") and len(whole) > most_chars and len(texts) > 1:
        at = max((n for n in range(len(texts)) if shown[n]), key=lambda n: len(texts[n]), default=None)
        part = "" if at is None else parts[at]
        if at is None or isinstance(part, str):
            texts.pop()
            continue
        shown[at] -= 1
        texts[at] = part.text(shown[at])
    return whole


__all__ = ["Items", "Table", "cell", "code", "page"]
