"""Rows of CSV files with a header: which delimiter, where a row begins, what to do with broken quotes."""

import codecs
import csv
import re
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, NamedTuple

from costscan.reading.io.json_lines import line_blocks

MAX_CELL_CHARS: Final = 1 << 26
"""More than a prompt can have, with room for its quotes: a longer cell is a quote that is not closed."""
_MOST_READ_AGAIN: Final = 1 << 28
_DELIMITERS: Final = ",;\t|"
_LEAST_COLUMNS: Final = 3
_name = re.compile(r"[^\W\d][\w .:/()%$-]{0,99}")
_NOTHING: Final = frozenset({"", "\\N"})
"""Cells that hold nothing; the second one is how ClickHouse writes it."""
_REASONS: Final = (
    ("field larger", f"a cell of more than {MAX_CELL_CHARS >> 20} million characters, or a quote not closed"),
    ("unexpected end", "a quote that is never closed"),
    ("'", "text behind a closing quote"),
)
Problem = Callable[[int | None, str], None]


class Header(NamedTuple):
    """The first row of a file: what stands between its cells, and the names of the columns."""

    delimiter: str
    names: list[str]


def header_of(head: bytes) -> Header | None:
    """Return the header of a file that begins with these bytes, None where they are no CSV.

    A header names at least three columns, each with another word, and no JSON follows it.
    """
    first, _, rest = head.decode("utf-8-sig", "replace").lstrip("\r\n").partition("\n")
    if rest.lstrip().startswith(("{", "[")):
        return None
    try:
        cells = [(mark, next(csv.reader([first], delimiter=mark), [])) for mark in _DELIMITERS]
    except csv.Error:
        return None
    mark, names = max(cells, key=lambda one: len(one[1]))
    names = [name.strip() for name in names]
    is_header = len(names) >= _LEAST_COLUMNS == len(set(names[:_LEAST_COLUMNS])) and all(
        _name.fullmatch(name) for name in names
    )
    return Header(mark, names) if is_header and len(set(names)) == len(names) else None


def rows_of(
    stream: BinaryIO, header: Header, problem: Problem, count: Callable[[int, int], None]
) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Yield (line number from 1 at which it begins, cells by column) for every row below the header.

    Of a row that cannot be read, the lines behind its first one are read again as rows of their own.

    Args:
        stream: the file.
        header: from `header_of`.
        problem: is told the line of what cannot be read, and why.
        count: is told how many lines and bytes were read.
    """
    lines = _Lines(stream, count)
    for number, cells in _cells(lines, header.delimiter, problem):
        if not any(cells) or [cell.strip() for cell in cells] == header.names:
            continue  # files may be joined, each with its header
        if len(cells) < len(header.names) or any(cells[len(header.names) :]):
            problem(number, f"{len(cells)} cells where the header names {len(header.names)}")
            continue
        named = zip(header.names, cells, strict=False)
        yield number, {name: None if cell in _NOTHING else cell for name, cell in named}


class _Lines:
    """The lines of a file as text; those of the row that is being read are kept, to be read again."""

    def __init__(self, stream: BinaryIO, count: Callable[[int, int], None]) -> None:
        self._more = _text_lines(stream, count)
        self._again: deque[str] = deque()
        self._left = _MOST_READ_AGAIN
        self._row: list[str] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._more)
        self.number += 1
        self._row.append(line)
        return line

    def begin(self) -> int:
        """Begin a row; return the number of its first line."""
        self._row.clear()
        return self.number + 1

    def read_again(self) -> bool:
        """Go back to the second line of the row; False where too much was read again already."""
        self._left -= sum(map(len, self._row))
        self._again.extendleft(reversed(self._row[1:]))
        self.number -= max(len(self._row) - 1, 0)
        return self._left > 0


def _cells(lines: _Lines, delimiter: str, problem: Problem) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        first = lines.begin()
        try:
            with _long_cells():
                cells = next(reader, None)
        except csv.Error as error:
            problem(first, next((why for said, why in _REASONS if str(error).startswith(said)), str(error)))
            if not lines.read_again():
                problem(lines.number + 1, "too many broken quotes: the rest of the file is not read")
                return
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
        except (OSError, EOFError, zlib.error) as error:
            problem(None, f"the file cannot be read to its end: {error}")
            return
        else:
            if cells is None:
                return
            yield first, cells


@contextmanager
def _long_cells() -> Iterator[None]:
    """Let the cells of this row be long, and leave the limit of the process as it was."""
    before = csv.field_size_limit(MAX_CELL_CHARS)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _text_lines(stream: BinaryIO, count: Callable[[int, int], None]) -> Iterator[str]:
    for n, block in enumerate(line_blocks(stream)):
        lines = block.removeprefix(b"" if n else codecs.BOM_UTF8).splitlines(keepends=True)
        count(len(lines), len(block))
        yield from (line.decode("utf-8", "replace") for line in lines)
