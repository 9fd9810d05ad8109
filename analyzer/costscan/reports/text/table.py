"""Plain tables for a terminal: numbers to the right, names that shrink, columns that give way when narrow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from costscan.reports.text.sanitize import cells, clip, shorten

GAP: Final = 2
INDENT: Final = 2
LEAST_NAME: Final = 14


@dataclass(frozen=True)
class Column:
    """A heading, its cells, and how the column behaves.

    `name` columns are left-aligned and shrink, in the middle or, where they are `prose`, at the end; the one
    with the highest `give` is left out first when the table is too wide (0: never), before names get `least`.
    """

    heading: str
    rows: Sequence[str]
    name: bool = False
    prose: bool = False
    give: int = 0
    style: str = ""
    left: bool = False
    least: int = LEAST_NAME

    @property
    def width(self) -> int:
        """The columns its widest cell needs."""
        return max((cells(c) for c in (self.heading, *self.rows)), default=0)


def table(columns: Sequence[Column], width: int) -> list[Text]:
    """Return the lines of a table, headings first, at most `width` columns wide."""
    chosen = _fitting(list(columns), width)
    names = [c for c in chosen if c.name]
    others = sum(c.width for c in chosen if not c.name)
    room = width - INDENT - others - GAP * (len(chosen) - 1)
    widths = _shared([c.width for c in names], room)
    sized = [(c, widths.pop(0) if c.name else c.width) for c in chosen]
    height = max((len(c.rows) for c in chosen), default=0)
    return [_line(sized, None), *(_line(sized, row) for row in range(height))]


def _fitting(columns: list[Column], width: int) -> list[Column]:
    while True:
        least = sum(min(c.width, c.least) if c.name else c.width for c in columns)
        if least + INDENT + GAP * (len(columns) - 1) <= width:
            return columns
        worst = max(columns, key=lambda c: c.give)
        if not worst.give:
            return columns
        columns.remove(worst)


def _shared(wanted: list[int], room: int) -> list[int]:
    """Share the room among name columns: short ones get what they want, long ones the same."""
    given = [0] * len(wanted)
    left, rest = room, len(wanted)
    for place in sorted(range(len(wanted)), key=lambda i: wanted[i]):
        given[place] = max(min(wanted[place], left // rest), 1)
        left, rest = left - given[place], rest - 1
    return given


def _line(sized: Sequence[tuple[Column, int]], row: int | None) -> Text:
    line = Text(" " * INDENT)
    for place, (column, width) in enumerate(sized):
        cell = (clip if column.prose else shorten)(column.heading if row is None else column.rows[row], width)
        pad = " " * (width - cells(cell))
        line.append(" " * GAP if place else "")
        line.append("" if column.name or column.left else pad)
        line.append(cell, style="dim" if row is None else column.style)
        line.append(pad if column.name or column.left else "")
    line.rstrip()
    return line
