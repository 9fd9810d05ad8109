"""Lines read no further than the bill needs: what was written, most of a log, stays raw."""

from collections.abc import Callable
from typing import Any, BinaryIO

import msgspec
from msgspec import Raw

from costscan.formats.api.message import Message
from costscan.formats.claude.lines import Line, lenient_line
from costscan.reading.io.json_lines import Reader
from costscan.reading.io.rows import Rows

_Message: Any = msgspec.defstruct("BillMessage", [("content", Raw, Raw())], bases=(Message,), gc=False)
BillLine: Any = msgspec.defstruct("BillLine", [("message", _Message | None, None)], bases=(Line,), gc=False)
"""A line whose message has its content not decoded yet."""


def holds_content(content: object) -> bool:
    """Whether the content of a message, raw or decoded, is a text or a list of blocks."""
    return bytes(content)[:1] in {b"[", b'"'} if isinstance(content, Raw) else content is not None


def feed(stream: BinaryIO, path: str, rows: Rows, take: Callable[[int, Line], bool]) -> None:
    """Have `take` called with the lines of a log; where only the bill is asked for, their content is raw."""
    Reader(BillLine if rows.bill_only else Line, lenient_line, rows).feed(stream, path, take)
