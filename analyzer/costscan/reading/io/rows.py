"""What was read of some files: the rows of each table, and counts of what was read and what was not.

Sources run in worker processes that import neither Polars nor PyArrow before they are done reading, so
`TABLES` says the types of columns by plain words; `costscan.ingest` turns the tables into frames.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import NoneType
from typing import Any, Final, get_args

from costscan.defects import described
from costscan.reading.io.row_types import (
    AgentRow,
    BlockColumns,
    BreakRow,
    CallRow,
    CopyRow,
    MovedRow,
    PrefixRow,
    RecordedRow,
    SkippedRow,
    UnknownRow,
    WindowRow,
)

MAX_NAMED_SKIPS: Final = 100
MAX_SHAPES: Final = 100
"""Of lines that fit no kind the format knows, so many shapes are told apart in a file."""


class Tables:
    """The tables some files give: a list of rows each, of the blocks a list for each column."""

    copies: list[CopyRow]
    calls: list[CallRow]
    blocks: BlockColumns
    breaks: list[BreakRow]
    windows: list[WindowRow]
    prefixes: list[PrefixRow]
    moved: list[MovedRow]
    recorded: list[RecordedRow]
    agents: list[AgentRow]
    skipped: list[SkippedRow]
    unknown: list[UnknownRow]

    def __init__(self) -> None:
        self.blocks = BlockColumns(*([] for _ in BlockColumns._fields))
        for name in _ROWS:
            setattr(self, name, [])

    def add_blocks(self, more: BlockColumns) -> None:
        """Add blocks, given column by column."""
        for column, values in zip(_lists(self.blocks), _lists(more), strict=True):
            column.extend(values)

    def columns(self, name: str) -> Sequence[Sequence[Any]]:
        """Return the columns of a table."""
        if name not in _ROWS:
            return self.blocks
        return list(zip(*getattr(self, name), strict=True)) or [()] * len(TABLES[name])

    def lists(self) -> list[list[Any]]:
        """Return all lists that rows are added to."""
        return [*_lists(self.blocks), *(getattr(self, name) for name in _ROWS)]


def _lists(blocks: BlockColumns) -> list[list[Any]]:
    return [*blocks]


def _word(kind: Any) -> str:
    """Return the word for a type that may be optional, or for that of the values of a list."""
    inside = [part for part in get_args(kind) if part is not NoneType]
    return _word(inside[0]) if inside else _WORDS[kind]


_WORDS: Final[Mapping[Any, str]] = {int: "int", float: "float", str: "str", bool: "bool", datetime: "time"}
_ROWS: Final[Mapping[str, Any]] = {
    name: get_args(rows)[0] for name, rows in Tables.__annotations__.items() if rows is not BlockColumns
}
TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    name: {column: _word(kind) for column, kind in _ROWS.get(name, BlockColumns).__annotations__.items()}
    for name in Tables.__annotations__
}
"""The columns of each table and, in a word, their types."""
OF_BILL: Final = ("copies", "calls", "recorded", "agents")
"""The tables that a bill is made of."""


class Rows(Tables):
    """The tables some files give, and how much was read of them.

    `lines`, `bytes_read`, `skipped_lines` and `repaired_lines` count what was read; of the skipped ones at
    most `MAX_NAMED_SKIPS` are named. `kept` is what one file leaves for the next: the first prompts of runs.
    `strange` holds, by shape, the first line of those that the reader of the current file does not know, and
    how many there are; `counting` is off where a file is read once more, by another format. `bill_only`: what
    is not billed need not be read, and blocks are not asked for. `named_from`: skipped lines before this one
    do not count towards those that are named.
    """

    def __init__(self, *, bill_only: bool = False) -> None:
        super().__init__()
        self.bill_only = bill_only
        self.kept: dict[str, Any] = {}
        self.lines = 0
        self.bytes_read = 0
        self.skipped_lines = 0
        self.repaired_lines = 0
        self.strange: dict[tuple[Any, ...], tuple[dict[str, Any], int]] = {}
        self.counting = True
        self.named_from = 0

    def add_strange(self, line: dict[str, Any]) -> None:
        """Count a line that was decoded and is of no kind that its format knows."""
        kind = line.get("type")
        shape = (kind if isinstance(kind, str) else None, *sorted(line)[:MAX_SHAPES])
        first, n = self.strange.get(shape, (line, 0))
        if n or len(self.strange) < MAX_SHAPES:
            self.strange[shape] = first, n + 1
        else:
            rest, n = self.strange.get((), ({}, 0))
            self.strange[()] = rest, n + 1

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Keep what the body adds, or nothing of it where it raises: rows and counts are as they were."""
        sizes = [len(values) for values in self.lists()]
        counts = self.lines, self.bytes_read, self.skipped_lines, self.repaired_lines
        try:
            yield
        except BaseException:
            for values, n in zip(self.lists(), sizes, strict=True):
                del values[n:]
            self.lines, self.bytes_read, self.skipped_lines, self.repaired_lines = counts
            raise

    @contextmanager
    def once_more(self) -> Iterator[None]:
        """Read a file that was read before, for the lines of another format: nothing is counted again."""
        self.counting = False
        try:
            yield
        finally:
            self.counting = True

    @contextmanager
    def run(self, path: str, run: str) -> Iterator[None]:
        """Keep what the body writes of a run; where it raises, nothing of it, and say that it was skipped."""
        try:
            with self.whole():
                yield
        except Exception as error:  # noqa: BLE001 - a defect costs this run and no other
            self.skip(path, None, f"run {run} was not read: {described(error)}")

    def skip(self, path: str, line: int | None, reason: str, *, lost: bool = True) -> None:
        """Count a line that could not be read as it stands; `lost` is False when its call was recovered."""
        if not self.counting:
            return
        if lost:
            self.skipped_lines += 1
        else:
            self.repaired_lines += 1
        if len(self.skipped) - self.named_from < MAX_NAMED_SKIPS:
            self.skipped.append(SkippedRow(path=path, line=line, reason=reason, lost=lost))


def written(rows: Rows) -> Mapping[str, Mapping[str, str]]:
    """Return the columns of the tables that are to be written: all, or those of a bill."""
    return {name: columns for name, columns in TABLES.items() if name in OF_BILL or not rows.bill_only}
