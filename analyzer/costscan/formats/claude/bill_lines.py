"""Lines read no further than the bill needs: what people and tools sent, most of a log, stays raw."""

from collections.abc import Callable
from typing import Any, BinaryIO

import msgspec
from msgspec import Raw

from costscan.formats.api.message import Message, lenient_message
from costscan.formats.claude.lines import Line, holds_usage, lenient_line
from costscan.reading.io import lenient_json
from costscan.reading.io.json_lines import Reader
from costscan.reading.io.rows import Rows

_BillLine: Any = msgspec.defstruct("BillLine", [("message", Raw, Raw())], bases=(Line,), gc=False)
"""A line whose message is not decoded yet."""
_decode = msgspec.json.Decoder(Message).decode


def feed(stream: BinaryIO, path: str, rows: Rows, take: Callable[[int, Line], bool]) -> None:
    """Have `take` called with the lines of a log.

    Where only the bill is asked for, only answers have a message: of other lines, their time is what counts.
    """
    if rows.bill_only:
        reader = Reader(_BillLine, lenient_line, rows)
        reader.feed(stream, path, lambda number, line: take(number, _with_answer(line)))
    else:
        Reader(Line, lenient_line, rows).feed(stream, path, take)


def _with_answer(line: Line) -> Line:
    message: object = line.message
    if isinstance(message, Raw):  # a line that was read leniently has it decoded
        raw = bytes(message)
        line.message = _answer(raw) if line.type == "assistant" or holds_usage(raw) else None
    return line


def _answer(raw: bytes) -> Message | None:
    try:
        return _decode(raw) if raw else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return lenient_message(lenient_json.mapping(raw))
